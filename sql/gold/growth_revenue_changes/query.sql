-- growth_revenue_changes: one row per period unit, last date of a period, country and channel where a
-- sum of revenue differs from that of the period before; growth_periods sums them along the dates.
-- Reads: user_daily_metrics, dim_users.  Params: from_date, first_date, as_of.
-- Shell: ./spark-submit.sh sql -d from_date=2024-01-01 -d first_date=2024-01-01
--   -d as_of=2024-01-31 -f sql/gold/growth_revenue_changes/query.sql
-- Right once summed, for periods that end on from_date or later. A user's order day counts from its
-- own period to the next as revenue, and from there to the one after as revenue of the period
-- before; between these bounds nothing about the user changes.

WITH order_days AS (
    SELECT
        user_daily_metrics.user_id,
        dim_users.country,
        dim_users.channel,
        user_daily_metrics.metric_date,
        user_daily_metrics.revenue,
        CASE WHEN user_daily_metrics.metric_date = dim_users.first_order_date THEN 1 ELSE 0 END
            AS first_orders
    FROM user_daily_metrics
    INNER JOIN dim_users ON user_daily_metrics.user_id = dim_users.user_id
    WHERE
        user_daily_metrics.orders > 0
        AND user_daily_metrics.metric_date >= LEAST(
            DATE_SUB(GREATEST(DATE '${from_date}', DATE '${first_date}'), 55),
            ADD_MONTHS(
                TRUNC(GREATEST(DATE '${from_date}', DATE '${first_date}'), 'MONTH'), -1
            )
        )
        AND user_daily_metrics.metric_date >= DATE '${first_date}'
        AND user_daily_metrics.metric_date <= DATE '${as_of}'
),

-- Last dates of the period of an order day and of the two after it.
order_periods AS (
    SELECT
        order_days.user_id,
        order_days.country,
        order_days.channel,
        order_days.revenue,
        order_days.first_orders,
        units.period_unit,
        units.own_period,
        units.period_after,
        units.second_after
    FROM order_days
        LATERAL VIEW STACK(
            3,
            'day', metric_date, DATE_ADD(metric_date, 1), DATE_ADD(metric_date, 2),
            'week',
            DATE_ADD(TRUNC(metric_date, 'WEEK'), 6),
            DATE_ADD(TRUNC(metric_date, 'WEEK'), 13),
            DATE_ADD(TRUNC(metric_date, 'WEEK'), 20),
            'month',
            LAST_DAY(metric_date),
            LAST_DAY(ADD_MONTHS(metric_date, 1)),
            LAST_DAY(ADD_MONTHS(metric_date, 2))
        ) units AS period_unit, own_period, period_after, second_after
),

calendar_levels AS (
    SELECT
        order_periods.country,
        order_periods.channel,
        order_periods.period_unit,
        levels.period_end_date,
        levels.until_date,
        SUM(levels.order_days) AS order_days,
        SUM(levels.first_orders) AS first_orders,
        SUM(levels.revenue) AS revenue,
        SUM(levels.previous_order_days) AS previous_order_days,
        SUM(levels.previous_revenue) AS previous_revenue
    FROM order_periods
        LATERAL VIEW STACK(
            2,
            own_period, period_after, 1, first_orders, revenue, 0, CAST(0 AS DECIMAL(18, 2)),
            period_after, second_after, 0, 0, CAST(0 AS DECIMAL(18, 2)), 1, revenue
        ) levels
        AS period_end_date,
        until_date,
        order_days,
        first_orders,
        revenue,
        previous_order_days,
        previous_revenue
    GROUP BY
        order_periods.user_id,
        order_periods.country,
        order_periods.channel,
        order_periods.period_unit,
        levels.period_end_date,
        levels.until_date
),

