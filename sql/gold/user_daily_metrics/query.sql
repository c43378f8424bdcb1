-- user_daily_metrics: one row per user and active date: one with an event of an active type or an order.
-- Reads: fact_events, fact_orders.  Params: from_date, to_date, active_event_types.
-- Shell: ./spark-submit.sh sql -d from_date=2024-01-01 -d to_date=2024-02-01
--   -d active_event_types="'view', 'add_to_cart', 'purchase'"
--   -f sql/gold/user_daily_metrics/query.sql

WITH events_and_orders AS (
    SELECT
        user_id,
        event_date AS metric_date,
        session_no,
        event_type,
        event_type IN (${active_event_types}) AS is_active,
        CAST(NULL AS DECIMAL(18, 2)) AS amount
    FROM fact_events
    WHERE event_date >= DATE '${from_date}' AND event_date < DATE '${to_date}'
    UNION ALL
    SELECT
        user_id,
        order_date AS metric_date,
        CAST(NULL AS INT) AS session_no,
        CAST(NULL AS STRING) AS event_type,
        TRUE AS is_active,
        amount
    FROM fact_orders
    WHERE order_date >= DATE '${from_date}' AND order_date < DATE '${to_date}'
),

user_days AS (
    SELECT
        user_id,
        metric_date,
        -- Sessions of a day are numbered from 1 without holes, so the last number is their count.
        MAX(session_no) AS last_session_no,
        COUNT(event_type) AS events,
        COUNT_IF(event_type = 'view') AS views,
        COUNT_IF(event_type = 'add_to_cart') AS add_to_carts,
        COUNT_IF(event_type = 'purchase') AS purchases,
        COUNT(amount) AS orders,
        SUM(amount) AS revenue
    FROM events_and_orders
    GROUP BY user_id, metric_date
    HAVING BOOL_OR(is_active)
)

SELECT
    user_id,
    metric_date,
    CAST(COALESCE(last_session_no, 0) AS BIGINT) AS sessions,
    events,
    views,
    add_to_carts,
    purchases,
    orders,
    CAST(COALESCE(revenue, 0) AS DECIMAL(18, 2)) AS revenue
FROM user_days
