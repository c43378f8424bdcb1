-- check: row_is_traceable | fail | a row names no event, user, time, type, arrival, source or batch
SELECT
    event_id,
    batch_id
FROM bronze_events
WHERE
    event_id IS NULL
    OR user_id IS NULL
    OR ts IS NULL
    OR event_type IS NULL
    OR ingest_ts IS NULL
    OR source IS NULL
    OR batch_id IS NULL;

-- check: clock_is_not_ahead | warn | an event arrived before it happened
SELECT
    event_id,
    ts,
    ingest_ts
FROM bronze_events
WHERE ingest_ts < ts;
