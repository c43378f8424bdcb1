-- check: key_unique | fail | a date and segment has more than one row
SELECT
    metric_date,
    country,
    channel
FROM revenue_daily
GROUP BY metric_date, country, channel
HAVING COUNT(*) > 1;

-- check: every_date_and_segment | fail | a segment lacks a date of the log
SELECT
    country,
    channel
FROM revenue_daily
GROUP BY country, channel
HAVING COUNT(*) <> DATEDIFF(DATE '${as_of}', DATE '${first_date}') + 1;

-- check: counts_agree | fail | a count or sum is negative, or there are more buyers than orders or actives
SELECT
    metric_date,
    country,
    channel
FROM revenue_daily
WHERE
    buyers < 0
    OR revenue < 0
    OR buyers > orders
    OR buyers > active_users
    OR revenue > revenue_7d
    OR days_observed_7d NOT BETWEEN 1 AND 7;

-- check: ratios_are_of_sums | fail | a ratio is not that of the sums beside it
SELECT
    metric_date,
    country,
    channel
FROM revenue_daily
WHERE
    ABS(COALESCE(aov, 0) * orders - revenue) > 0.005
    OR ABS(COALESCE(arpu, 0) * active_users - revenue) > 0.005
    OR ABS(COALESCE(arppu, 0) * buyers - revenue) > 0.005
    OR (revenue_7d_mean IS NOT NULL) <> is_revenue_7d_complete;

-- check: rolling_equals_its_days | fail | revenue_7d of a total is not the sum of its 7 dates
SELECT last_dates.metric_date
FROM revenue_daily AS last_dates
INNER JOIN revenue_daily AS window_dates
    ON
        last_dates.metric_date >= window_dates.metric_date
        AND last_dates.metric_date < DATE_ADD(window_dates.metric_date, 7)
        AND last_dates.country = window_dates.country
        AND last_dates.channel = window_dates.channel
WHERE last_dates.country = 'all' AND last_dates.channel = 'all'
GROUP BY last_dates.metric_date, last_dates.revenue_7d, last_dates.days_observed_7d
HAVING
    SUM(window_dates.revenue) <> last_dates.revenue_7d
    OR COUNT(*) <> last_dates.days_observed_7d;

-- check: segments_sum_to_total | fail | the segments of a date do not sum to its total
SELECT metric_date
FROM revenue_daily
GROUP BY metric_date
HAVING
    SUM(revenue) FILTER (WHERE country = 'all' AND channel = 'all')
    <> SUM(revenue) FILTER (WHERE country <> 'all' AND channel <> 'all')
    OR SUM(orders) FILTER (WHERE country = 'all' AND channel = 'all')
    <> SUM(orders) FILTER (WHERE country <> 'all' AND channel = 'all')
    OR SUM(buyers) FILTER (WHERE country = 'all' AND channel = 'all')
    <> SUM(buyers) FILTER (WHERE country = 'all' AND channel <> 'all');

-- check: revenue_equals_orders | fail | orders or revenue of a date differ from fact_orders
WITH facts AS (
    SELECT
        order_date,
        COUNT(*) AS orders,
        SUM(amount) AS revenue
    FROM fact_orders
    GROUP BY order_date
)

SELECT revenue_daily.metric_date
FROM revenue_daily
LEFT JOIN facts ON revenue_daily.metric_date = facts.order_date
WHERE
    revenue_daily.country = 'all'
    AND revenue_daily.channel = 'all'
    AND (
        revenue_daily.orders <> COALESCE(facts.orders, 0)
        OR revenue_daily.revenue <> COALESCE(facts.revenue, 0)
    );
