-- activity_sketches_hourly: one row per date, hour, event type, country and channel with events.
-- Reads: fact_events, dim_users.  Params: from_date, to_date, sketch_lg_k.
-- Shell: ./spark-submit.sh sql -d from_date=2024-01-01 -d to_date=2024-02-01 -d sketch_lg_k=12
--   -f sql/gold/activity_sketches_hourly/query.sql

WITH events_of_days AS (
    SELECT
        user_id,
        event_date AS activity_date,
        DATE_TRUNC('HOUR', ts) AS activity_hour,
        event_type
    FROM fact_events
    WHERE event_date >= DATE '${from_date}' AND event_date < DATE '${to_date}'
),

-- Each user once, so that a sketch takes no user twice and users are counted exactly beside it.
user_hours AS (
    SELECT
        user_id,
        activity_date,
        activity_hour,
        event_type,
        COUNT(*) AS events
    FROM events_of_days
    GROUP BY user_id, activity_date, activity_hour, event_type
),

-- The join leaves no user_id NULL: a sketch of NULLs alone would ignore sketch_lg_k.
user_hours_with_segment AS (
    SELECT
        user_hours.user_id,
        user_hours.activity_date,
        user_hours.activity_hour,
        user_hours.event_type,
        user_hours.events,
        dim_users.country,
        dim_users.channel
    FROM user_hours
    INNER JOIN dim_users ON user_hours.user_id = dim_users.user_id
)

SELECT
    activity_date,
    activity_hour,
    event_type,
    country,
    channel,
    SUM(events) AS events,
    COUNT(*) AS users,
    HLL_SKETCH_AGG(user_id, ${sketch_lg_k}) AS users_hll,
    THETA_SKETCH_AGG(user_id, ${sketch_lg_k}) AS users_theta
FROM user_hours_with_segment
GROUP BY activity_date, activity_hour, event_type, country, channel
