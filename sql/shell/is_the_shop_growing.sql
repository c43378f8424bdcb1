-- Is the shop growing, and from where? One row per channel (and one for all): the newest day, and its 28 dates
-- against the 28 before: who is new, who came back, who left. Above a quick ratio of 1 more come than leave.
-- Reads: active_users_daily, growth_periods.
-- Shell: ./spark-submit.sh sql -f sql/shell/is_the_shop_growing.sql

WITH newest AS (
    SELECT MAX(metric_date) AS metric_date
    FROM active_users_daily
),

active_users AS (
    SELECT
        active_users_daily.metric_date,
        active_users_daily.channel,
        active_users_daily.dau,
        active_users_daily.wau_7,
        active_users_daily.mau_28,
        active_users_daily.stickiness
    FROM active_users_daily
    INNER JOIN newest ON active_users_daily.metric_date = newest.metric_date
    WHERE active_users_daily.country = 'all'
),

growth AS (
    SELECT
        period_end_date,
        channel,
        delta_users / NULLIF(previous_active_users, 0) AS mau_28_growth,
        new_users,
        resurrected_users,
        churned_users,
        quick_ratio
    FROM growth_periods
    WHERE period_unit = 'rolling_28' AND country = 'all'
)

SELECT
    active_users.channel,
    active_users.dau,
    active_users.wau_7,
    active_users.mau_28,
    ROUND(active_users.stickiness, 3) AS stickiness,
    ROUND(growth.mau_28_growth, 3) AS mau_28_growth,
    growth.new_users,
    growth.resurrected_users,
    growth.churned_users,
    ROUND(growth.quick_ratio, 2) AS quick_ratio
FROM active_users
LEFT JOIN growth
    ON
        active_users.metric_date = growth.period_end_date
        AND active_users.channel = growth.channel
ORDER BY active_users.mau_28 DESC
