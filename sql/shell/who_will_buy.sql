-- Who will buy in the next 7 days? One row per decile of the newest scores.
-- Reads: propensity_scores_daily.
-- Shell: ./spark-submit.sh sql -f sql/shell/who_will_buy.sql

WITH newest AS (
    SELECT MAX(as_of) AS as_of
    FROM propensity_scores_daily
    WHERE target = 'purchase_7d'
)

SELECT
    propensity_scores_daily.as_of,
    propensity_scores_daily.decile,
    COUNT(*) AS users,
    ROUND(AVG(propensity_scores_daily.probability), 4) AS mean_probability,
    ROUND(SUM(propensity_scores_daily.probability), 1) AS expected_buyers,
    COUNT_IF(propensity_scores_daily.is_selected) AS selected_users
FROM propensity_scores_daily
INNER JOIN newest ON propensity_scores_daily.as_of = newest.as_of
WHERE propensity_scores_daily.target = 'purchase_7d'
GROUP BY propensity_scores_daily.as_of, propensity_scores_daily.decile
ORDER BY propensity_scores_daily.decile
