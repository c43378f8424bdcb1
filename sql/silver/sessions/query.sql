-- sessions: one row per user and session.
-- Reads: fact_events.  Params: from_date, to_date.
-- Shell: ./spark-submit.sh sql -d from_date=2024-01-01 -d to_date=2024-02-01
--   -f sql/silver/sessions/query.sql

WITH events_of_sessions AS (
    SELECT
        user_id,
        event_date AS session_date,
        session_no,
        ts,
        event_type,
        is_session_start
    FROM fact_events
    WHERE event_date >= DATE '${from_date}' AND event_date < DATE '${to_date}'
),

session_totals AS (
    SELECT
        user_id,
        session_date,
        session_no,
        MIN(ts) AS started_at,
        MAX(ts) AS ended_at,
        COUNT(*) AS events,
        COUNT_IF(event_type = 'view') AS views,
        COUNT_IF(event_type = 'add_to_cart') AS add_to_carts,
        COUNT_IF(event_type = 'purchase') AS purchases,
        MAX(IF(is_session_start, event_type, NULL)) AS entry_event_type
    FROM events_of_sessions
    GROUP BY user_id, session_date, session_no
)

SELECT
    user_id,
    session_date,
    session_no,
    started_at,
    ended_at,
    TIMESTAMPDIFF(SECOND, started_at, ended_at) AS duration_seconds,
    events,
    views,
    add_to_carts,
    purchases,
    entry_event_type,
    add_to_carts > 0 AS has_cart,
    purchases > 0 AS has_purchase
FROM session_totals
