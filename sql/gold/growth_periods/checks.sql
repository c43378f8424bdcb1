-- check: key_unique | fail | a period and segment has more than one row
SELECT
    period_unit,
    period_start_date,
    country,
    channel
FROM growth_periods
GROUP BY period_unit, period_start_date, country, channel
HAVING COUNT(*) > 1;

-- check: every_period_and_segment | fail | a segment lacks a period of the log
WITH periods AS (
    SELECT
        country,
        channel,
        COUNT_IF(period_unit = 'day') AS days,
        COUNT_IF(period_unit = 'week') AS weeks,
        COUNT_IF(period_unit = 'month') AS months,
        COUNT_IF(period_unit = 'rolling_28') AS windows
    FROM growth_periods
    GROUP BY country, channel
)

SELECT
    country,
    channel
FROM periods
WHERE
    days <> DATEDIFF(DATE '${as_of}', DATE '${first_date}') + 1
    OR windows <> days
    OR 7 * weeks
    <> DATEDIFF(TRUNC(DATE '${as_of}', 'WEEK'), TRUNC(DATE '${first_date}', 'WEEK')) + 7
    OR months
    <> 12 * (YEAR(DATE '${as_of}') - YEAR(DATE '${first_date}'))
    + MONTH(DATE '${as_of}') - MONTH(DATE '${first_date}') + 1;

-- check: compared_where_possible | fail | a figure compares with a period that was not observed, or one that was is missing
SELECT
    period_unit,
    period_start_date,
    country,
    channel
FROM growth_periods
WHERE
    (previous_active_users IS NOT NULL) <> has_predecessor
    OR (new_users IS NOT NULL) <> has_predecessor
    OR (churned_users IS NOT NULL) <> has_predecessor
    OR (new_revenue IS NOT NULL) <> has_predecessor
    OR (quick_ratio IS NOT NULL) <> (has_predecessor AND churned_users > 0)
    OR (ltv_proxy IS NOT NULL) <> (has_predecessor AND churned_users > 0 AND active_users > 0);

-- check: users_are_of_one_kind | fail | a count is negative, or the kinds of users do not sum to those active or to the difference
SELECT
    period_unit,
    period_start_date,
    country,
    channel
FROM growth_periods
WHERE
    active_users <> new_users + retained_users + resurrected_users
    OR previous_active_users <> retained_users + churned_users
    OR delta_users <> new_users + resurrected_users - churned_users
    OR ever_active_users <> active_users + dormant_users
    OR LEAST(new_users, retained_users, resurrected_users, churned_users, dormant_users) < 0;

-- check: revenue_bridges | fail | a part of revenue is negative, or the parts do not lead from one period to the next
SELECT
    period_unit,
    period_start_date,
    country,
    channel
FROM growth_periods
WHERE
    revenue
    <> previous_revenue + new_revenue + resurrected_revenue + expansion_revenue
    - contraction_revenue - churned_revenue
    OR LEAST(
        new_revenue,
        resurrected_revenue,
        expansion_revenue,
        contraction_revenue,
        churned_revenue
    ) < 0;

-- check: follows_the_period_before | fail | a period begins with other users or another revenue than the one before ended with
SELECT
    growth_periods.period_unit,
    growth_periods.period_start_date
FROM growth_periods
LEFT JOIN growth_periods AS periods_before
    ON
        growth_periods.period_unit = periods_before.period_unit
        AND growth_periods.period_start_date = DATE_ADD(periods_before.period_end_date, 1)
        AND growth_periods.country = periods_before.country
        AND growth_periods.channel = periods_before.channel
WHERE
    growth_periods.has_predecessor
    AND (
        NOT growth_periods.previous_active_users <=> periods_before.active_users
        OR NOT growth_periods.previous_revenue <=> periods_before.revenue
        OR NOT growth_periods.ever_active_users - growth_periods.new_users
        <=> periods_before.ever_active_users
    );

-- check: segments_sum_to_total | fail | the segments of a period do not sum to its total
SELECT
    period_unit,
    period_start_date
FROM growth_periods
GROUP BY period_unit, period_start_date
HAVING
    SUM(retained_users) FILTER (WHERE country = 'all' AND channel = 'all')
    <> SUM(retained_users) FILTER (WHERE country <> 'all' AND channel <> 'all')
    OR SUM(ever_active_users) FILTER (WHERE country = 'all' AND channel = 'all')
    <> SUM(ever_active_users) FILTER (WHERE country <> 'all' AND channel = 'all')
    OR SUM(contraction_revenue) FILTER (WHERE country = 'all' AND channel = 'all')
    <> SUM(contraction_revenue) FILTER (WHERE country = 'all' AND channel <> 'all');

-- check: windows_hold_mau_28 | fail | the active users of 28 dates are not mau_28 of active_users_daily
SELECT growth_periods.period_end_date
FROM growth_periods
LEFT JOIN active_users_daily
    ON
        growth_periods.period_end_date = active_users_daily.metric_date
        AND growth_periods.country = active_users_daily.country
        AND growth_periods.channel = active_users_daily.channel
WHERE
    growth_periods.period_unit = 'rolling_28'
    AND NOT growth_periods.active_users <=> active_users_daily.mau_28;

-- check: retained_users_counted_one_by_one | fail | the retained users of a week differ from the users with an active day in both weeks
WITH user_weeks AS (
    SELECT DISTINCT
        user_id,
        TRUNC(metric_date, 'WEEK') AS monday
    FROM user_daily_metrics
),

retained AS (
    SELECT
        weeks_now.monday,
        COUNT(*) AS users
    FROM user_weeks AS weeks_now
    INNER JOIN user_weeks AS weeks_before
        ON
            weeks_now.user_id = weeks_before.user_id
            AND weeks_now.monday = DATE_ADD(weeks_before.monday, 7)
    GROUP BY weeks_now.monday
)

SELECT growth_periods.period_start_date
FROM growth_periods
LEFT JOIN retained ON growth_periods.period_start_date = retained.monday
WHERE
    growth_periods.period_unit = 'week'
    AND growth_periods.country = 'all'
    AND growth_periods.channel = 'all'
    AND growth_periods.retained_users <> COALESCE(retained.users, 0);
