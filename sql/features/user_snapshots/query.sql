-- user_snapshots: one row per user and as_of date, what was known of the user at as_of 00:00.
-- Reads: activity_arrivals, dim_users.  Params: snapshot_from, snapshot_to, snapshot_stride_days, population, population_days, first_date.
-- Shell: ./spark-submit.sh sql -d snapshot_from=2024-03-01 -d snapshot_to=2024-03-02 -d snapshot_stride_days=1 -d population=active -d population_days=30 -d first_date=2024-01-01 -f sql/features/user_snapshots/query.sql
--
-- Training and scoring both run this query, so a feature cannot mean two things. T is as_of 00:00
-- in tz. A row counts at T when both clocks agree: it happened before T (its date is before as_of)
-- and it had arrived by T (ingest_ts <= T). A row at exactly T belongs to the label.
--
-- No session feature: sessions are cut from all rows known today, and a row that arrives after T
-- can join or split sessions before T. Hours with an event stand in for them. Nor the first and
-- last activity dates of dim_users, which look past T; of dim_users only what is fixed at signup is
-- read.
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

users AS (
    SELECT
        user_id,
        signup_date,
        country,
        channel
    FROM dim_users
),

-- All snapshots come from this one pass; the dates are few, so they are broadcast. The latest active
-- date, and of its arrivals the latest, has the highest place.
days_of_snapshots AS (
    SELECT /*+ BROADCAST(snapshot_dates) */
        activity_arrivals.*,
        snapshot_dates.as_of,
        DATEDIFF(snapshot_dates.as_of, activity_arrivals.activity_date) AS age_days,
        IF(
            activity_arrivals.is_active_so_far,
            DATEDIFF(activity_arrivals.activity_date, DATE '1900-01-01') * 100000L
            + DATEDIFF(activity_arrivals.first_as_of, activity_arrivals.activity_date),
            -1L
        ) AS place
    FROM activity_arrivals
    INNER JOIN snapshot_dates
        ON activity_arrivals.first_as_of <= snapshot_dates.as_of
    WHERE activity_arrivals.activity_date < DATE '${snapshot_to}'
),

-- Days since something are counted from the day before as_of, which is 1.
snapshot_sums AS (
    SELECT
        user_id,
        as_of,
        SUM(IF(age_days <= 3, active_days, 0)) AS active_days_3d,
        SUM(IF(age_days <= 7, active_days, 0)) AS active_days_7d,
        SUM(IF(age_days <= 30, active_days, 0)) AS active_days_30d,
        SUM(IF(age_days <= 90, active_days, 0)) AS active_days_90d,
        SUM(active_days) AS active_days_lifetime,
        SUM(IF(age_days <= 1, active_hours, 0)) AS active_hours_1d,
        SUM(IF(age_days <= 3, active_hours, 0)) AS active_hours_3d,
        SUM(IF(age_days <= 7, active_hours, 0)) AS active_hours_7d,
        SUM(IF(age_days <= 30, active_hours, 0)) AS active_hours_30d,
        SUM(IF(age_days <= 90, active_hours, 0)) AS active_hours_90d,
        SUM(active_hours) AS active_hours_lifetime,
        SUM(IF(age_days <= 7, views, 0)) AS views_7d,
        SUM(IF(age_days <= 30, views, 0)) AS views_30d,
        SUM(IF(age_days <= 1, add_to_carts, 0)) AS add_to_carts_1d,
        SUM(IF(age_days <= 3, add_to_carts, 0)) AS add_to_carts_3d,
        SUM(IF(age_days <= 7, add_to_carts, 0)) AS add_to_carts_7d,
        SUM(IF(age_days <= 30, add_to_carts, 0)) AS add_to_carts_30d,
        SUM(add_to_carts) AS add_to_carts_lifetime,
        SUM(IF(age_days <= 1, orders, 0)) AS orders_1d,
        SUM(IF(age_days <= 3, orders, 0)) AS orders_3d,
        SUM(IF(age_days <= 7, orders, 0)) AS orders_7d,
        SUM(IF(age_days <= 30, orders, 0)) AS orders_30d,
        SUM(orders) AS orders_lifetime,
        SUM(order_days) AS order_days_lifetime,
        SUM(IF(age_days <= 30, revenue, 0)) AS revenue_30d,
        SUM(revenue) AS revenue_lifetime,
        MAX_BY(hours_so_far, place) AS active_hours_last_day,
        MAX_BY(add_to_carts_so_far, place) AS add_to_carts_last_day,
        MAX_BY(orders_so_far, place) AS orders_last_day,
        SLICE(
            ARRAY_SORT(COLLECT_SET(IF(is_active_so_far AND age_days <= 90, age_days, NULL))), 1, 3
        ) AS active_ages,
        MIN(IF(is_active_so_far, age_days, NULL)) AS last_active_age,
        MAX(IF(is_active_so_far, age_days, NULL)) AS first_active_age,
        MIN(IF(views > 0, age_days, NULL)) AS last_view_age,
        MIN(IF(add_to_carts > 0, age_days, NULL)) AS last_cart_age,
        MIN(IF(orders > 0, age_days, NULL)) AS last_order_age,
        MAX(IF(orders > 0, age_days, NULL)) AS first_order_age,
        MAX(IF(age_days <= 30, last_cart_ts, NULL)) AS last_cart_ts,
        MAX(last_order_ts) AS last_order_ts
    FROM days_of_snapshots
    GROUP BY user_id, as_of
    HAVING
        IF(
            '${population}' = 'customers',
            SUM(orders) > 0,
            COALESCE(BOOL_OR(is_active_so_far AND age_days <= ${population_days}), FALSE)
        )
),

