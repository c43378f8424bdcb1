-- segments: one row per country and channel, 'all' marking totals, that has users.
-- Reads: dim_users.
-- Shell: ./spark-submit.sh sql -f sql/silver/segments/query.sql

SELECT
    CASE WHEN GROUPING(country) = 1 THEN 'all' ELSE country END AS country,
    CASE WHEN GROUPING(channel) = 1 THEN 'all' ELSE channel END AS channel
FROM dim_users
GROUP BY CUBE (country, channel)
-- Engines disagree on whether nobody has a total.
HAVING COUNT(*) > 0
