-- Where do they drop? One row per channel (and one for all): the funnel of all entries whose 7 days are over.
-- Reads: funnel_daily.
-- Shell: ./spark-submit.sh sql -f sql/shell/where_do_they_drop.sql

WITH mature_entries AS (
    SELECT
        channel,
        sum(mature_viewers) AS viewers,
        sum(mature_carters) AS carters,
        sum(mature_buyers) AS buyers
    FROM funnel_daily
    WHERE country = 'all'
    GROUP BY channel
)

SELECT
    channel,
    viewers,
    carters,
    buyers,
    round(carters / nullif(viewers, 0), 4) AS view_to_cart_rate,
    round(buyers / nullif(carters, 0), 4) AS cart_to_purchase_rate,
    round(buyers / nullif(viewers, 0), 4) AS overall_rate
FROM mature_entries
ORDER BY viewers DESC