-- Gaps exist from the second active day, and the second order, on. A user could be seen from
-- signup or from the first day of the log on, whichever is later.
rhythms AS (
    SELECT
        snapshot_sums.*,
        users.country,
        users.channel,
        DATEDIFF(snapshot_sums.as_of, users.signup_date) AS tenure_days,
        GREATEST(
            DATEDIFF(
                snapshot_sums.as_of, GREATEST(users.signup_date, DATE '${first_date}')
            ),
            1
        ) AS observed_days,
        IF(
            snapshot_sums.active_days_lifetime >= 2,
            (snapshot_sums.first_active_age - snapshot_sums.last_active_age)
            / (snapshot_sums.active_days_lifetime - 1),
            NULL
        ) AS active_gap,
        IF(
            snapshot_sums.orders_lifetime >= 2,
            (snapshot_sums.first_order_age - snapshot_sums.last_order_age)
            / (snapshot_sums.orders_lifetime - 1),
            NULL
        ) AS order_gap
    FROM snapshot_sums
    INNER JOIN users
        ON snapshot_sums.user_id = users.user_id
)

-- A missing age or gap becomes 9999 with a flag beside it: larger than any real one, so that
-- "long ago" and "never" lie on the same side of a split. A gap below one day counts as one day in
-- the ratio; GREATEST would skip the NULL of who has no gap.
SELECT
    user_id,
    as_of,
    active_days_3d,
    active_days_7d,
    active_days_30d,
    active_days_90d,
    active_days_lifetime,
    active_hours_1d,
    active_hours_3d,
    active_hours_7d,
    active_hours_30d,
    active_hours_90d,
    active_hours_lifetime,
    active_hours_last_day,
    views_7d,
    views_30d,
    add_to_carts_1d,
    add_to_carts_3d,
    add_to_carts_7d,
    add_to_carts_30d,
    add_to_carts_lifetime,
    add_to_carts_last_day,
    orders_1d,
    orders_3d,
    orders_7d,
    orders_30d,
    orders_lifetime,
    orders_last_day,
    order_days_lifetime,
    CAST(revenue_30d AS DOUBLE) AS revenue_30d,
    CAST(revenue_lifetime AS DOUBLE) AS revenue_lifetime,
    COALESCE(last_active_age, 9999) AS days_since_last_active,
    COALESCE(GET(active_ages, 1), 9999) AS days_since_second_last_active,
    COALESCE(GET(active_ages, 2), 9999) AS days_since_third_last_active,
    COALESCE(last_view_age, 9999) AS days_since_last_view,
    last_view_age IS NULL AS is_last_view_missing,
    COALESCE(last_cart_age, 9999) AS days_since_last_cart,
    last_cart_age IS NULL AS is_last_cart_missing,
    COALESCE(last_order_age, 9999) AS days_since_last_order,
    last_order_age IS NULL AS is_last_order_missing,
    COALESCE(first_order_age, 9999) AS days_since_first_order,
    COALESCE(last_active_age / IF(active_gap < 1, 1D, active_gap), 9999D) AS recency_to_active_gap,
    COALESCE(order_gap, 9999D) AS mean_order_gap_days,
    COALESCE(last_order_age / IF(order_gap < 1, 1D, order_gap), 9999D) AS recency_to_order_gap,
    order_gap IS NULL AS is_order_gap_missing,
    CAST(active_days_lifetime AS DOUBLE) / observed_days AS active_day_rate,
    CAST(active_hours_lifetime AS DOUBLE) / observed_days AS active_hour_rate,
    COALESCE(CAST(active_days_lifetime AS DOUBLE) / observed_days * last_active_age, 0D)
        AS missed_active_days,
    IF(
        active_hours_lifetime = 0, 0D, CAST(add_to_carts_lifetime AS DOUBLE) / active_hours_lifetime
    ) AS add_to_carts_per_hour,
    IF(active_hours_lifetime = 0, 0D, CAST(orders_lifetime AS DOUBLE) / active_hours_lifetime)
        AS orders_per_hour,
    COALESCE(last_cart_ts > COALESCE(last_order_ts, TIMESTAMP '0001-01-01'), FALSE)
        AS has_open_cart,
    tenure_days,
    observed_days,
    WEEKDAY(as_of) + 1 AS as_of_weekday,
    country,
    channel
FROM rhythms
