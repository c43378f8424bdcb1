-- check: key_unique | fail | a segment, country and channel has more than one row
SELECT
    segment,
    country,
    channel
FROM rfm_segments
GROUP BY segment, country, channel
HAVING COUNT(*) > 1;

-- check: every_segment_everywhere | fail | a country and channel lacks a segment
SELECT
    country,
    channel
FROM rfm_segments
GROUP BY country, channel
HAVING COUNT(*) <> 8;

-- check: users_are_all_users | fail | the users of the segments do not sum to those who had signed up
WITH signed_up AS (
    SELECT COUNT(*) AS users
    FROM dim_users
    WHERE signup_date <= DATE '${as_of}'
),

counted AS (
    SELECT COALESCE(SUM(users), 0) AS users
    FROM rfm_segments
    WHERE country = 'all' AND channel = 'all'
)

SELECT signed_up.users
FROM signed_up
CROSS JOIN counted
WHERE signed_up.users <> counted.users;

-- check: sums_are_those_of_rfm_users | fail | users, orders or revenue of a segment differ from rfm_users
WITH scored AS (
    SELECT
        segment,
        COUNT(*) AS users,
        SUM(frequency) AS orders,
        SUM(monetary) AS revenue
    FROM rfm_users
    GROUP BY segment
)

SELECT rfm_segments.segment
FROM rfm_segments
FULL OUTER JOIN scored ON rfm_segments.segment = scored.segment
WHERE
    rfm_segments.segment IS NULL
    OR (
        rfm_segments.country = 'all'
        AND rfm_segments.channel = 'all'
        AND (
            rfm_segments.orders <> COALESCE(scored.orders, 0)
            OR rfm_segments.revenue <> COALESCE(scored.revenue, 0)
            OR (
                rfm_segments.segment <> 'no_recent_order'
                AND rfm_segments.users <> COALESCE(scored.users, 0)
            )
        )
    );

-- check: segments_sum_to_total | fail | the countries and channels of a segment do not sum to its total
SELECT segment
FROM rfm_segments
GROUP BY segment
HAVING
    SUM(users) FILTER (WHERE country = 'all' AND channel = 'all')
    <> SUM(users) FILTER (WHERE country <> 'all' AND channel <> 'all')
    OR SUM(orders) FILTER (WHERE country = 'all' AND channel = 'all')
    <> SUM(orders) FILTER (WHERE country <> 'all' AND channel = 'all')
    OR SUM(revenue) FILTER (WHERE country = 'all' AND channel = 'all')
    <> SUM(revenue) FILTER (WHERE country = 'all' AND channel <> 'all');

-- check: mean_of_buyers_only | fail | a mean recency is negative, missing for buyers or given without any
SELECT
    segment,
    country,
    channel
FROM rfm_segments
WHERE
    recency_days_mean < 0
    OR (recency_days_mean IS NULL) <> (users = 0 OR segment = 'no_recent_order');
