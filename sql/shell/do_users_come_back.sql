-- Do users come back? One row per day since signup: of all users whose day is over, the share active on it.
-- Reads: retention_cohorts.
-- Shell: ./spark-submit.sh sql -f sql/shell/do_users_come_back.sql

WITH finished_cells AS (
    SELECT
        period,
        cohort_size,
        retained
    FROM retention_cohorts
    WHERE
        period_unit = 'day'
        AND country = 'all'
        AND channel = 'all'
        AND is_complete
)

SELECT
    period AS days_since_signup,
    SUM(cohort_size) AS eligible_users,
    SUM(retained) AS active_users,
    ROUND(SUM(retained) / NULLIF(SUM(cohort_size), 0), 4) AS retention
FROM finished_cells
WHERE period IN (0, 1, 3, 7, 14, 30, 60, 90)
GROUP BY period
ORDER BY days_since_signup
