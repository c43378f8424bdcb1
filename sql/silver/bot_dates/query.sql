-- bot_dates: one row per user and date with more events than a human makes.
-- Reads: events_arrived.  Params: max_events_per_user_day.
-- Shell: ./spark-submit.sh sql -d max_events_per_user_day=500 -f sql/silver/bot_dates/query.sql

-- Counting rows by user alone is cheap and leaves few of them. Of those the events are counted, not
-- the rows: an event sent again and again makes no bot.
WITH busy_users AS (
    SELECT user_id
    FROM events_arrived
    GROUP BY user_id
    HAVING COUNT(*) > ${max_events_per_user_day}
)

SELECT
    events_arrived.user_id,
    events_arrived.event_date,
    COUNT(DISTINCT events_arrived.event_id) AS events
FROM events_arrived
LEFT SEMI JOIN busy_users ON events_arrived.user_id = busy_users.user_id
GROUP BY events_arrived.user_id, events_arrived.event_date
HAVING COUNT(DISTINCT events_arrived.event_id) > ${max_events_per_user_day}
