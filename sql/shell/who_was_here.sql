-- Who was here? One row per channel (and one for all): how many different users put something into
-- a cart between 6:00 and 18:00 UTC of the three newest dates but bought nothing in those hours, as
-- estimated from sketches, counted exactly, and the error.
-- Reads: activity_sketches_hourly, fact_events, dim_users.
-- Shell: ./spark-submit.sh sql -f sql/shell/who_was_here.sql

WITH newest AS (
    SELECT MAX(activity_date) AS activity_date
    FROM activity_sketches_hourly
),

-- An hour of sketches: nobody's rows are read again, however long the log.
asked_hours AS (
    SELECT
        activity_sketches_hourly.channel,
        activity_sketches_hourly.event_type,
        activity_sketches_hourly.users_theta
    FROM activity_sketches_hourly
    CROSS JOIN newest
    WHERE
        activity_sketches_hourly.activity_date > DATE_SUB(newest.activity_date, 3)
        AND HOUR(activity_sketches_hourly.activity_hour) >= 6
        AND HOUR(activity_sketches_hourly.activity_hour) < 18
        AND activity_sketches_hourly.event_type IN ('add_to_cart', 'purchase')
),

merged_sketches AS (
    SELECT
        COALESCE(channel, 'all') AS channel,
        THETA_UNION_AGG(users_theta) FILTER (WHERE event_type = 'add_to_cart') AS carters,
        THETA_UNION_AGG(users_theta) FILTER (WHERE event_type = 'purchase') AS buyers
    FROM asked_hours
    GROUP BY ROLLUP (channel)
),

estimates AS (
    SELECT
        channel,
        THETA_SKETCH_ESTIMATE(THETA_DIFFERENCE(carters, buyers)) AS estimated_users
    FROM merged_sketches
),

users_of_hours AS (
    SELECT
        fact_events.user_id,
        dim_users.channel,
        COUNT_IF(fact_events.event_type = 'add_to_cart') AS add_to_carts,
        COUNT_IF(fact_events.event_type = 'purchase') AS purchases
    FROM fact_events
    INNER JOIN dim_users ON fact_events.user_id = dim_users.user_id
    CROSS JOIN newest
    WHERE
        fact_events.event_date > DATE_SUB(newest.activity_date, 3)
        AND HOUR(fact_events.ts) >= 6
        AND HOUR(fact_events.ts) < 18
    GROUP BY fact_events.user_id, dim_users.channel
),

exact_counts AS (
    SELECT
        COALESCE(channel, 'all') AS channel,
        COUNT_IF(add_to_carts > 0 AND purchases = 0) AS exact_users
    FROM users_of_hours
    GROUP BY ROLLUP (channel)
)

SELECT
    exact_counts.channel,
    COALESCE(estimates.estimated_users, 0) AS estimated_users,
    exact_counts.exact_users,
    ROUND(estimates.estimated_users / NULLIF(exact_counts.exact_users, 0) - 1, 4) AS error
FROM exact_counts
LEFT JOIN estimates ON exact_counts.channel = estimates.channel
ORDER BY exact_counts.exact_users DESC
