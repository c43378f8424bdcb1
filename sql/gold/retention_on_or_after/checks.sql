-- check: key_unique | fail | a cell has more than one row
SELECT
    cohort_unit,
    cohort_date,
    country,
    channel,
    period_unit,
    period
FROM retention_on_or_after
GROUP BY cohort_unit, cohort_date, country, channel, period_unit, period
HAVING COUNT(*) > 1;

-- check: unfinished_is_null | fail | an unfinished cell holds a number, or a finished one none
SELECT
    cohort_unit,
    cohort_date,
    period_unit,
    period
FROM retention_on_or_after
WHERE
    (retained IS NOT NULL) <> is_complete
    OR (retention_rate IS NOT NULL) <> (is_complete AND cohort_size > 0);

-- check: never_rises_with_the_period | fail | more users were active on or after a period than on or after the one before
WITH neighbours AS (
    SELECT
        cohort_date,
        period_unit,
        period,
        retained,
        LAG(retained) OVER (
            PARTITION BY period_unit, cohort_date, country, channel ORDER BY period
        ) AS retained_before
    FROM retention_on_or_after
)

SELECT
    cohort_date,
    period_unit,
    period
FROM neighbours
WHERE retained > retained_before;

-- check: between_retained_and_cohort | fail | fewer users than were active in the period itself, or more than the cohort has
SELECT
    retention_cohorts.cohort_date,
    retention_cohorts.period_unit,
    retention_cohorts.period
FROM retention_cohorts
LEFT JOIN retention_on_or_after
    ON
        retention_cohorts.period_unit = retention_on_or_after.period_unit
        AND retention_cohorts.cohort_date = retention_on_or_after.cohort_date
        AND retention_cohorts.country = retention_on_or_after.country
        AND retention_cohorts.channel = retention_on_or_after.channel
        AND retention_cohorts.period = retention_on_or_after.period
WHERE
    retention_cohorts.period_unit IN ('day', 'week', 'calendar_week', 'month')
    AND (
        retention_on_or_after.cohort_size IS NULL
        OR retention_on_or_after.retained
        NOT BETWEEN retention_cohorts.retained AND retention_cohorts.cohort_size
    );

-- check: segments_sum_to_total | fail | the segments of a cell do not sum to its total
SELECT
    cohort_unit,
    cohort_date,
    period_unit,
    period
FROM retention_on_or_after
GROUP BY cohort_unit, cohort_date, period_unit, period
HAVING
    BOOL_AND(is_complete)
    AND SUM(retained) FILTER (WHERE country = 'all' AND channel = 'all')
    <> SUM(retained) FILTER (WHERE country <> 'all' AND channel <> 'all');
