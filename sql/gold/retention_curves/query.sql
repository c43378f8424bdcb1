-- retention_curves: one row per period unit, period, country and channel, 'all' marking a total.
-- Reads: retention_cohorts.
-- Shell: ./spark-submit.sh sql -f sql/gold/retention_curves/query.sql
-- The average of all cohorts has fewer of them with each period, so its end tells of old cohorts
-- alone. Beside it stands the average of the fixed ones: those complete through the last period
-- that any cohort is complete in.

WITH cohorts AS (
    SELECT
        period_unit,
        country,
        channel,
        cohort_date,
        MAX(period) AS last_period
    FROM retention_cohorts
    WHERE is_complete AND cohort_size > 0
    GROUP BY period_unit, country, channel, cohort_date
),

curves AS (
    SELECT
        period_unit,
        country,
        channel,
        MAX(last_period) AS last_period
    FROM cohorts
    GROUP BY period_unit, country, channel
),

cells AS (
    SELECT
        retention_cohorts.period_unit,
        retention_cohorts.period,
        retention_cohorts.country,
        retention_cohorts.channel,
        retention_cohorts.cohort_size,
        retention_cohorts.retained,
        curves.last_period,
        retention_cohorts.is_complete AND retention_cohorts.cohort_size > 0 AS is_eligible,
        retention_cohorts.is_complete AND COALESCE(cohorts.last_period = curves.last_period, FALSE)
            AS is_fixed
    FROM retention_cohorts
    LEFT JOIN cohorts
        ON
            retention_cohorts.period_unit = cohorts.period_unit
            AND retention_cohorts.country = cohorts.country
            AND retention_cohorts.channel = cohorts.channel
            AND retention_cohorts.cohort_date = cohorts.cohort_date
    LEFT JOIN curves
        ON
            retention_cohorts.period_unit = curves.period_unit
            AND retention_cohorts.country = curves.country
            AND retention_cohorts.channel = curves.channel
),

sums AS (
    SELECT
        period_unit,
        period,
        country,
        channel,
        last_period,
        COUNT_IF(is_eligible) AS cohorts,
        COALESCE(SUM(cohort_size) FILTER (WHERE is_eligible), 0) AS eligible_users,
        COALESCE(SUM(retained) FILTER (WHERE is_eligible), 0) AS retained,
        COUNT_IF(is_fixed) AS fixed_cohorts,
        COALESCE(SUM(cohort_size) FILTER (WHERE is_fixed), 0) AS fixed_eligible_users,
        COALESCE(SUM(retained) FILTER (WHERE is_fixed), 0) AS fixed_retained
    FROM cells
    GROUP BY period_unit, period, country, channel, last_period
)

SELECT
    period_unit,
    period,
    country,
    channel,
    cohorts,
    eligible_users,
    retained,
    retained / NULLIF(eligible_users, 0) AS retention_rate,
    fixed_cohorts,
    fixed_eligible_users,
    fixed_retained,
    fixed_retained / NULLIF(fixed_eligible_users, 0) AS fixed_retention_rate,
    last_period
FROM sums
