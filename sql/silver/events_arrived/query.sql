-- events_arrived: one row per row of bronze_events on the days asked for, with its date.
-- Reads: bronze_events.  Params: from_date, to_date, tz.
-- Shell: ./spark-submit.sh sql -d from_date=2024-01-01 -d to_date=2024-02-01 -d tz=UTC
--   -f sql/silver/events_arrived/query.sql

WITH dated_events AS (
    SELECT
        event_id,
        user_id,
        ts,
        event_type,
        value,
        ingest_ts,
        source,
        batch_id,
        CAST(FROM_UTC_TIMESTAMP(ts, '${tz}') AS DATE) AS event_date
    FROM bronze_events
)

-- The bounds on ts, a day wider than any time zone shifts, let the files of other days be skipped.
SELECT
    event_id,
    user_id,
    ts,
    event_type,
    value,
    ingest_ts,
    source,
    batch_id,
    event_date
FROM dated_events
WHERE
    event_date >= DATE '${from_date}'
    AND event_date < DATE '${to_date}'
    AND ts >= TIMESTAMP '${from_date}' - INTERVAL '1' DAY
    AND ts < TIMESTAMP '${to_date}' + INTERVAL '1' DAY
