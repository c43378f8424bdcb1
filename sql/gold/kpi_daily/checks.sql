-- check: key_unique | fail | a date and segment has more than one row
SELECT
    metric_date,
    country,
    channel
FROM kpi_daily
GROUP BY metric_date, country, channel
HAVING COUNT(*) > 1;

-- check: equal_to_active_users_daily | fail | a figure differs from active_users_daily, or a date and segment is only in one of them
SELECT COALESCE(kpi_daily.metric_date, active_users_daily.metric_date) AS metric_date
FROM kpi_daily
FULL OUTER JOIN active_users_daily
    ON
        kpi_daily.metric_date = active_users_daily.metric_date
        AND kpi_daily.country = active_users_daily.country
        AND kpi_daily.channel = active_users_daily.channel
WHERE
    NOT kpi_daily.dau <=> active_users_daily.dau
    OR NOT kpi_daily.wau_7 <=> active_users_daily.wau_7
    OR NOT kpi_daily.mau_28 <=> active_users_daily.mau_28
    OR NOT kpi_daily.stickiness <=> active_users_daily.stickiness
    OR NOT kpi_daily.is_wau_7_complete <=> active_users_daily.is_wau_7_complete
    OR NOT kpi_daily.is_mau_28_complete <=> active_users_daily.is_mau_28_complete;

-- check: equal_to_revenue_daily | fail | a figure differs from revenue_daily, or a date and segment is only in one of them
SELECT COALESCE(kpi_daily.metric_date, revenue_daily.metric_date) AS metric_date
FROM kpi_daily
FULL OUTER JOIN revenue_daily
    ON
        kpi_daily.metric_date = revenue_daily.metric_date
        AND kpi_daily.country = revenue_daily.country
        AND kpi_daily.channel = revenue_daily.channel
WHERE
    NOT kpi_daily.orders <=> revenue_daily.orders
    OR NOT kpi_daily.buyers <=> revenue_daily.buyers
    OR NOT kpi_daily.revenue <=> revenue_daily.revenue
    OR NOT kpi_daily.aov <=> revenue_daily.aov
    OR NOT kpi_daily.arpu <=> revenue_daily.arpu
    OR NOT kpi_daily.revenue_7d <=> revenue_daily.revenue_7d
    OR NOT kpi_daily.is_revenue_7d_complete <=> revenue_daily.is_revenue_7d_complete;

-- check: equal_to_funnel_daily | fail | a figure differs from funnel_daily, or a date and segment is only in one of them
SELECT COALESCE(kpi_daily.metric_date, funnel_daily.entry_date) AS metric_date
FROM kpi_daily
FULL OUTER JOIN funnel_daily
    ON
        kpi_daily.metric_date = funnel_daily.entry_date
        AND kpi_daily.country = funnel_daily.country
        AND kpi_daily.channel = funnel_daily.channel
WHERE
    NOT kpi_daily.mature_viewers <=> funnel_daily.mature_viewers
    OR NOT kpi_daily.mature_carters <=> funnel_daily.mature_carters
    OR NOT kpi_daily.mature_buyers <=> funnel_daily.mature_buyers
    OR NOT kpi_daily.overall_rate <=> funnel_daily.overall_rate
    OR NOT kpi_daily.is_mature <=> funnel_daily.is_mature;

-- check: new_users_are_the_signups | fail | the new users of a date differ from dim_users
WITH signups AS (
    SELECT
        signup_date,
        COUNT(*) AS users
    FROM dim_users
    WHERE signup_date >= DATE '${first_date}' AND signup_date <= DATE '${as_of}'
    GROUP BY signup_date
),

counted AS (
    SELECT
        metric_date,
        new_users
    FROM kpi_daily
    WHERE country = 'all' AND channel = 'all'
)

SELECT counted.metric_date
FROM counted
FULL OUTER JOIN signups ON counted.metric_date = signups.signup_date
WHERE COALESCE(counted.new_users, 0) <> COALESCE(signups.users, 0);

-- check: segments_sum_to_total | fail | the new users of the segments of a date do not sum to its total
SELECT metric_date
FROM kpi_daily
GROUP BY metric_date
HAVING
    SUM(new_users) FILTER (WHERE country = 'all' AND channel = 'all')
    <> SUM(new_users) FILTER (WHERE country <> 'all' AND channel <> 'all')
    OR SUM(new_users) FILTER (WHERE country = 'all' AND channel = 'all')
    <> SUM(new_users) FILTER (WHERE country = 'all' AND channel <> 'all');
