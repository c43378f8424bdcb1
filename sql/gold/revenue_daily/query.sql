-- revenue_daily: one row per date, country and channel, 'all' marking a total.
-- Reads: user_daily_metrics, dim_users, segments.  Params: from_date, to_date, first_date, as_of.
-- Shell: ./spark-submit.sh sql -d from_date=2024-01-01 -d to_date=2024-02-01
--   -d first_date=2024-01-01 -d as_of=2024-01-31 -f sql/gold/revenue_daily/query.sql

WITH user_days AS (
    SELECT
        user_daily_metrics.metric_date,
        dim_users.country,
        dim_users.channel,
        user_daily_metrics.orders,
        user_daily_metrics.revenue
    FROM user_daily_metrics
    INNER JOIN dim_users ON user_daily_metrics.user_id = dim_users.user_id
    WHERE
        user_daily_metrics.metric_date >= DATE_SUB(DATE '${from_date}', 6)
        AND user_daily_metrics.metric_date >= DATE '${first_date}'
        AND user_daily_metrics.metric_date < DATE '${to_date}'
        AND user_daily_metrics.metric_date <= DATE '${as_of}'
),

day_totals AS (
    SELECT
        metric_date,
        country,
        channel,
        SUM(orders) AS orders,
        COUNT_IF(orders > 0) AS buyers,
        COUNT(*) AS active_users,
        SUM(revenue) AS revenue
    FROM user_days
    GROUP BY metric_date, country, channel
),

totals_by_segment AS (
    SELECT
        metric_date,
        CASE WHEN GROUPING(country) = 1 THEN 'all' ELSE country END AS country,
        CASE WHEN GROUPING(channel) = 1 THEN 'all' ELSE channel END AS channel,
        SUM(orders) AS orders,
        SUM(buyers) AS buyers,
        SUM(active_users) AS active_users,
        CAST(SUM(revenue) AS DECIMAL(18, 2)) AS revenue
    FROM day_totals
    GROUP BY metric_date, CUBE (country, channel)
),

calendar AS (
    SELECT EXPLODE(SEQUENCE(DATE '${first_date}', DATE '${as_of}')) AS metric_date
),

-- Every date and segment, so that a day without orders is a row of zeros and frames count dates.
spine AS (
    SELECT
        calendar.metric_date,
        segments.country,
        segments.channel
    FROM calendar
    CROSS JOIN segments
    WHERE
        calendar.metric_date >= DATE_SUB(DATE '${from_date}', 6)
        AND calendar.metric_date < DATE '${to_date}'
),

revenue_on_spine AS (
    SELECT
        spine.metric_date,
        spine.country,
        spine.channel,
        COALESCE(totals_by_segment.orders, 0) AS orders,
        COALESCE(totals_by_segment.buyers, 0) AS buyers,
        COALESCE(totals_by_segment.active_users, 0) AS active_users,
        COALESCE(totals_by_segment.revenue, CAST(0 AS DECIMAL(18, 2))) AS revenue
    FROM spine
    LEFT JOIN totals_by_segment
        ON
            spine.metric_date = totals_by_segment.metric_date
            AND spine.country = totals_by_segment.country
            AND spine.channel = totals_by_segment.channel
),

rolling_revenue AS (
    SELECT
        metric_date,
        country,
        channel,
        orders,
        buyers,
        active_users,
        revenue,
        CAST(SUM(revenue) OVER last_7_dates AS DECIMAL(18, 2)) AS revenue_7d,
        CAST(COUNT(*) OVER last_7_dates AS INT) AS days_observed_7d
    FROM revenue_on_spine
    WINDOW last_7_dates AS (
        PARTITION BY country, channel
        ORDER BY metric_date
        ROWS BETWEEN 6 PRECEDING AND CURRENT ROW
    )
)

SELECT
    metric_date,
    country,
    channel,
    orders,
    buyers,
    active_users,
    revenue,
    -- Ratios of sums at each level, never means of ratios.
    CAST(revenue AS DOUBLE) / NULLIF(orders, 0) AS aov,
    CAST(revenue AS DOUBLE) / NULLIF(active_users, 0) AS arpu,
    CAST(revenue AS DOUBLE) / NULLIF(buyers, 0) AS arppu,
    revenue_7d,
    CASE WHEN days_observed_7d = 7 THEN CAST(revenue_7d AS DOUBLE) / 7 END AS revenue_7d_mean,
    days_observed_7d,
    days_observed_7d = 7 AS is_revenue_7d_complete
FROM rolling_revenue
WHERE metric_date >= DATE '${from_date}'