-- Of 28 rolling dates the windows before and after one overlap it, so what an order brings and takes
-- away again is summed along the dates of its user.
rolling_bounds AS (
    SELECT
        order_days.user_id,
        order_days.country,
        order_days.channel,
        bounds.period_end_date,
        SUM(bounds.order_days) AS order_days,
        SUM(bounds.first_orders) AS first_orders,
        SUM(bounds.revenue) AS revenue,
        SUM(bounds.previous_order_days) AS previous_order_days,
        SUM(bounds.previous_revenue) AS previous_revenue
    FROM order_days
        LATERAL VIEW STACK(
            3,
            metric_date, 1, first_orders, revenue, 0, CAST(0 AS DECIMAL(18, 2)),
            DATE_ADD(metric_date, 28), -1, -first_orders, -revenue, 1, revenue,
            DATE_ADD(metric_date, 56), 0, 0, CAST(0 AS DECIMAL(18, 2)), -1, -revenue
        ) bounds
        AS period_end_date,
        order_days,
        first_orders,
        revenue,
        previous_order_days,
        previous_revenue
    GROUP BY
        order_days.user_id, order_days.country, order_days.channel, bounds.period_end_date
),

levels AS (
    SELECT
        country,
        channel,
        period_unit,
        period_end_date,
        until_date,
        order_days,
        first_orders,
        revenue,
        previous_order_days,
        previous_revenue
    FROM calendar_levels
    UNION ALL
    SELECT
        country,
        channel,
        'rolling_28' AS period_unit,
        period_end_date,
        LEAD(period_end_date) OVER user_dates AS until_date,
        SUM(order_days) OVER dates_so_far AS order_days,
        SUM(first_orders) OVER dates_so_far AS first_orders,
        SUM(revenue) OVER dates_so_far AS revenue,
        SUM(previous_order_days) OVER dates_so_far AS previous_order_days,
        SUM(previous_revenue) OVER dates_so_far AS previous_revenue
    FROM rolling_bounds
    WINDOW
        user_dates AS (PARTITION BY user_id ORDER BY period_end_date),
        dates_so_far AS (
            PARTITION BY user_id
            ORDER BY period_end_date
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        )
),

-- Of one user, one of the four differs from 0 at most. An order of 0.00 is an order: what a user is
-- follows from orders, never from revenue.
kinds AS (
    SELECT
        country,
        channel,
        period_unit,
        period_end_date,
        until_date,
        revenue,
        previous_revenue,
        CASE WHEN first_orders > 0 THEN revenue END AS new_revenue,
        CASE WHEN order_days > 0 AND previous_order_days = 0 AND first_orders = 0 THEN revenue END
            AS resurrected_revenue,
        CASE WHEN order_days > 0 AND previous_order_days > 0 THEN revenue - previous_revenue END
            AS retained_difference,
        CASE WHEN order_days = 0 THEN previous_revenue END AS churned_revenue
    FROM levels
    -- After the last bound of a user all is 0.
    WHERE until_date IS NOT NULL
)

SELECT
    kinds.period_unit,
    bounds.period_end_date,
    kinds.country,
    kinds.channel,
    CAST(SUM(bounds.sign * kinds.revenue) AS DECIMAL(18, 2)) AS revenue,
    CAST(SUM(bounds.sign * kinds.previous_revenue) AS DECIMAL(18, 2)) AS previous_revenue,
    CAST(COALESCE(SUM(bounds.sign * kinds.new_revenue), 0) AS DECIMAL(18, 2)) AS new_revenue,
    CAST(COALESCE(SUM(bounds.sign * kinds.resurrected_revenue), 0) AS DECIMAL(18, 2))
        AS resurrected_revenue,
    CAST(COALESCE(SUM(bounds.sign * GREATEST(kinds.retained_difference, 0)), 0) AS DECIMAL(18, 2))
        AS expansion_revenue,
    CAST(COALESCE(SUM(bounds.sign * -LEAST(kinds.retained_difference, 0)), 0) AS DECIMAL(18, 2))
        AS contraction_revenue,
    CAST(COALESCE(SUM(bounds.sign * kinds.churned_revenue), 0) AS DECIMAL(18, 2))
        AS churned_revenue
FROM kinds
    LATERAL VIEW STACK(2, period_end_date, 1, until_date, -1) bounds AS period_end_date, sign
GROUP BY kinds.period_unit, bounds.period_end_date, kinds.country, kinds.channel
