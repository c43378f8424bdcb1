-- retained_users: one row per cohort, country, channel, period unit and period that somebody was
-- active in, 'all' marking a total; retention_cohorts sets them beside those nobody was active in.
-- Reads: user_daily_metrics, dim_users.  Params: from_date, first_date, as_of,
--   retention_cohort_date, retention_max_days, retention_reach_days.
-- Shell: ./spark-submit.sh sql -d from_date=2024-01-01 -d first_date=2024-01-01
--   -d as_of=2024-01-31 -d retention_cohort_date=signup_date -d retention_max_days=90
--   -d retention_reach_days=402 -f sql/gold/retained_users/query.sql
-- Right for periods that end on from_date or later.

-- The oldest day 0 of a cell that ends on from_date is that of the longest matrix.
WITH users AS (
    SELECT
        user_id,
        ${retention_cohort_date} AS start_date,
        country,
        channel
    FROM dim_users
    WHERE
        ${retention_cohort_date} >= DATE '${first_date}'
        AND ${retention_cohort_date} <= DATE '${as_of}'
        AND ${retention_cohort_date} >= DATE_SUB(DATE '${from_date}', ${retention_reach_days})
),

-- A streak looks back to day 1; a month, an own week of a week's users and a bracket begin at most
-- 30 days before they end.
active_days AS (
    SELECT
        users.user_id,
        users.start_date,
        users.country,
        users.channel,
        user_daily_metrics.metric_date,
        DATEDIFF(user_daily_metrics.metric_date, users.start_date) AS day_no
    FROM user_daily_metrics
    INNER JOIN users ON user_daily_metrics.user_id = users.user_id
    WHERE
        user_daily_metrics.metric_date >= users.start_date
        AND user_daily_metrics.metric_date >= DATE '${first_date}'
        AND user_daily_metrics.metric_date
        >= DATE_SUB(DATE '${from_date}', GREATEST(${retention_max_days}, 30))
        AND user_daily_metrics.metric_date <= DATE '${as_of}'
),

numbered_days AS (
    SELECT
        user_id,
        start_date,
        country,
        channel,
        metric_date,
        day_no,
        CAST(day_no DIV 7 AS INT) AS week_no,
        CAST(DATEDIFF(metric_date, TRUNC(start_date, 'WEEK')) DIV 7 AS INT) AS calendar_week_no,
        12 * (YEAR(metric_date) - YEAR(start_date)) + MONTH(metric_date) - MONTH(start_date)
            AS month_no,
        CASE
            WHEN day_no BETWEEN 1 AND 3 THEN 1
            WHEN day_no BETWEEN 4 AND 7 THEN 4
            WHEN day_no BETWEEN 8 AND 14 THEN 8
            WHEN day_no BETWEEN 15 AND 30 THEN 15
        END AS bracket
    FROM active_days
),

-- Of several active days in one period only the first counts. A streak holds on day n if n active
-- days lie after day 0.
flagged_days AS (
    SELECT
        start_date,
        country,
        channel,
        day_no,
        week_no,
        calendar_week_no,
        month_no,
        bracket,
        CAST(COALESCE(week_no > LAG(week_no) OVER user_days, TRUE) AS INT) AS is_first_of_week,
        CAST(COALESCE(calendar_week_no > LAG(calendar_week_no) OVER user_days, TRUE) AS INT)
            AS is_first_of_calendar_week,
        CAST(COALESCE(month_no > LAG(month_no) OVER user_days, TRUE) AS INT) AS is_first_of_month,
        CAST(COALESCE(bracket > LAG(bracket) OVER user_days, bracket IS NOT NULL) AS INT)
            AS is_first_of_bracket,
        CAST(
            day_no = 0 OR SUM(CAST(day_no > 0 AS INT)) OVER user_days_so_far = day_no AS INT
        ) AS is_streak
    FROM numbered_days
    WINDOW
        user_days AS (PARTITION BY user_id ORDER BY metric_date),
        user_days_so_far AS (PARTITION BY user_id ORDER BY metric_date ROWS UNBOUNDED PRECEDING)
),

day_totals AS (
    SELECT
        start_date,
        country,
        channel,
        day_no,
        week_no,
        calendar_week_no,
        month_no,
        bracket,
        COUNT(*) AS active_users,
        SUM(is_streak) AS streak_users,
        SUM(is_first_of_week) AS week_users,
        SUM(is_first_of_calendar_week) AS calendar_week_users,
        SUM(is_first_of_month) AS month_users,
        SUM(is_first_of_bracket) AS bracket_users
    FROM flagged_days
    GROUP BY
        start_date, country, channel, day_no, week_no, calendar_week_no, month_no, bracket
)

SELECT
    units.period_unit,
    units.cohort_date,
    units.period,
    CASE WHEN GROUPING(country) = 1 THEN 'all' ELSE country END AS country,
    CASE WHEN GROUPING(channel) = 1 THEN 'all' ELSE channel END AS channel,
    SUM(units.retained) AS retained,
    SUM(units.retained_streak) AS retained_streak
FROM day_totals
    LATERAL VIEW STACK(
        5,
        'day', start_date, day_no, active_users, streak_users,
        'week', TRUNC(start_date, 'WEEK'), week_no, week_users, 0L,
        'calendar_week', TRUNC(start_date, 'WEEK'), calendar_week_no, calendar_week_users, 0L,
        'month', TRUNC(start_date, 'MONTH'), month_no, month_users, 0L,
        'bracket', start_date, bracket, bracket_users, 0L
    ) units AS period_unit, cohort_date, period, retained, retained_streak
GROUP BY units.period_unit, units.cohort_date, units.period, CUBE (country, channel)
