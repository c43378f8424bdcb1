-- check: key_unique | fail | a cell has more than one row
SELECT
    cohort_unit,
    cohort_date,
    country,
    channel,
    period_unit,
    period
FROM retention_cohorts
GROUP BY cohort_unit, cohort_date, country, channel, period_unit, period
HAVING COUNT(*) > 1;

-- check: every_period | fail | a cohort lacks a period
SELECT
    cohort_unit,
    cohort_date,
    country,
    channel,
    period_unit
FROM retention_cohorts
GROUP BY cohort_unit, cohort_date, country, channel, period_unit
HAVING
    COUNT(*) <> 1 + CASE period_unit
        WHEN 'bracket' THEN 3
        WHEN 'day' THEN ${retention_max_days}
        WHEN '24_hours' THEN ${retention_max_days}
        WHEN 'week' THEN ${retention_max_weeks}
        WHEN 'calendar_week' THEN ${retention_max_weeks}
        WHEN 'month' THEN ${retention_max_months}
    END;

-- check: retained_within_cohort | fail | more users are retained than the cohort has, or fewer than none
SELECT
    cohort_unit,
    cohort_date,
    period_unit,
    period
FROM retention_cohorts
WHERE retained NOT BETWEEN 0 AND cohort_size OR retention_rate NOT BETWEEN 0 AND 1;

-- check: streak_within_retained | fail | a streak has more users than its last day, or fewer than none
SELECT
    cohort_date,
    period
FROM retention_cohorts
WHERE
    retained_streak NOT BETWEEN 0 AND retained
    OR (period = 0 AND retained_streak <> retained)
    OR (retained_streak IS NOT NULL) <> (is_complete AND period_unit = 'day');

-- check: unfinished_is_null | fail | an unfinished cell holds a number, or a finished one none
SELECT
    cohort_unit,
    cohort_date,
    period_unit,
    period
FROM retention_cohorts
WHERE
    (retained IS NOT NULL) <> is_complete
    OR (retention_rate IS NOT NULL) <> (is_complete AND cohort_size > 0);

-- check: segments_sum_to_total | fail | the segments of a cell do not sum to its total
SELECT
    cohort_unit,
    cohort_date,
    period_unit,
    period
FROM retention_cohorts
GROUP BY cohort_unit, cohort_date, period_unit, period
HAVING
    SUM(cohort_size) FILTER (WHERE country = 'all' AND channel = 'all')
    <> SUM(cohort_size) FILTER (WHERE country <> 'all' AND channel <> 'all')
    OR (
        BOOL_AND(is_complete)
        AND SUM(retained) FILTER (WHERE country = 'all' AND channel = 'all')
        <> SUM(retained) FILTER (WHERE country <> 'all' AND channel <> 'all')
    );

-- check: day_cohorts_hold_every_signup | fail | the users of a day cohort differ from those whose day 0 it is
WITH signups AS (
    SELECT
        ${retention_cohort_date} AS start_date,
        COUNT(*) AS users
    FROM dim_users
    GROUP BY ${retention_cohort_date}
)

SELECT retention_cohorts.cohort_date
FROM retention_cohorts
LEFT JOIN signups ON retention_cohorts.cohort_date = signups.start_date
WHERE
    retention_cohorts.cohort_unit = 'day'
    AND retention_cohorts.period_unit <> '24_hours'
    AND retention_cohorts.country = 'all'
    AND retention_cohorts.channel = 'all'
    AND retention_cohorts.cohort_size <> COALESCE(signups.users, 0);

-- check: first_24_hours_hold_everybody | fail | the users of a cohort of first active moments differ from those whose first active date it is, or are not all active in its period 0
WITH first_dates AS (
    SELECT
        first_active_date,
        COUNT(*) AS users
    FROM dim_users
    GROUP BY first_active_date
)

SELECT
    retention_cohorts.cohort_date,
    retention_cohorts.period
FROM retention_cohorts
LEFT JOIN first_dates ON retention_cohorts.cohort_date = first_dates.first_active_date
WHERE
    retention_cohorts.period_unit = '24_hours'
    AND retention_cohorts.country = 'all'
    AND retention_cohorts.channel = 'all'
    AND (
        retention_cohorts.cohort_size <> COALESCE(first_dates.users, 0)
        OR (
            retention_cohorts.period = 0
            AND retention_cohorts.retained <> retention_cohorts.cohort_size
        )
    );
