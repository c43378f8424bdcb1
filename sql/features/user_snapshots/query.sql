-- user_snapshots: one row per user and as_of date, what was known of the user at as_of 00:00.
-- Reads: fact_events, fact_orders, dim_users.  Params: snapshot_from, snapshot_to, snapshot_stride_days, population_days, active_event_types, tz.
-- Shell: ./spark-submit.sh sql -d snapshot_from=2024-03-01 -d snapshot_to=2024-03-02 -d snapshot_stride_days=1 -d population_days=30 -d active_event_types="'view', 'add_to_cart', 'purchase'" -d tz=UTC -f sql/features/user_snapshots/query.sql
--
-- Training and scoring both run this query, so a feature cannot mean two things. T is as_of 00:00
-- in tz. A row counts at T when both clocks agree: it happened before T (its date is before as_of)
-- and it had arrived by T (ingest_ts <= T). A row at exactly T belongs to the label.
--
-- No session feature: sessions are cut from all rows known today, and a row that arrives after T
-- can join or split sessions before T. Nor the first and last activity dates of dim_users, which
-- look past T; of dim_users only what is fixed at signup is read.
WITH
snapshot_dates AS (
    SELECT
        EXPLODE(
            SEQUENCE(
                DATE '${snapshot_from}',
                DATE_SUB(DATE '${snapshot_to}', 1),
                INTERVAL '${snapshot_stride_days}' DAY
            )
        ) AS as_of
),

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
    WHERE
        event_date >= DATE_SUB(DATE '${snapshot_from}', GREATEST(30, ${population_days}))
        AND event_date < DATE '${snapshot_to}'
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
    WHERE order_date < DATE '${snapshot_to}'
),

users AS (
    SELECT
        user_id,
        signup_date,
        country,
        channel
    FROM dim_users
),

event_days AS (
    SELECT
        user_id,
        event_date AS activity_date,
        first_as_of,
        COALESCE(BOOL_OR(event_type IN (${active_event_types})), FALSE) AS is_active,
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

-- A day of events reaches the snapshots of the windows after it, a day with an order every later
-- snapshot. All snapshots come from this one pass; the dates are few, so they are broadcast.
days_of_snapshots AS (
    SELECT /*+ BROADCAST(snapshot_dates) */
        activity_days.user_id,
        snapshot_dates.as_of,
        DATEDIFF(snapshot_dates.as_of, activity_days.activity_date) AS age_days,
        activity_days.is_active,
        activity_days.views,
        activity_days.add_to_carts,
        activity_days.orders,
        activity_days.revenue,
        activity_days.last_cart_ts,
        activity_days.last_order_ts
    FROM activity_days
    INNER JOIN snapshot_dates
        ON
            activity_days.first_as_of <= snapshot_dates.as_of
            AND (
                activity_days.orders > 0
                OR DATE_ADD(activity_days.activity_date, GREATEST(30, ${population_days}))
                >= snapshot_dates.as_of
            )
),

-- Distinct active days are bits of a word, one per day of age: no COUNT(DISTINCT), no second
-- shuffle. Days since something are counted from the day before as_of, which is 1.
snapshot_sums AS (
    SELECT
        user_id,
        as_of,
        SUM(IF(age_days <= 7, views, 0)) AS views_7d,
        SUM(IF(age_days <= 30, views, 0)) AS views_30d,
        SUM(IF(age_days <= 7, add_to_carts, 0)) AS add_to_carts_7d,
        SUM(IF(age_days <= 30, add_to_carts, 0)) AS add_to_carts_30d,
        SUM(IF(age_days <= 7, orders, 0)) AS orders_7d,
        SUM(IF(age_days <= 30, orders, 0)) AS orders_30d,
        SUM(orders) AS orders_lifetime,
        BIT_OR(IF(is_active AND age_days <= 30, SHIFTLEFT(1L, age_days), 0L)) AS active_day_bits,
        SUM(IF(age_days <= 30, revenue, 0)) AS revenue_30d,
        SUM(revenue) AS revenue_lifetime,
        MIN(IF(views > 0 AND age_days <= 30, age_days, NULL)) AS last_view_age,
        MIN(IF(add_to_carts > 0 AND age_days <= 30, age_days, NULL)) AS last_cart_age,
        MIN(IF(orders > 0, age_days, NULL)) AS last_order_age,
        MAX(IF(orders > 0, age_days, NULL)) AS first_order_age,
        MAX(IF(age_days <= 30, last_cart_ts, NULL)) AS last_cart_ts,
        MAX(last_order_ts) AS last_order_ts
    FROM days_of_snapshots
    GROUP BY user_id, as_of
    HAVING BOOL_OR(is_active AND age_days <= ${population_days})
),

-- The gap between orders exists from the second order on.
order_rhythm AS (
    SELECT
        *,
        IF(orders_lifetime >= 2, (first_order_age - last_order_age) / (orders_lifetime - 1), NULL)
            AS order_gap
    FROM snapshot_sums
)

-- A missing age or gap becomes 9999 with a flag beside it: larger than any real one, so that
-- "long ago" and "never" lie on the same side of a split. A gap below one day counts as one day in
-- the ratio; GREATEST would skip the NULL of who has no gap.
SELECT
    order_rhythm.user_id,
    order_rhythm.as_of,
    order_rhythm.views_7d,
    order_rhythm.views_30d,
    order_rhythm.add_to_carts_7d,
    order_rhythm.add_to_carts_30d,
    order_rhythm.orders_7d,
    order_rhythm.orders_30d,
    order_rhythm.orders_lifetime,
    BIT_COUNT(order_rhythm.active_day_bits & (SHIFTLEFT(1L, 8) - 1)) AS active_days_7d,
    BIT_COUNT(order_rhythm.active_day_bits) AS active_days_30d,
    CAST(order_rhythm.revenue_30d AS DOUBLE) AS revenue_30d,
    CAST(order_rhythm.revenue_lifetime AS DOUBLE) AS revenue_lifetime,
    COALESCE(order_rhythm.last_view_age, 9999) AS days_since_last_view,
    order_rhythm.last_view_age IS NULL AS is_last_view_missing,
    COALESCE(order_rhythm.last_cart_age, 9999) AS days_since_last_cart,
    order_rhythm.last_cart_age IS NULL AS is_last_cart_missing,
    COALESCE(order_rhythm.last_order_age, 9999) AS days_since_last_order,
    order_rhythm.last_order_age IS NULL AS is_last_order_missing,
    COALESCE(order_rhythm.order_gap, 9999D) AS mean_order_gap_days,
    COALESCE(
        order_rhythm.last_order_age / IF(order_rhythm.order_gap < 1, 1D, order_rhythm.order_gap),
        9999D
    ) AS recency_to_gap,
    order_rhythm.order_gap IS NULL AS is_order_gap_missing,
    COALESCE(
        order_rhythm.last_cart_ts > COALESCE(order_rhythm.last_order_ts, TIMESTAMP '0001-01-01'),
        FALSE
    ) AS has_open_cart,
    DATEDIFF(order_rhythm.as_of, users.signup_date) AS tenure_days,
    WEEKDAY(order_rhythm.as_of) + 1 AS as_of_weekday,
    users.country,
    users.channel
FROM order_rhythm
INNER JOIN users
    ON order_rhythm.user_id = users.user_id
