-- dim_users: one row per valid user, also one that was never active.
-- Reads: known_users, fact_events, fact_orders.  Params: active_event_types.
-- Shell: ./spark-submit.sh sql -d active_event_types="'view', 'add_to_cart', 'purchase'"
--   -f sql/silver/dim_users/query.sql

WITH activity AS (
    SELECT
        user_id,
        ts,
        event_date AS active_date,
        CAST(NULL AS DATE) AS order_date
    FROM fact_events
    WHERE event_type IN (${active_event_types})
    UNION ALL
    SELECT
        user_id,
        ts,
        order_date AS active_date,
        order_date
    FROM fact_orders
),

activity_bounds AS (
    SELECT
        user_id,
        MIN(ts) AS first_active_at,
        MIN(active_date) AS first_active_date,
        MAX(active_date) AS last_active_date,
        MIN(order_date) AS first_order_date
    FROM activity
    GROUP BY user_id
)

SELECT
    known_users.user_id,
    known_users.signup_date,
    known_users.country,
    known_users.channel,
    activity_bounds.first_active_at,
    activity_bounds.first_active_date,
    activity_bounds.last_active_date,
    activity_bounds.first_order_date
FROM known_users
LEFT JOIN activity_bounds ON known_users.user_id = activity_bounds.user_id
