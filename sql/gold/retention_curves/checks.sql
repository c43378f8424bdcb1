-- check: key_unique | fail | a period has more than one row
SELECT
    period_unit,
    period,
    country,
    channel
FROM retention_curves
GROUP BY period_unit, period, country, channel
HAVING COUNT(*) > 1;

-- check: fixed_within_all | fail | the fixed cohorts are more than all, or other than all in the last period
SELECT
    period_unit,
    period,
    country,
    channel
FROM retention_curves
WHERE
    fixed_cohorts > cohorts
    OR fixed_eligible_users > eligible_users
    OR fixed_retained > retained
    OR retained > eligible_users
    OR fixed_retained > fixed_eligible_users
    OR (period = last_period AND (fixed_cohorts <> cohorts OR fixed_retained <> retained));

-- check: fixed_cohorts_stay_the_same | fail | the fixed cohorts change along a curve
SELECT
    period_unit,
    country,
    channel
FROM retention_curves
WHERE period <= last_period
GROUP BY period_unit, country, channel
HAVING
    MIN(fixed_cohorts) <> MAX(fixed_cohorts)
    OR MIN(fixed_eligible_users) <> MAX(fixed_eligible_users);

-- check: sums_are_those_of_the_cells | fail | users of a period differ from those of the complete cells
WITH sums AS (
    SELECT
        period_unit,
        period,
        country,
        channel,
        SUM(IF(is_complete, cohort_size, 0)) AS eligible_users,
        SUM(COALESCE(retained, 0)) AS retained
    FROM retention_cohorts
    GROUP BY period_unit, period, country, channel
)

SELECT
    sums.period_unit,
    sums.period,
    sums.country,
    sums.channel
FROM sums
LEFT JOIN retention_curves
    ON
        sums.period_unit = retention_curves.period_unit
        AND sums.period = retention_curves.period
        AND sums.country = retention_curves.country
        AND sums.channel = retention_curves.channel
WHERE
    NOT sums.eligible_users <=> retention_curves.eligible_users
    OR NOT sums.retained <=> retention_curves.retained;
