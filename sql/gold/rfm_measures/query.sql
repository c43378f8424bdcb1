-- rfm_measures: one row per user who bought within the look-back that ends on as_of.
-- Reads: user_daily_metrics.  Params: as_of, rfm_lookback_days.
-- Shell: ./spark-submit.sh sql -d as_of=2024-01-31 -d rfm_lookback_days=365
--   -f sql/gold/rfm_measures/query.sql

WITH buying_days AS (
    SELECT
        user_id,
        metric_date,
        orders,
        revenue
    FROM user_daily_metrics
    WHERE
        metric_date > DATE_SUB(DATE '${as_of}', ${rfm_lookback_days})
        AND metric_date <= DATE '${as_of}'
        AND orders > 0
)

SELECT
    user_id,
    MAX(metric_date) AS last_order_date,
    CAST(DATEDIFF(DATE '${as_of}', MAX(metric_date)) AS INT) AS recency_days,
    SUM(orders) AS frequency,
    CAST(SUM(revenue) AS DECIMAL(18, 2)) AS monetary
FROM buying_days
GROUP BY user_id
