-- ltv_cohorts: one row per cohort unit, cohort, country, channel and horizon, 'all' marking a total.
-- Reads: dim_users, fact_orders, segments.  Params: from_date, to_date, first_date, as_of,
--   retention_cohort_date, ltv_horizon_days, ltv_reach_days.
-- Shell: ./spark-submit.sh sql -d from_date=2024-01-01 -d to_date=2024-07-01
--   -d first_date=2024-01-01 -d as_of=2024-01-31 -d retention_cohort_date=signup_date
--   -d ltv_horizon_days="7, 30, 60, 90" -d ltv_reach_days=120 -f sql/gold/ltv_cohorts/query.sql
-- A cohort is a day, ISO week (named by its Monday) or month of the user's day 0, as in
-- retention_cohorts. Its horizon n ends once day n of its last user and its own last date are over:
-- a month may still gain users after day 7 of those it has.

WITH users AS (
    SELECT
        user_id,
        ${retention_cohort_date} AS start_date,
        DATEDIFF(first_order_date, ${retention_cohort_date}) AS first_order_day,
        country,
        channel
    FROM dim_users
    WHERE
        ${retention_cohort_date} >= DATE '${first_date}'
        AND ${retention_cohort_date} <= DATE '${as_of}'
        AND ${retention_cohort_date} >= DATE_SUB(DATE '${from_date}', ${ltv_reach_days})
),

order_days AS (
    SELECT
        users.start_date,
        users.country,
        users.channel,
        DATEDIFF(fact_orders.order_date, users.start_date) AS day_no,
        SUM(fact_orders.amount) AS revenue
    FROM fact_orders
    INNER JOIN users ON fact_orders.user_id = users.user_id
    WHERE
        fact_orders.order_date >= users.start_date
        AND fact_orders.order_date >= DATE_SUB(DATE '${from_date}', ${ltv_reach_days})
        AND fact_orders.order_date <= DATE '${as_of}'
    GROUP BY
        users.start_date,
        users.country,
        users.channel,
        DATEDIFF(fact_orders.order_date, users.start_date)
),

-- What is known of a day's users: how many they are, when each first bought, what they paid when.
day_totals AS (
    SELECT
        start_date,
        country,
        channel,
        0 AS day_no,
        COUNT(*) AS users,
        0L AS buyers,
        CAST(0 AS DECIMAL(18, 2)) AS revenue
    FROM users
    GROUP BY start_date, country, channel
    UNION ALL
    SELECT
        start_date,
        country,
        channel,
        first_order_day AS day_no,
        0L AS users,
        COUNT(*) AS buyers,
        CAST(0 AS DECIMAL(18, 2)) AS revenue
    FROM users
    WHERE first_order_day IS NOT NULL
    GROUP BY start_date, country, channel, first_order_day
    UNION ALL
    SELECT
        start_date,
        country,
        channel,
        day_no,
        0L AS users,
        0L AS buyers,
        revenue
    FROM order_days
),

days_by_horizon AS (
    SELECT
        day_totals.start_date,
        day_totals.country,
        day_totals.channel,
        day_totals.day_no,
        day_totals.users,
        day_totals.buyers,
        day_totals.revenue,
        horizons.horizon_days
    FROM day_totals
        LATERAL VIEW EXPLODE(ARRAY(${ltv_horizon_days})) horizons AS horizon_days
),

sums_by_segment AS (
    SELECT
        units.cohort_unit,
        units.cohort_date,
        days_by_horizon.horizon_days,
        CASE WHEN GROUPING(country) = 1 THEN 'all' ELSE country END AS country,
        CASE WHEN GROUPING(channel) = 1 THEN 'all' ELSE channel END AS channel,
        SUM(days_by_horizon.users) AS cohort_size,
        SUM(days_by_horizon.buyers) AS buyers,
        CAST(SUM(days_by_horizon.revenue) AS DECIMAL(18, 2)) AS revenue,
        MAX(days_by_horizon.start_date) AS last_start_date
    FROM days_by_horizon
        LATERAL VIEW STACK(
            3,
            'day', start_date,
            'week', TRUNC(start_date, 'WEEK'),
            'month', TRUNC(start_date, 'MONTH')
        ) units AS cohort_unit, cohort_date
    WHERE days_by_horizon.day_no <= days_by_horizon.horizon_days
    GROUP BY
        units.cohort_unit,
        units.cohort_date,
        days_by_horizon.horizon_days,
        CUBE (country, channel)
),

calendar AS (
    SELECT EXPLODE(SEQUENCE(DATE '${first_date}', DATE '${as_of}')) AS cohort_date
),

cohort_candidates AS (
    SELECT
        calendar.cohort_date,
        units.cohort_unit,
        units.is_first_day,
        units.last_date
    FROM calendar
        LATERAL VIEW STACK(
            3,
            'day', TRUE, cohort_date,
            'week', WEEKDAY(cohort_date) = 0, DATE_ADD(cohort_date, 6),
            'month', DAY(cohort_date) = 1, LAST_DAY(cohort_date)
        ) units AS cohort_unit, is_first_day, last_date
),

-- A week or month that began before first_date would lack users, so it is no cohort.
spine AS (
    SELECT
        cohort_candidates.cohort_unit,
        cohort_candidates.cohort_date,
        cohort_candidates.last_date,
        segments.country,
        segments.channel,
        horizons.horizon_days
    FROM cohort_candidates
    CROSS JOIN segments
        LATERAL VIEW EXPLODE(ARRAY(${ltv_horizon_days})) horizons AS horizon_days
    WHERE
        cohort_candidates.is_first_day
        AND cohort_candidates.cohort_date >= DATE_SUB(DATE '${from_date}', ${ltv_reach_days})
),

cells AS (
    SELECT
        spine.cohort_unit,
        spine.cohort_date,
        spine.country,
        spine.channel,
        spine.horizon_days,
        COALESCE(sums_by_segment.cohort_size, 0) AS cohort_size,
        COALESCE(sums_by_segment.buyers, 0) AS buyers,
        COALESCE(sums_by_segment.revenue, CAST(0 AS DECIMAL(18, 2))) AS revenue,
        GREATEST(
            DATE_ADD(
                COALESCE(sums_by_segment.last_start_date, spine.last_date), spine.horizon_days
            ),
            spine.last_date
        ) AS horizon_end_date
    FROM spine
    LEFT JOIN sums_by_segment
        ON
            spine.cohort_unit = sums_by_segment.cohort_unit
            AND spine.cohort_date = sums_by_segment.cohort_date
            AND spine.country = sums_by_segment.country
            AND spine.channel = sums_by_segment.channel
            AND spine.horizon_days = sums_by_segment.horizon_days
)

SELECT
    cohort_unit,
    cohort_date,
    country,
    channel,
    horizon_days,
    cohort_size,
    IF(horizon_end_date <= DATE '${as_of}', buyers, NULL) AS buyers,
    IF(horizon_end_date <= DATE '${as_of}', revenue, NULL) AS revenue,
    IF(
        horizon_end_date <= DATE '${as_of}',
        CAST(revenue AS DOUBLE) / NULLIF(cohort_size, 0),
        NULL
    ) AS ltv,
    horizon_end_date <= DATE '${as_of}' AS is_complete,
    horizon_end_date,
    TRUNC(horizon_end_date, 'MONTH') AS horizon_end_month
FROM cells
WHERE horizon_end_date >= DATE '${from_date}' AND horizon_end_date < DATE '${to_date}'
