-- kpi_daily: one row per date, country and channel, 'all' marking a total.
-- Reads: active_users_daily, revenue_daily, funnel_daily, dim_users.
--   Params: from_date, to_date, first_date, as_of.
-- Shell: ./spark-submit.sh sql -d from_date=2024-01-01 -d to_date=2024-02-01
--   -d first_date=2024-01-01 -d as_of=2024-01-31 -f sql/gold/kpi_daily/query.sql

WITH actives AS (
    SELECT
        metric_date,
        country,
        channel,
        dau,
        wau_7,
        mau_28,
        stickiness,
        is_wau_7_complete,
        is_mau_28_complete
    FROM active_users_daily
    WHERE metric_date >= DATE '${from_date}' AND metric_date < DATE '${to_date}'
),

money AS (
    SELECT
        metric_date,
        country,
        channel,
        orders,
        buyers,
        revenue,
        aov,
        arpu,
        revenue_7d,
        is_revenue_7d_complete
    FROM revenue_daily
    WHERE metric_date >= DATE '${from_date}' AND metric_date < DATE '${to_date}'
),

funnel AS (
    SELECT
        entry_date,
        country,
        channel,
        mature_viewers,
        mature_carters,
        mature_buyers,
        overall_rate,
        is_mature
    FROM funnel_daily
    WHERE entry_date >= DATE '${from_date}' AND entry_date < DATE '${to_date}'
),

signups AS (
    SELECT
        signup_date,
        CASE WHEN GROUPING(country) = 1 THEN 'all' ELSE country END AS country,
        CASE WHEN GROUPING(channel) = 1 THEN 'all' ELSE channel END AS channel,
        COUNT(*) AS new_users
    FROM dim_users
    WHERE
        signup_date >= DATE '${from_date}'
        AND signup_date >= DATE '${first_date}'
        AND signup_date < DATE '${to_date}'
        AND signup_date <= DATE '${as_of}'
    GROUP BY signup_date, CUBE (country, channel)
)

-- The three tables hold every date and segment; only signups have holes.
SELECT
    actives.metric_date,
    actives.country,
    actives.channel,
    COALESCE(signups.new_users, 0) AS new_users,
    actives.dau,
    actives.wau_7,
    actives.mau_28,
    actives.stickiness,
    actives.is_wau_7_complete,
    actives.is_mau_28_complete,
    money.orders,
    money.buyers,
    money.revenue,
    money.aov,
    money.arpu,
    money.revenue_7d,
    money.is_revenue_7d_complete,
    funnel.mature_viewers,
    funnel.mature_carters,
    funnel.mature_buyers,
    funnel.overall_rate,
    funnel.is_mature
FROM actives
INNER JOIN money
    ON
        actives.metric_date = money.metric_date
        AND actives.country = money.country
        AND actives.channel = money.channel
INNER JOIN funnel
    ON
        actives.metric_date = funnel.entry_date
        AND actives.country = funnel.country
        AND actives.channel = funnel.channel
LEFT JOIN signups
    ON
        actives.metric_date = signups.signup_date
        AND actives.country = signups.country
        AND actives.channel = signups.channel
