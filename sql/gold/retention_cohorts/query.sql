-- retention_cohorts: one row per cohort unit, cohort, country, channel and period, 'all' marking a
-- total.
-- Reads: user_daily_metrics, dim_users, segments.  Params: first_date, as_of, retention_max_days,
--   retention_max_weeks, retention_max_months.
-- Shell: ./spark-submit.sh sql -d first_date=2024-01-01 -d as_of=2024-01-31
--   -d retention_max_days=90 -d retention_max_weeks=26 -d retention_max_months=12
--   -f sql/gold/retention_cohorts/query.sql
-- A cohort is a signup day, ISO week (named by its Monday) or month. Retained = active in period n:
-- day n is n dates after the signup, week n the dates 7n to 7n + 6 after it (the user's own weeks),
-- month n the calendar month n after that of the signup.

WITH users AS (
    SELECT
        user_id,
        signup_date,
        country,
        channel
    FROM dim_users
    WHERE signup_date >= DATE '${first_date}' AND signup_date <= DATE '${as_of}'
),

active_days AS (
    SELECT
        users.user_id,
        users.signup_date,
        users.country,
        users.channel,
        user_daily_metrics.metric_date,
        DATEDIFF(user_daily_metrics.metric_date, users.signup_date) AS day_no,
        CAST(DATEDIFF(user_daily_metrics.metric_date, users.signup_date) DIV 7 AS INT) AS week_no,
        12 * (YEAR(user_daily_metrics.metric_date) - YEAR(users.signup_date))
        + MONTH(user_daily_metrics.metric_date)
        - MONTH(users.signup_date) AS month_no
    FROM user_daily_metrics
    INNER JOIN users ON user_daily_metrics.user_id = users.user_id
    WHERE
        user_daily_metrics.metric_date >= users.signup_date
        AND user_daily_metrics.metric_date >= DATE '${first_date}'
        AND user_daily_metrics.metric_date <= DATE '${as_of}'
),

-- Of several active days in one week or month only the first counts.
flagged_days AS (
    SELECT
        signup_date,
        country,
        channel,
        day_no,
        week_no,
        month_no,
        CAST(COALESCE(week_no > LAG(week_no) OVER user_days, TRUE) AS INT) AS is_first_of_week,
        CAST(COALESCE(month_no > LAG(month_no) OVER user_days, TRUE) AS INT) AS is_first_of_month
    FROM active_days
    WINDOW user_days AS (PARTITION BY user_id ORDER BY metric_date)
),

day_totals AS (
    SELECT
        signup_date,
        country,
        channel,
        day_no,
        week_no,
        month_no,
        COUNT(*) AS active_users,
        SUM(is_first_of_week) AS first_of_week_users,
        SUM(is_first_of_month) AS first_of_month_users
    FROM flagged_days
    GROUP BY signup_date, country, channel, day_no, week_no, month_no
),

cohort_activity AS (
    SELECT
        day_totals.country,
        day_totals.channel,
        units.cohort_unit,
        units.cohort_date,
        units.period,
        units.retained
    FROM day_totals
        LATERAL VIEW STACK(
            3,
            'day', signup_date, day_no, active_users,
            'week', TRUNC(signup_date, 'WEEK'), week_no, first_of_week_users,
            'month', TRUNC(signup_date, 'MONTH'), month_no, first_of_month_users
        ) units AS cohort_unit, cohort_date, period, retained
),

retained_by_segment AS (
    SELECT
        cohort_unit,
        cohort_date,
        period,
        CASE WHEN GROUPING(country) = 1 THEN 'all' ELSE country END AS country,
        CASE WHEN GROUPING(channel) = 1 THEN 'all' ELSE channel END AS channel,
        SUM(retained) AS retained
    FROM cohort_activity
    WHERE retained > 0
    GROUP BY cohort_unit, cohort_date, period, CUBE (country, channel)
),

signups AS (
    SELECT
        signup_date,
        country,
        channel,
        COUNT(*) AS users
    FROM users
    GROUP BY signup_date, country, channel
),

cohort_signups AS (
    SELECT
        signups.country,
        signups.channel,
        signups.signup_date,
        signups.users,
        units.cohort_unit,
        units.cohort_date
    FROM signups
        LATERAL VIEW STACK(
            3,
            'day', signup_date,
            'week', TRUNC(signup_date, 'WEEK'),
            'month', TRUNC(signup_date, 'MONTH')
        ) units AS cohort_unit, cohort_date
),

sizes_by_segment AS (
    SELECT
        cohort_unit,
        cohort_date,
        CASE WHEN GROUPING(country) = 1 THEN 'all' ELSE country END AS country,
        CASE WHEN GROUPING(channel) = 1 THEN 'all' ELSE channel END AS channel,
        SUM(users) AS cohort_size,
        MAX(signup_date) AS last_signup_date
    FROM cohort_signups
    GROUP BY cohort_unit, cohort_date, CUBE (country, channel)
),

calendar AS (
    SELECT EXPLODE(SEQUENCE(DATE '${first_date}', DATE '${as_of}')) AS cohort_date
),

cohort_candidates AS (
    SELECT
        calendar.cohort_date,
        units.cohort_unit,
        units.is_first_day,
        units.periods
    FROM calendar
        LATERAL VIEW STACK(
            3,
            'day', TRUE, ${retention_max_days},
            'week', WEEKDAY(cohort_date) = 0, ${retention_max_weeks},
            'month', DAY(cohort_date) = 1, ${retention_max_months}
        ) units AS cohort_unit, is_first_day, periods
),

-- A week or month that began before first_date would lack users, so it is no cohort.
cohorts AS (
    SELECT
        cohort_unit,
        cohort_date,
        periods
    FROM cohort_candidates
    WHERE is_first_day
),

spine AS (
    SELECT
        cohorts.cohort_unit,
        cohorts.cohort_date,
        segments.country,
        segments.channel,
        all_periods.period
    FROM cohorts
    CROSS JOIN segments
        LATERAL VIEW EXPLODE(SEQUENCE(0, cohorts.periods)) all_periods AS period
),

cells AS (
    SELECT
        spine.cohort_unit,
        spine.cohort_date,
        spine.country,
        spine.channel,
        spine.period,
        COALESCE(sizes_by_segment.cohort_size, 0) AS cohort_size,
        COALESCE(retained_by_segment.retained, 0) AS retained,
        -- The last date of the period for the last user counted.
        CASE spine.cohort_unit
            WHEN 'day' THEN DATE_ADD(spine.cohort_date, spine.period)
            WHEN 'week'
                THEN DATE_ADD(
                    COALESCE(sizes_by_segment.last_signup_date, DATE_ADD(spine.cohort_date, 6)),
                    7 * spine.period + 6
                )
            WHEN 'month' THEN LAST_DAY(ADD_MONTHS(spine.cohort_date, spine.period))
        END <= DATE '${as_of}' AS is_complete
    FROM spine
    LEFT JOIN sizes_by_segment
        ON
            spine.cohort_unit = sizes_by_segment.cohort_unit
            AND spine.cohort_date = sizes_by_segment.cohort_date
            AND spine.country = sizes_by_segment.country
            AND spine.channel = sizes_by_segment.channel
    LEFT JOIN retained_by_segment
        ON
            spine.cohort_unit = retained_by_segment.cohort_unit
            AND spine.cohort_date = retained_by_segment.cohort_date
            AND spine.country = retained_by_segment.country
            AND spine.channel = retained_by_segment.channel
            AND spine.period = retained_by_segment.period
)

SELECT
    cohort_unit,
    cohort_date,
    country,
    channel,
    period,
    cohort_size,
    CASE WHEN is_complete THEN retained END AS retained,
    CASE WHEN is_complete THEN retained / NULLIF(cohort_size, 0) END AS retention_rate,
    is_complete
FROM cells
