-- rfm_segments: one row per segment, country and channel, 'all' marking a total.
-- Reads: rfm_users, dim_users, segments.  Params: as_of.
-- Shell: ./spark-submit.sh sql -d as_of=2024-01-31 -f sql/gold/rfm_segments/query.sql

WITH named_users AS (
    SELECT
        dim_users.country,
        dim_users.channel,
        COALESCE(rfm_users.segment, 'no_recent_order') AS segment,
        COALESCE(rfm_users.frequency, 0) AS orders,
        COALESCE(rfm_users.monetary, CAST(0 AS DECIMAL(18, 2))) AS revenue,
        rfm_users.recency_days
    FROM dim_users
    LEFT JOIN rfm_users ON dim_users.user_id = rfm_users.user_id
    WHERE dim_users.signup_date <= DATE '${as_of}'
),

totals_by_segment AS (
    SELECT
        segment,
        CASE WHEN GROUPING(country) = 1 THEN 'all' ELSE country END AS country,
        CASE WHEN GROUPING(channel) = 1 THEN 'all' ELSE channel END AS channel,
        COUNT(*) AS users,
        SUM(orders) AS orders,
        CAST(SUM(revenue) AS DECIMAL(18, 2)) AS revenue,
        SUM(recency_days) AS recency_days
    FROM named_users
    GROUP BY segment, CUBE (country, channel)
),

segment_names AS (
    SELECT
        EXPLODE(
            ARRAY(
                'champions',
                'loyal',
                'big_spenders',
                'promising',
                'fading',
                'at_risk',
                'hibernating',
                'no_recent_order'
            )
        ) AS segment
),

-- Every name everywhere, so that a segment nobody is in is a row of zeros.
spine AS (
    SELECT
        segment_names.segment,
        segments.country,
        segments.channel
    FROM segment_names
    CROSS JOIN segments
)

SELECT
    DATE '${as_of}' AS as_of,
    spine.segment,
    spine.country,
    spine.channel,
    COALESCE(totals_by_segment.users, 0) AS users,
    COALESCE(totals_by_segment.orders, 0) AS orders,
    COALESCE(totals_by_segment.revenue, CAST(0 AS DECIMAL(18, 2))) AS revenue,
    CAST(totals_by_segment.recency_days AS DOUBLE) / totals_by_segment.users AS recency_days_mean
FROM spine
LEFT JOIN totals_by_segment
    ON
        spine.segment = totals_by_segment.segment
        AND spine.country = totals_by_segment.country
        AND spine.channel = totals_by_segment.channel
