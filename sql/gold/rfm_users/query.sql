-- rfm_users: one row per user who bought within the look-back, with scores and a segment.
-- Reads: rfm_measures, rfm_cut_points, dim_users.  Params: as_of.
-- Shell: ./spark-submit.sh sql -d as_of=2024-01-31 -f sql/gold/rfm_users/query.sql

WITH scores AS (
    SELECT
        measure,
        score,
        above,
        up_to
    FROM rfm_cut_points
),

-- A value lies in exactly one bin, since an empty bin has no room between its bounds.
scored_users AS (
    SELECT
        rfm_measures.user_id,
        rfm_measures.last_order_date,
        rfm_measures.recency_days,
        rfm_measures.frequency,
        rfm_measures.monetary,
        recency_scores.score AS r_score,
        frequency_scores.score AS f_score,
        monetary_scores.score AS m_score
    FROM rfm_measures
    INNER JOIN scores AS recency_scores
        ON
            recency_scores.measure = 'recency_days'
            AND COALESCE(rfm_measures.recency_days > recency_scores.above, TRUE)
            AND COALESCE(rfm_measures.recency_days <= recency_scores.up_to, TRUE)
    INNER JOIN scores AS frequency_scores
        ON
            frequency_scores.measure = 'frequency'
            AND COALESCE(rfm_measures.frequency > frequency_scores.above, TRUE)
            AND COALESCE(rfm_measures.frequency <= frequency_scores.up_to, TRUE)
    INNER JOIN scores AS monetary_scores
        ON
            monetary_scores.measure = 'monetary'
            AND COALESCE(rfm_measures.monetary > monetary_scores.above, TRUE)
            AND COALESCE(rfm_measures.monetary <= monetary_scores.up_to, TRUE)
)

SELECT
    DATE '${as_of}' AS as_of,
    scored_users.user_id,
    dim_users.country,
    dim_users.channel,
    scored_users.last_order_date,
    scored_users.recency_days,
    scored_users.frequency,
    scored_users.monetary,
    scored_users.r_score,
    scored_users.f_score,
    scored_users.m_score,
    -- The first line that holds counts.
    CASE
        WHEN LEAST(scored_users.r_score, scored_users.f_score, scored_users.m_score) >= 4
            THEN 'champions'
        WHEN scored_users.r_score >= 3 AND scored_users.f_score >= 3 THEN 'loyal'
        WHEN scored_users.r_score >= 3 AND scored_users.m_score >= 4 THEN 'big_spenders'
        WHEN scored_users.r_score >= 4 THEN 'promising'
        WHEN scored_users.r_score = 3 THEN 'fading'
        WHEN scored_users.f_score >= 3 OR scored_users.m_score >= 4 THEN 'at_risk'
        ELSE 'hibernating'
    END AS segment
FROM scored_users
INNER JOIN dim_users ON scored_users.user_id = dim_users.user_id
