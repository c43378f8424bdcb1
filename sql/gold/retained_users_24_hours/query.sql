-- retained_users_24_hours: one row per cohort, country, channel and period of 24 hours that somebody
-- was active in, 'all' marking a total; retention_cohorts sets them beside the other periods.
-- Reads: fact_events, fact_orders, dim_users.  Params: from_date, first_date, as_of,
--   active_event_types, retention_max_days.
-- Shell: ./spark-submit.sh sql -d from_date=2024-01-01 -d first_date=2024-01-01
--   -d as_of=2024-01-31 -d active_event_types="'view', 'add_to_cart', 'purchase'"
--   -d retention_max_days=90 -f sql/gold/retained_users_24_hours/query.sql
-- Right for periods that end on from_date or later.

WITH users AS (
    SELECT
        user_id,
        first_active_at,
        first_active_date,
        country,
        channel
    FROM dim_users
    WHERE
        first_active_date >= DATE '${first_date}'
        AND first_active_date <= DATE '${as_of}'
        -- Where clocks go forward, period n may end n + 2 dates after the one it is counted from.
        AND first_active_date >= DATE_SUB(DATE '${from_date}', ${retention_max_days} + 2)
),

-- Where clocks change, the period of a user may begin two dates before that of the cohort's last
-- user ends.
active_moments AS (
    SELECT
        user_id,
        ts
    FROM fact_events
    WHERE
        event_type IN (${active_event_types})
        AND event_date >= DATE_SUB(DATE '${from_date}', 2)
        AND event_date <= DATE '${as_of}'
    UNION ALL
    SELECT
        user_id,
        ts
    FROM fact_orders
    WHERE
        order_date >= DATE_SUB(DATE '${from_date}', 2)
        AND order_date <= DATE '${as_of}'
),

numbered_moments AS (
    SELECT
        users.user_id,
        users.first_active_date,
        users.country,
        users.channel,
        CAST(
            TIMESTAMPDIFF(SECOND, users.first_active_at, active_moments.ts) DIV 86400 AS INT
        ) AS period
    FROM active_moments
    INNER JOIN users ON active_moments.user_id = users.user_id
),

user_periods AS (
    SELECT
        user_id,
        first_active_date,
        country,
        channel,
        period
    FROM numbered_moments
    WHERE period <= ${retention_max_days}
    GROUP BY user_id, first_active_date, country, channel, period
),

period_totals AS (
    SELECT
        first_active_date,
        country,
        channel,
        period,
        COUNT(*) AS retained
    FROM user_periods
    GROUP BY first_active_date, country, channel, period
)

SELECT
    first_active_date AS cohort_date,
    period,
    CASE WHEN GROUPING(country) = 1 THEN 'all' ELSE country END AS country,
    CASE WHEN GROUPING(channel) = 1 THEN 'all' ELSE channel END AS channel,
    SUM(retained) AS retained
FROM period_totals
GROUP BY first_active_date, period, CUBE (country, channel)
