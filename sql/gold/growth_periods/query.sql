-- growth_periods: one row per period unit, period, country and channel, 'all' marking a total.
-- Reads: growth_user_changes, growth_revenue_changes, segments.  Params: from_date, to_date,
--   first_date, as_of.
-- Shell: ./spark-submit.sh sql -d from_date=2024-01-01 -d to_date=2024-03-01
--   -d first_date=2024-01-01 -d as_of=2024-02-10 -f sql/gold/growth_periods/query.sql
-- A period is a date, an ISO week (named by its Monday), a month, or the 28 dates to a date. It is
-- compared with the period before it, of rolling_28 the 28 dates before those.

WITH calendar AS (
    SELECT EXPLODE(SEQUENCE(DATE '${first_date}', DATE '${as_of}')) AS log_date
),

-- Also the period that began before the log, and the one that is not over.
periods AS (
    SELECT DISTINCT
        units.period_unit,
        units.period_start_date,
        units.period_end_date,
        units.previous_start_date
    FROM calendar
        LATERAL VIEW STACK(
            4,
            'day', log_date, log_date, DATE_SUB(log_date, 1),
            'week',
            TRUNC(log_date, 'WEEK'),
            DATE_ADD(TRUNC(log_date, 'WEEK'), 6),
            DATE_SUB(TRUNC(log_date, 'WEEK'), 7),
            'month',
            TRUNC(log_date, 'MONTH'),
            LAST_DAY(log_date),
            ADD_MONTHS(TRUNC(log_date, 'MONTH'), -1),
            'rolling_28', DATE_SUB(log_date, 27), log_date, DATE_SUB(log_date, 55)
        ) units AS period_unit, period_start_date, period_end_date, previous_start_date
),

output_periods AS (
    SELECT
        period_unit,
        period_start_date,
        period_end_date,
        period_start_date >= DATE '${first_date}' AND period_end_date <= DATE '${as_of}'
            AS is_complete,
        previous_start_date >= DATE '${first_date}' AS has_predecessor
    FROM periods
    WHERE period_end_date >= DATE '${from_date}' AND period_end_date < DATE '${to_date}'
),

first_periods AS (
    SELECT
        period_unit,
        MIN(period_end_date) AS period_end_date
    FROM output_periods
    GROUP BY period_unit
),

changes AS (
    SELECT
        period_unit,
        period_end_date,
        country,
        channel,
        active_users,
        previous_active_users,
        churned_users,
        new_users,
        ever_active_users,
        CAST(0 AS DECIMAL(18, 2)) AS revenue,
        CAST(0 AS DECIMAL(18, 2)) AS previous_revenue,
        CAST(0 AS DECIMAL(18, 2)) AS new_revenue,
        CAST(0 AS DECIMAL(18, 2)) AS resurrected_revenue,
        CAST(0 AS DECIMAL(18, 2)) AS expansion_revenue,
        CAST(0 AS DECIMAL(18, 2)) AS contraction_revenue,
        CAST(0 AS DECIMAL(18, 2)) AS churned_revenue
    FROM growth_user_changes
    UNION ALL
    SELECT
        period_unit,
        period_end_date,
        country,
        channel,
        0L AS active_users,
        0L AS previous_active_users,
        0L AS churned_users,
        0L AS new_users,
        0L AS ever_active_users,
        revenue,
        previous_revenue,
        new_revenue,
        resurrected_revenue,
        expansion_revenue,
        contraction_revenue,
        churned_revenue
    FROM growth_revenue_changes
),

-- What changed before the first period to come out is what that one begins with.
changes_by_segment AS (
    SELECT
        changes.period_unit,
        GREATEST(changes.period_end_date, first_periods.period_end_date) AS period_end_date,
        CASE WHEN GROUPING(changes.country) = 1 THEN 'all' ELSE changes.country END AS country,
        CASE WHEN GROUPING(changes.channel) = 1 THEN 'all' ELSE changes.channel END AS channel,
        SUM(changes.active_users) AS active_users,
        SUM(changes.previous_active_users) AS previous_active_users,
        SUM(changes.churned_users) AS churned_users,
        SUM(changes.new_users) AS new_users,
        SUM(changes.ever_active_users) AS ever_active_users,
        SUM(changes.revenue) AS revenue,
        SUM(changes.previous_revenue) AS previous_revenue,
        SUM(changes.new_revenue) AS new_revenue,
        SUM(changes.resurrected_revenue) AS resurrected_revenue,
        SUM(changes.expansion_revenue) AS expansion_revenue,
        SUM(changes.contraction_revenue) AS contraction_revenue,
        SUM(changes.churned_revenue) AS churned_revenue
    FROM changes
    INNER JOIN first_periods ON changes.period_unit = first_periods.period_unit
    GROUP BY
        changes.period_unit,
        GREATEST(changes.period_end_date, first_periods.period_end_date),
        CUBE (changes.country, changes.channel)
),

