-- arrivals_daily: one row per date, how much of the date had arrived by its own midnight.
-- Reads: fact_events, fact_orders, quarantine.  Params: from_date, to_date, tz.
-- Shell: ./spark-submit.sh sql -d from_date=2024-03-01 -d to_date=2024-04-01 -d tz=UTC -f sql/ml/arrivals_daily/query.sql
--
-- A day is compared with earlier ones as each looked on the morning after. What arrived later counts
-- on none of them: otherwise the newest day would always look short.
WITH
dates AS (
    SELECT EXPLODE(SEQUENCE(DATE '${from_date}', DATE_SUB(DATE '${to_date}', 1))) AS metric_date
),

-- The microsecond makes an arrival at exactly midnight known at that midnight, as in user_snapshots.
events AS (
    SELECT
        event_date,
        user_id,
        ingest_ts,
        CAST(FROM_UTC_TIMESTAMP(ingest_ts - INTERVAL '1' MICROSECOND, '${tz}') AS DATE)
        <= event_date AS is_known
    FROM fact_events
    WHERE event_date >= DATE '${from_date}' AND event_date < DATE '${to_date}'
),

orders AS (
    SELECT
        order_date,
        CAST(FROM_UTC_TIMESTAMP(ingest_ts - INTERVAL '1' MICROSECOND, '${tz}') AS DATE)
        <= order_date AS is_known
    FROM fact_orders
    WHERE order_date >= DATE '${from_date}' AND order_date < DATE '${to_date}'
),

event_days AS (
    SELECT
        event_date AS metric_date,
        COUNT(*) AS accepted,
        COUNT_IF(is_known) AS events,
        COUNT(DISTINCT IF(is_known, user_id, NULL)) AS users,
        MAX(ingest_ts) FILTER (WHERE is_known) AS last_ingest_ts
    FROM events
    GROUP BY event_date
),

order_days AS (
    SELECT
        order_date AS metric_date,
        COUNT(*) AS accepted,
        COUNT_IF(is_known) AS orders
    FROM orders
    GROUP BY order_date
),

rejected_days AS (
    SELECT
        row_date AS metric_date,
        COUNT(*) AS rejected
    FROM quarantine
    WHERE
        stage = 'build'
        AND table_name IN ('bronze_events', 'bronze_orders')
        AND row_date >= DATE '${from_date}' AND row_date < DATE '${to_date}'
    GROUP BY row_date
)

SELECT
    dates.metric_date,
    COALESCE(event_days.events, 0) AS events,
    COALESCE(order_days.orders, 0) AS orders,
    COALESCE(event_days.users, 0) AS users,
    CAST(
        UNIX_MICROS(
            TO_UTC_TIMESTAMP(CAST(DATE_ADD(dates.metric_date, 1) AS TIMESTAMP), '${tz}')
        ) - UNIX_MICROS(event_days.last_ingest_ts) AS DOUBLE
    ) / 1000000 AS silent_seconds,
    COALESCE(rejected_days.rejected, 0) AS rejected,
    COALESCE(event_days.accepted, 0)
    + COALESCE(order_days.accepted, 0)
    + COALESCE(rejected_days.rejected, 0) AS judged
FROM dates
LEFT JOIN event_days ON dates.metric_date = event_days.metric_date
LEFT JOIN order_days ON dates.metric_date = order_days.metric_date
LEFT JOIN rejected_days ON dates.metric_date = rejected_days.metric_date
