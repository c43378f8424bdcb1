-- Is the shop growing, and from where? One row per channel (and one for all), newest day against 28 days before.
-- Reads: active_users_daily.
-- Shell: ./spark-submit.sh sql -f sql/shell/is_the_shop_growing.sql

WITH newest AS (
    SELECT MAX(metric_date) AS metric_date
    FROM active_users_daily
),

compared AS (
    SELECT
        now_day.channel,
        now_day.dau,
        now_day.wau_7,
        now_day.mau_28,
        now_day.stickiness,
        then_day.mau_28 AS mau_28_before,
        then_day.is_mau_28_complete AS is_comparable
    FROM active_users_daily AS now_day
    INNER JOIN newest ON now_day.metric_date = newest.metric_date
    LEFT JOIN active_users_daily AS then_day
        ON
            now_day.country = then_day.country
            AND now_day.channel = then_day.channel
            AND then_day.metric_date = DATE_SUB(now_day.metric_date, 28)
    WHERE now_day.country = 'all'
)

SELECT
    channel,
    dau,
    wau_7,
    mau_28,
    ROUND(stickiness, 3) AS stickiness,
    CASE WHEN is_comparable THEN ROUND(mau_28 / NULLIF(mau_28_before, 0) - 1, 3) END
        AS mau_28_growth
FROM compared
ORDER BY mau_28 DESC