-- Every period and segment, so that users churn also in a period without activity.
levels AS (
    SELECT
        output_periods.period_unit,
        output_periods.period_start_date,
        output_periods.period_end_date,
        segments.country,
        segments.channel,
        output_periods.is_complete,
        output_periods.has_predecessor,
        SUM(changes_by_segment.active_users) OVER so_far AS active_users,
        SUM(changes_by_segment.previous_active_users) OVER so_far AS previous_active_users,
        SUM(changes_by_segment.churned_users) OVER so_far AS churned_users,
        SUM(changes_by_segment.new_users) OVER so_far AS new_users,
        SUM(changes_by_segment.ever_active_users) OVER so_far AS ever_active_users,
        SUM(changes_by_segment.revenue) OVER so_far AS revenue,
        SUM(changes_by_segment.previous_revenue) OVER so_far AS previous_revenue,
        SUM(changes_by_segment.new_revenue) OVER so_far AS new_revenue,
        SUM(changes_by_segment.resurrected_revenue) OVER so_far AS resurrected_revenue,
        SUM(changes_by_segment.expansion_revenue) OVER so_far AS expansion_revenue,
        SUM(changes_by_segment.contraction_revenue) OVER so_far AS contraction_revenue,
        SUM(changes_by_segment.churned_revenue) OVER so_far AS churned_revenue
    FROM output_periods
    CROSS JOIN segments
    LEFT JOIN changes_by_segment
        ON
            output_periods.period_unit = changes_by_segment.period_unit
            AND output_periods.period_end_date = changes_by_segment.period_end_date
            AND segments.country = changes_by_segment.country
            AND segments.channel = changes_by_segment.channel
    WINDOW so_far AS (
        PARTITION BY output_periods.period_unit, segments.country, segments.channel
        ORDER BY output_periods.period_end_date
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    )
),

-- NULL without a predecessor, and so is all that is computed from these.
compared AS (
    SELECT
        period_unit,
        period_start_date,
        period_end_date,
        country,
        channel,
        is_complete,
        has_predecessor,
        COALESCE(active_users, 0) AS active_users,
        COALESCE(ever_active_users, 0) AS ever_active_users,
        COALESCE(revenue, 0) AS revenue,
        CASE WHEN has_predecessor THEN COALESCE(previous_active_users, 0) END
            AS previous_active_users,
        CASE WHEN has_predecessor THEN COALESCE(churned_users, 0) END AS churned_users,
        CASE WHEN has_predecessor THEN COALESCE(new_users, 0) END AS new_users,
        CASE WHEN has_predecessor THEN COALESCE(previous_revenue, 0) END AS previous_revenue,
        CASE WHEN has_predecessor THEN COALESCE(new_revenue, 0) END AS new_revenue,
        CASE WHEN has_predecessor THEN COALESCE(resurrected_revenue, 0) END AS resurrected_revenue,
        CASE WHEN has_predecessor THEN COALESCE(expansion_revenue, 0) END AS expansion_revenue,
        CASE WHEN has_predecessor THEN COALESCE(contraction_revenue, 0) END AS contraction_revenue,
        CASE WHEN has_predecessor THEN COALESCE(churned_revenue, 0) END AS churned_revenue
    FROM levels
)

SELECT
    period_unit,
    period_start_date,
    period_end_date,
    country,
    channel,
    active_users,
    previous_active_users,
    new_users,
    previous_active_users - churned_users AS retained_users,
    active_users - new_users - (previous_active_users - churned_users) AS resurrected_users,
    churned_users,
    active_users - previous_active_users AS delta_users,
    ever_active_users,
    ever_active_users - active_users AS dormant_users,
    -- New and resurrected users are those who were not there before.
    (active_users - (previous_active_users - churned_users)) / NULLIF(churned_users, 0)
        AS quick_ratio,
    churned_users / NULLIF(previous_active_users, 0) AS churn_rate,
    CAST(revenue AS DECIMAL(18, 2)) AS revenue,
    CAST(previous_revenue AS DECIMAL(18, 2)) AS previous_revenue,
    CAST(new_revenue AS DECIMAL(18, 2)) AS new_revenue,
    CAST(resurrected_revenue AS DECIMAL(18, 2)) AS resurrected_revenue,
    CAST(expansion_revenue AS DECIMAL(18, 2)) AS expansion_revenue,
    CAST(contraction_revenue AS DECIMAL(18, 2)) AS contraction_revenue,
    CAST(churned_revenue AS DECIMAL(18, 2)) AS churned_revenue,
    CAST(new_revenue + resurrected_revenue + expansion_revenue AS DOUBLE)
    / NULLIF(CAST(contraction_revenue + churned_revenue AS DOUBLE), 0) AS revenue_quick_ratio,
    CAST(revenue AS DOUBLE) / NULLIF(active_users, 0) AS arpu,
    -- arpu / churn_rate.
    CAST(revenue AS DOUBLE) / NULLIF(active_users, 0)
    * previous_active_users / NULLIF(churned_users, 0) AS ltv_proxy,
    is_complete,
    has_predecessor
FROM compared
