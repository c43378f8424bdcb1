-- retention_on_or_after: one row per cohort unit, cohort, country, channel, period unit and period,
-- 'all' marking a total.
-- Reads: retention_cohorts, dim_users.  Params: retention_cohort_date, retention_max_days,
--   retention_max_weeks, retention_max_months.
-- Shell: ./spark-submit.sh sql -d retention_cohort_date=signup_date -d retention_max_days=90
--   -d retention_max_weeks=26 -d retention_max_months=12
--   -f sql/gold/retention_on_or_after/query.sql
-- The cohorts and periods are those of retention_cohorts; a user counts up to the period of the
-- last active date.

WITH users AS (
    SELECT
        ${retention_cohort_date} AS start_date,
        last_active_date,
        country,
        channel,
        COUNT(*) AS users
    FROM dim_users
    WHERE last_active_date IS NOT NULL
    GROUP BY ${retention_cohort_date}, last_active_date, country, channel
),

-- Who was active after the last period of a matrix was so on or after the last one, too.
last_periods AS (
    SELECT
        users.country,
        users.channel,
        users.users,
        units.period_unit,
        units.cohort_date,
        units.period
    FROM users
        LATERAL VIEW STACK(
            4,
            'day',
            start_date,
            LEAST(DATEDIFF(last_active_date, start_date), ${retention_max_days}),
            'week',
            TRUNC(start_date, 'WEEK'),
            LEAST(
                CAST(DATEDIFF(last_active_date, start_date) DIV 7 AS INT), ${retention_max_weeks}
            ),
            'calendar_week',
            TRUNC(start_date, 'WEEK'),
            LEAST(
                CAST(DATEDIFF(last_active_date, TRUNC(start_date, 'WEEK')) DIV 7 AS INT),
                ${retention_max_weeks}
            ),
            'month',
            TRUNC(start_date, 'MONTH'),
            LEAST(
                12 * (YEAR(last_active_date) - YEAR(start_date))
                + MONTH(last_active_date) - MONTH(start_date),
                ${retention_max_months}
            )
        ) units AS period_unit, cohort_date, period
),

users_by_last_period AS (
    SELECT
        period_unit,
        cohort_date,
        period,
        CASE WHEN GROUPING(country) = 1 THEN 'all' ELSE country END AS country,
        CASE WHEN GROUPING(channel) = 1 THEN 'all' ELSE channel END AS channel,
        SUM(users) AS users
    FROM last_periods
    GROUP BY period_unit, cohort_date, period, CUBE (country, channel)
),

cells AS (
    SELECT
        retention_cohorts.cohort_unit,
        retention_cohorts.cohort_date,
        retention_cohorts.country,
        retention_cohorts.channel,
        retention_cohorts.period_unit,
        retention_cohorts.period,
        retention_cohorts.cohort_size,
        retention_cohorts.is_complete,
        retention_cohorts.period_end_date,
        COALESCE(
            SUM(users_by_last_period.users) OVER (
                PARTITION BY
                    retention_cohorts.period_unit,
                    retention_cohorts.cohort_date,
                    retention_cohorts.country,
                    retention_cohorts.channel
                ORDER BY retention_cohorts.period DESC
                ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
            ),
            0
        ) AS retained
    FROM retention_cohorts
    LEFT JOIN users_by_last_period
        ON
            retention_cohorts.period_unit = users_by_last_period.period_unit
            AND retention_cohorts.cohort_date = users_by_last_period.cohort_date
            AND retention_cohorts.country = users_by_last_period.country
            AND retention_cohorts.channel = users_by_last_period.channel
            AND retention_cohorts.period = users_by_last_period.period
    WHERE retention_cohorts.period_unit IN ('day', 'week', 'calendar_week', 'month')
)

SELECT
    cohort_unit,
    cohort_date,
    country,
    channel,
    period_unit,
    period,
    cohort_size,
    IF(is_complete, retained, NULL) AS retained,
    IF(is_complete, retained / NULLIF(cohort_size, 0), NULL) AS retention_rate,
    is_complete,
    period_end_date
FROM cells
