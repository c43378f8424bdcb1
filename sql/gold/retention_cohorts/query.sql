-- retention_cohorts: one row per cohort unit, cohort, country, channel, period unit and period, 'all'
-- marking a total.
-- Reads: dim_users, retained_users, retained_users_24_hours, segments.  Params: from_date, to_date,
--   first_date, as_of, tz, retention_cohort_date, retention_max_days, retention_max_weeks,
--   retention_max_months, retention_reach_days.
-- Shell: ./spark-submit.sh sql -d from_date=2024-01-01 -d to_date=2025-03-01
--   -d first_date=2024-01-01 -d as_of=2024-01-31 -d tz=UTC -d retention_cohort_date=signup_date
--   -d retention_max_days=90 -d retention_max_weeks=26 -d retention_max_months=12
--   -d retention_reach_days=402 -f sql/gold/retention_cohorts/query.sql
-- A cohort is a day, ISO week (named by its Monday) or month of the user's day 0. Day n is n dates
-- after it, week n the dates 7n to 7n + 6 after it (the user's own weeks), calendar_week and month n
-- the ISO week and calendar month n after that of day 0, a bracket days 1-3, 4-7, 8-14 or 15-30.
-- Periods of 24_hours begin with the user's first active moment; their cohorts are its dates.

WITH starts AS (
    SELECT
        dim_users.country,
        dim_users.channel,
        dim_users.first_active_at,
        units.size_unit,
        units.cohort_date,
        units.start_date
    FROM dim_users
        LATERAL VIEW STACK(
            4,
            'day', ${retention_cohort_date}, ${retention_cohort_date},
            'week', TRUNC(${retention_cohort_date}, 'WEEK'), ${retention_cohort_date},
            'month', TRUNC(${retention_cohort_date}, 'MONTH'), ${retention_cohort_date},
            '24_hours', first_active_date, first_active_date
        ) units AS size_unit, cohort_date, start_date
),

sizes_by_segment AS (
    SELECT
        size_unit,
        cohort_date,
        CASE WHEN GROUPING(country) = 1 THEN 'all' ELSE country END AS country,
        CASE WHEN GROUPING(channel) = 1 THEN 'all' ELSE channel END AS channel,
        COUNT(*) AS cohort_size,
        MAX(start_date) AS last_start_date,
        MAX(first_active_at) AS last_start_at
    FROM starts
    WHERE
        start_date >= DATE '${first_date}'
        AND start_date <= DATE '${as_of}'
        AND start_date >= DATE_SUB(DATE '${from_date}', ${retention_reach_days})
    GROUP BY size_unit, cohort_date, CUBE (country, channel)
),

retained AS (
    SELECT
        period_unit,
        cohort_date,
        country,
        channel,
        period,
        retained,
        retained_streak
    FROM retained_users
    UNION ALL
    SELECT
        '24_hours' AS period_unit,
        cohort_date,
        country,
        channel,
        period,
        retained,
        0L AS retained_streak
    FROM retained_users_24_hours
),

calendar AS (
    SELECT EXPLODE(SEQUENCE(DATE '${first_date}', DATE '${as_of}')) AS cohort_date
),

cohort_candidates AS (
    SELECT
        calendar.cohort_date,
        units.cohort_unit,
        units.period_unit,
        units.is_first_day,
        units.periods
    FROM calendar
        LATERAL VIEW STACK(
            6,
            'day', 'day', TRUE, SEQUENCE(0, ${retention_max_days}),
            'week', 'week', WEEKDAY(cohort_date) = 0, SEQUENCE(0, ${retention_max_weeks}),
            'week', 'calendar_week', WEEKDAY(cohort_date) = 0, SEQUENCE(0, ${retention_max_weeks}),
            'month', 'month', DAY(cohort_date) = 1, SEQUENCE(0, ${retention_max_months}),
            'day', 'bracket', TRUE, ARRAY(1, 4, 8, 15),
            'day', '24_hours', TRUE, SEQUENCE(0, ${retention_max_days})
        ) units AS cohort_unit, period_unit, is_first_day, periods
),

-- A week or month that began before first_date would lack users, so it is no cohort.
spine AS (
    SELECT
        cohort_candidates.cohort_unit,
        cohort_candidates.cohort_date,
        segments.country,
        segments.channel,
        cohort_candidates.period_unit,
        all_periods.period
    FROM cohort_candidates
    CROSS JOIN segments
        LATERAL VIEW EXPLODE(cohort_candidates.periods) all_periods AS period
    WHERE
        cohort_candidates.is_first_day
        AND cohort_candidates.cohort_date
        >= DATE_SUB(DATE '${from_date}', ${retention_reach_days})
),

cells AS (
    SELECT
        spine.cohort_unit,
        spine.cohort_date,
        spine.country,
        spine.channel,
        spine.period_unit,
        spine.period,
        COALESCE(sizes_by_segment.cohort_size, 0) AS cohort_size,
        COALESCE(retained.retained, 0) AS retained,
        COALESCE(retained.retained_streak, 0) AS retained_streak,
        -- The last date of the period for the last user counted.
        CASE spine.period_unit
            WHEN 'day' THEN DATE_ADD(spine.cohort_date, spine.period)
            WHEN 'week'
                THEN DATE_ADD(
                    COALESCE(sizes_by_segment.last_start_date, DATE_ADD(spine.cohort_date, 6)),
                    7 * spine.period + 6
                )
            WHEN 'calendar_week' THEN DATE_ADD(spine.cohort_date, 7 * spine.period + 6)
            WHEN 'month' THEN LAST_DAY(ADD_MONTHS(spine.cohort_date, spine.period))
            WHEN 'bracket'
                THEN DATE_ADD(
                    spine.cohort_date,
                    CASE spine.period WHEN 1 THEN 3 WHEN 4 THEN 7 WHEN 8 THEN 14 ELSE 30 END
                )
            WHEN '24_hours'
                THEN COALESCE(
                    CAST(
                        FROM_UTC_TIMESTAMP(
                            TIMESTAMPADD(
                                HOUR, 24 * (spine.period + 1), sizes_by_segment.last_start_at
                            ) - INTERVAL '1' MICROSECOND,
                            '${tz}'
                        ) AS DATE
                    ),
                    DATE_ADD(spine.cohort_date, spine.period + 1)
                )
        END AS period_end_date
    FROM spine
    LEFT JOIN sizes_by_segment
        ON
            IF(spine.period_unit = '24_hours', '24_hours', spine.cohort_unit)
            = sizes_by_segment.size_unit
            AND spine.cohort_date = sizes_by_segment.cohort_date
            AND spine.country = sizes_by_segment.country
            AND spine.channel = sizes_by_segment.channel
    LEFT JOIN retained
        ON
            spine.period_unit = retained.period_unit
            AND spine.cohort_date = retained.cohort_date
            AND spine.country = retained.country
            AND spine.channel = retained.channel
            AND spine.period = retained.period
)

SELECT
    cohort_unit,
    cohort_date,
    country,
    channel,
    period_unit,
    period,
    cohort_size,
    IF(period_end_date <= DATE '${as_of}', retained, NULL) AS retained,
    IF(period_end_date <= DATE '${as_of}', retained / NULLIF(cohort_size, 0), NULL)
        AS retention_rate,
    IF(period_unit = 'day' AND period_end_date <= DATE '${as_of}', retained_streak, NULL)
        AS retained_streak,
    period_end_date <= DATE '${as_of}' AS is_complete,
    period_end_date,
    TRUNC(period_end_date, 'MONTH') AS period_end_month
FROM cells
WHERE period_end_date >= DATE '${from_date}' AND period_end_date < DATE '${to_date}'
