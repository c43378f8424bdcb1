-- check: key_unique | fail | a date and segment has more than one row
SELECT
    metric_date,
    country,
    channel
FROM truth_daily
GROUP BY metric_date, country, channel
HAVING COUNT(*) > 1;

-- check: no_date_is_missing | fail | a segment lacks a date between its first and its last
SELECT
    country,
    channel
FROM truth_daily
GROUP BY country, channel
HAVING COUNT(*) <> DATEDIFF(MAX(metric_date), MIN(metric_date)) + 1;

-- check: expectations_are_possible | fail | more are expected to do what fewer can
SELECT
    metric_date,
    country,
    channel
FROM truth_daily
WHERE
    expected_signups < 0
    OR expected_revenue < 0
    OR expected_signups > expected_alive
    OR expected_dau > expected_alive
    OR expected_dau > expected_sessions
    OR expected_carts > expected_sessions
    OR expected_orders > expected_sessions;
