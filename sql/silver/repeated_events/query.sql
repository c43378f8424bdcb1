-- repeated_events: one row per row of bronze_events on the days asked for whose event_id has
-- another row, on any day.
-- Reads: bronze_events, events_arrived.  Params: from_date, to_date, tz.
-- Shell: ./spark-submit.sh sql -d from_date=2024-01-01 -d to_date=2024-02-01 -d tz=UTC
--   -f sql/silver/repeated_events/query.sql

-- Ids alone, since all of the past is looked through. Where every day is asked for there is no file
-- of other days, and this costs nothing.
WITH ids_on_other_days AS (
    SELECT bronze_events.event_id
    FROM bronze_events
    INNER JOIN events_arrived ON bronze_events.event_id = events_arrived.event_id
    WHERE
        (
            CAST(FROM_UTC_TIMESTAMP(bronze_events.ts, '${tz}') AS DATE) < DATE '${from_date}'
            OR CAST(FROM_UTC_TIMESTAMP(bronze_events.ts, '${tz}') AS DATE) >= DATE '${to_date}'
        )
        AND (
            bronze_events.ts < TIMESTAMP '${from_date}' + INTERVAL '1' DAY
            OR bronze_events.ts >= TIMESTAMP '${to_date}' - INTERVAL '1' DAY
        )
),

ids AS (
    SELECT event_id
    FROM events_arrived
    UNION ALL
    SELECT event_id
    FROM ids_on_other_days
),

repeated_ids AS (
    SELECT event_id
    FROM ids
    GROUP BY event_id
    HAVING COUNT(*) > 1
)

SELECT
    events_arrived.event_id,
    events_arrived.user_id,
    events_arrived.ts,
    events_arrived.event_type,
    events_arrived.value,
    events_arrived.ingest_ts,
    events_arrived.source,
    events_arrived.batch_id,
    events_arrived.event_date
FROM events_arrived
LEFT SEMI JOIN repeated_ids ON events_arrived.event_id = repeated_ids.event_id
