-- activity_arrivals: one row per user, activity date and first as_of date, what it adds to the date.
-- Reads: fact_events, fact_orders.  Params: active_event_types, tz.
-- Shell: ./spark-submit.sh sql -d active_event_types="'view', 'add_to_cart', 'purchase'" -d tz=UTC -f sql/features/activity_arrivals/query.sql
--
-- A date that arrived in pieces is several rows. What is known of it by each is a running value;
-- what each adds to days and hours may then be summed up like anything else, by any clock.
WITH
-- first_as_of is the first date at whose midnight the row is both past and known. The microsecond
-- makes an arrival at exactly midnight known at that midnight.
events AS (
    SELECT
        user_id,
        ts,
        event_type,
        event_date,
        DATE_ADD(
            GREATEST(
                event_date,
                CAST(FROM_UTC_TIMESTAMP(ingest_ts - INTERVAL '1' MICROSECOND, '${tz}') AS DATE)
            ),
            1
        ) AS first_as_of
    FROM fact_events
),

orders AS (
    SELECT
        user_id,
        ts,
        amount,
        order_date,
        DATE_ADD(
            GREATEST(
                order_date,
                CAST(FROM_UTC_TIMESTAMP(ingest_ts - INTERVAL '1' MICROSECOND, '${tz}') AS DATE)
            ),
            1
        ) AS first_as_of
    FROM fact_orders
),

-- Hours are bits of a word, one per hour of the day.
event_days AS (
    SELECT
        user_id,
        event_date AS activity_date,
        first_as_of,
        BOOL_OR(event_type IN (${active_event_types})) AS is_active,
        BIT_OR(SHIFTLEFT(1L, HOUR(ts))) AS hour_bits,
        COUNT_IF(event_type = 'view') AS views,
        COUNT_IF(event_type = 'add_to_cart') AS add_to_carts,
        CAST(0 AS BIGINT) AS orders,
        CAST(0 AS DECIMAL(28, 2)) AS revenue,
        MAX(ts) FILTER (WHERE event_type = 'add_to_cart') AS last_cart_ts,
        CAST(NULL AS TIMESTAMP) AS last_order_ts
    FROM events
    GROUP BY user_id, event_date, first_as_of
),

order_days AS (
    SELECT
        user_id,
        order_date AS activity_date,
        first_as_of,
        TRUE AS is_active,
        CAST(0 AS BIGINT) AS hour_bits,
        CAST(0 AS BIGINT) AS views,
        CAST(0 AS BIGINT) AS add_to_carts,
        COUNT(*) AS orders,
        SUM(amount) AS revenue,
        CAST(NULL AS TIMESTAMP) AS last_cart_ts,
        MAX(ts) AS last_order_ts
    FROM orders
    GROUP BY user_id, order_date, first_as_of
),

activity_days AS (
    SELECT * FROM event_days
    UNION ALL
    SELECT * FROM order_days
),

arrivals AS (
    SELECT
        user_id,
        activity_date,
        first_as_of,
        BOOL_OR(is_active) AS is_active,
        BIT_OR(hour_bits) AS hour_bits,
        SUM(views) AS views,
        SUM(add_to_carts) AS add_to_carts,
        SUM(orders) AS orders,
        SUM(revenue) AS revenue,
        MAX(last_cart_ts) AS last_cart_ts,
        MAX(last_order_ts) AS last_order_ts
    FROM activity_days
    GROUP BY user_id, activity_date, first_as_of
),

-- A day that arrived in pieces is several rows. What is known of it by each is a running value;
-- what each adds to days and hours may then be summed up like anything else.
known_so_far AS (
    SELECT
        *,
        BOOL_OR(is_active) OVER so_far AS is_active_so_far,
        COALESCE(BOOL_OR(is_active) OVER before, FALSE) AS was_active_before,
        COALESCE(SUM(orders) OVER before, 0) > 0 AS had_orders_before,
        BIT_COUNT(BIT_OR(hour_bits) OVER so_far) AS hours_so_far,
        COALESCE(BIT_COUNT(BIT_OR(hour_bits) OVER before), 0) AS hours_before,
        SUM(add_to_carts) OVER so_far AS add_to_carts_so_far,
        SUM(orders) OVER so_far AS orders_so_far
    FROM arrivals
    WINDOW
        so_far AS (
            PARTITION BY user_id, activity_date
            ORDER BY first_as_of
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ),
        before AS (
            PARTITION BY user_id, activity_date
            ORDER BY first_as_of
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        )
)

SELECT
    user_id,
    activity_date,
    first_as_of,
    is_active_so_far,
    IF(is_active_so_far AND NOT was_active_before, 1L, 0L) AS active_days,
    IF(orders > 0 AND NOT had_orders_before, 1L, 0L) AS order_days,
    CAST(hours_so_far - hours_before AS BIGINT) AS active_hours,
    views,
    add_to_carts,
    orders,
    CAST(revenue AS DECIMAL(18, 2)) AS revenue,
    IF(is_active_so_far, CAST(hours_so_far AS BIGINT), 0L) AS hours_so_far,
    IF(is_active_so_far, add_to_carts_so_far, 0L) AS add_to_carts_so_far,
    IF(is_active_so_far, orders_so_far, 0L) AS orders_so_far,
    last_cart_ts,
    last_order_ts
FROM known_so_far
