-- What do they spend? One row per day of the last two weeks, with the rolling 7-day revenue.
-- Reads: revenue_daily.
-- Shell: ./spark-submit.sh sql -f sql/shell/what_do_they_spend.sql

WITH newest AS (
    SELECT MAX(metric_date) AS metric_date
    FROM revenue_daily
)

SELECT
    revenue_daily.metric_date,
    revenue_daily.orders,
    revenue_daily.revenue,
    ROUND(revenue_daily.aov, 2) AS aov,
    ROUND(revenue_daily.arpu, 2) AS arpu,
    revenue_daily.revenue_7d,
    revenue_daily.is_revenue_7d_complete
FROM revenue_daily
CROSS JOIN newest
WHERE
    revenue_daily.country = 'all'
    AND revenue_daily.channel = 'all'
    AND revenue_daily.metric_date > DATE_SUB(newest.metric_date, 14)
ORDER BY revenue_daily.metric_date
