-- fact_events: one row per event.
-- Reads: events_checked.  Params: from_date, to_date, session_gap_minutes.
-- Shell: ./spark-submit.sh sql -d from_date=2024-01-01 -d to_date=2024-02-01
--   -d session_gap_minutes=30 -f sql/silver/fact_events/query.sql

WITH valid_events AS (
    SELECT
        event_id,
        user_id,
        ts,
        event_type,
        value,
        ingest_ts,
        event_date
    FROM events_checked
    WHERE
        rule IS NULL
        AND event_date >= DATE '${from_date}'
        AND event_date < DATE '${to_date}'
),

-- A session ends after a gap of MORE than the given minutes, or with the date.
events_with_session_starts AS (
    SELECT
        event_id,
        user_id,
        ts,
        event_type,
        value,
        ingest_ts,
        event_date,
        COALESCE(
            ts - LAG(ts) OVER user_day > INTERVAL '${session_gap_minutes}' MINUTE, TRUE
        ) AS is_session_start
    FROM valid_events
    WINDOW user_day AS (PARTITION BY user_id, event_date ORDER BY ts, event_id)
)

SELECT
    event_id,
    user_id,
    ts,
    event_type,
    value,
    ingest_ts,
    event_date,
    CAST(
        SUM(CAST(is_session_start AS INT)) OVER (
            PARTITION BY user_id, event_date
            ORDER BY ts, event_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS INT
    ) AS session_no,
    is_session_start
FROM events_with_session_starts
