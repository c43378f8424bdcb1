-- check: key_unique | fail | a date, segment and number of days has more than one row
SELECT
    metric_date,
    country,
    channel,
    active_days
FROM active_days_daily
GROUP BY metric_date, country, channel, active_days
HAVING COUNT(*) > 1;

-- check: every_number_of_days | fail | a date and segment lacks a number from 1 to 28, or a segment a date
SELECT
    country,
    channel
FROM active_days_daily
GROUP BY country, channel
HAVING
    COUNT_IF(active_days BETWEEN 1 AND 28)
    <> 28 * (DATEDIFF(DATE '${as_of}', DATE '${first_date}') + 1);

-- check: counts_possible | fail | fewer users than none, or on the first dates more days than dates
SELECT
    metric_date,
    country,
    channel
FROM active_days_daily
WHERE
    users < 0
    OR (users > 0 AND active_days > DATEDIFF(metric_date, DATE '${first_date}') + 1);

-- check: sums_to_active_users | fail | the users of a date are not its mau_28, or their days not its daily actives
WITH days AS (
    SELECT
        metric_date,
        country,
        channel,
        SUM(users) AS users,
        SUM(users * active_days) AS user_days
    FROM active_days_daily
    GROUP BY metric_date, country, channel
),

actives AS (
    SELECT
        metric_date,
        country,
        channel,
        mau_28,
        SUM(dau) OVER (
            PARTITION BY country, channel
            ORDER BY metric_date
            ROWS BETWEEN 27 PRECEDING AND CURRENT ROW
        ) AS user_days
    FROM active_users_daily
)

SELECT actives.metric_date
FROM actives
LEFT JOIN days
    ON
        actives.metric_date = days.metric_date
        AND actives.country = days.country
        AND actives.channel = days.channel
WHERE NOT actives.mau_28 <=> days.users OR NOT actives.user_days <=> days.user_days;

-- check: segments_sum_to_total | fail | the segments of a date do not sum to its total
SELECT
    metric_date,
    active_days
FROM active_days_daily
GROUP BY metric_date, active_days
HAVING
    SUM(users) FILTER (WHERE country = 'all' AND channel = 'all')
    <> SUM(users) FILTER (WHERE country <> 'all' AND channel <> 'all');
