-- check: key_unique | fail | a date and segment has more than one row
SELECT
    metric_date,
    country,
    channel
FROM active_users_daily
GROUP BY metric_date, country, channel
HAVING COUNT(*) > 1;

-- check: every_date_and_segment | fail | a segment lacks a date of the log
SELECT
    country,
    channel
FROM active_users_daily
GROUP BY country, channel
HAVING COUNT(*) <> DATEDIFF(DATE '${as_of}', DATE '${first_date}') + 1;

-- check: longer_windows_hold_more | fail | dau <= wau_7 <= mau_28 <= mau_30 does not hold
SELECT
    metric_date,
    country,
    channel
FROM active_users_daily
WHERE dau < 0 OR dau > wau_7 OR wau_7 > mau_28 OR mau_28 > mau_30;

-- check: stickiness_is_a_share | fail | stickiness is no share, or given for an unfinished or empty window
SELECT
    metric_date,
    country,
    channel
FROM active_users_daily
WHERE
    stickiness NOT BETWEEN 0 AND 1
    OR (stickiness IS NULL) <> (NOT is_mau_28_complete OR mau_28 = 0);

-- check: segments_sum_to_total | fail | the counts of the segments of a date do not sum to its total
SELECT metric_date
FROM active_users_daily
GROUP BY metric_date
HAVING
    SUM(mau_30) FILTER (WHERE country = 'all' AND channel = 'all')
    <> SUM(mau_30) FILTER (WHERE country <> 'all' AND channel <> 'all')
    OR SUM(wau_7) FILTER (WHERE country = 'all' AND channel = 'all')
    <> SUM(wau_7) FILTER (WHERE country <> 'all' AND channel = 'all')
    OR SUM(dau) FILTER (WHERE country = 'all' AND channel = 'all')
    <> SUM(dau) FILTER (WHERE country = 'all' AND channel <> 'all');

-- check: dau_equals_user_days | fail | the active users of a date differ from its rows in user_daily_metrics
WITH user_days AS (
    SELECT
        metric_date,
        COUNT(*) AS users
    FROM user_daily_metrics
    GROUP BY metric_date
)

SELECT active_users_daily.metric_date
FROM active_users_daily
LEFT JOIN user_days ON active_users_daily.metric_date = user_days.metric_date
WHERE
    active_users_daily.country = 'all'
    AND active_users_daily.channel = 'all'
    AND active_users_daily.dau <> COALESCE(user_days.users, 0);
