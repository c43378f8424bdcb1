-- active_days_daily: one row per date, country, channel and number of active days, 'all' marking a
-- total.
-- Reads: user_daily_metrics, dim_users, segments.  Params: from_date, to_date, first_date, as_of.
-- Shell: ./spark-submit.sh sql -d from_date=2024-01-01 -d to_date=2024-02-01
--   -d first_date=2024-01-01 -d as_of=2024-01-31 -f sql/gold/active_days_daily/query.sql
-- A user's number of active days in the last 28 dates changes on two kinds of dates alone: it rises
-- on an active date, and falls 28 dates later. In between it holds, so changes summed along the
-- dates give every number of every date.

WITH bounds AS (
    SELECT
        user_daily_metrics.user_id,
        bounds.metric_date,
        SUM(bounds.change) AS change
    FROM user_daily_metrics
        LATERAL VIEW STACK(2, metric_date, 1, DATE_ADD(metric_date, 28), -1) bounds
        AS metric_date, change
    WHERE
        user_daily_metrics.metric_date >= DATE_SUB(DATE '${from_date}', 27)
        AND user_daily_metrics.metric_date >= DATE '${first_date}'
        AND user_daily_metrics.metric_date < DATE '${to_date}'
        AND user_daily_metrics.metric_date <= DATE '${as_of}'
    GROUP BY user_daily_metrics.user_id, bounds.metric_date
    -- One day comes and another goes.
    HAVING SUM(bounds.change) <> 0
),

levels AS (
    SELECT
        user_id,
        metric_date,
        CAST(SUM(change) OVER (
            PARTITION BY user_id
            ORDER BY metric_date
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS INT) AS active_days,
        CAST(change AS INT) AS change
    FROM bounds
),

users_by_step AS (
    SELECT
        levels.metric_date,
        dim_users.country,
        dim_users.channel,
        levels.active_days,
        levels.change,
        COUNT(*) AS users
    FROM levels
    INNER JOIN dim_users ON levels.user_id = dim_users.user_id
    GROUP BY
        levels.metric_date, dim_users.country, dim_users.channel, levels.active_days, levels.change
),

-- Whoever enters a number leaves the one beside it. What changed before the first date to come out
-- is what that one begins with.
changes_by_segment AS (
    SELECT
        GREATEST(users_by_step.metric_date, DATE '${from_date}') AS metric_date,
        CASE WHEN GROUPING(country) = 1 THEN 'all' ELSE country END AS country,
        CASE WHEN GROUPING(channel) = 1 THEN 'all' ELSE channel END AS channel,
        sides.active_days,
        SUM(sides.users) AS users
    FROM users_by_step
        LATERAL VIEW STACK(
            2, active_days, users, active_days - change, -users
        ) sides AS active_days, users
    GROUP BY
        GREATEST(users_by_step.metric_date, DATE '${from_date}'),
        sides.active_days,
        CUBE (country, channel)
),

calendar AS (
    SELECT EXPLODE(SEQUENCE(DATE '${first_date}', DATE '${as_of}')) AS metric_date
),

-- Dense, so that a number of days that nobody has is a row of 0.
spine AS (
    SELECT
        calendar.metric_date,
        segments.country,
        segments.channel,
        numbers.active_days
    FROM calendar
    CROSS JOIN segments
        LATERAL VIEW EXPLODE(SEQUENCE(1, 28)) numbers AS active_days
    WHERE
        calendar.metric_date >= DATE '${from_date}'
        AND calendar.metric_date < DATE '${to_date}'
)

SELECT
    spine.metric_date,
    spine.country,
    spine.channel,
    spine.active_days,
    COALESCE(
        SUM(changes_by_segment.users) OVER (
            PARTITION BY spine.country, spine.channel, spine.active_days
            ORDER BY spine.metric_date
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ),
        0
    ) AS users,
    spine.metric_date >= DATE_ADD(DATE '${first_date}', 27) AS is_complete
FROM spine
LEFT JOIN changes_by_segment
    ON
        spine.metric_date = changes_by_segment.metric_date
        AND spine.country = changes_by_segment.country
        AND spine.channel = changes_by_segment.channel
        AND spine.active_days = changes_by_segment.active_days
