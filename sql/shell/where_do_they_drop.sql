-- Where do they drop? One row per channel (and one for all): the funnel of all entries whose 7 days are over.
-- Reads: funnel_daily.
-- Shell: ./spark-submit.sh sql -f sql/shell/where_do_they_drop.sql

WITH mature_entries AS (
    SELECT
        channel,
        SUM(mature_viewers) AS viewers,
        SUM(mature_carters) AS carters,
        SUM(mature_buyers) AS buyers
    FROM funnel_daily
    WHERE country = 'all'
    GROUP BY channel
)

SELECT
    channel,
    viewers,
    carters,
    buyers,
    ROUND(carters / NULLIF(viewers, 0), 4) AS view_to_cart_rate,
    ROUND(buyers / NULLIF(carters, 0), 4) AS cart_to_purchase_rate,
    ROUND(buyers / NULLIF(viewers, 0), 4) AS overall_rate
FROM mature_entries
ORDER BY viewers DESC
