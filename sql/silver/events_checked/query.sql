-- events_checked: one row per row of bronze_events on the days asked for, with the rule it breaks
-- (NULL for the row kept).
-- Reads: events_arrived, repeated_events, known_users, bot_dates.  Params: from_date, to_date,
--   earliest_date, max_clock_ahead_hours, max_events_per_user_day, event_types.
-- Shell: ./spark-submit.sh sql -d from_date=2024-01-01 -d to_date=2024-02-01
--   -d earliest_date=1990-01-01 -d max_clock_ahead_hours=24 -d max_events_per_user_day=500
--   -d event_types="'view', 'add_to_cart', 'purchase'" -f sql/silver/events_checked/query.sql

WITH repeated_ids AS (
    SELECT event_id
    FROM repeated_events
    WHERE event_date >= DATE '${from_date}' AND event_date < DATE '${to_date}'
    GROUP BY event_id
),

-- An id may come back with another ts: which row is kept must not depend on the days asked for, so
-- copies on other days compete too, and only rows of the days are put out.
candidate_events AS (
    SELECT
        events_arrived.event_id,
        events_arrived.user_id,
        events_arrived.ts,
        events_arrived.event_type,
        events_arrived.value,
        events_arrived.ingest_ts,
        events_arrived.source,
        events_arrived.batch_id,
        events_arrived.event_date,
        FALSE AS is_repeated
    FROM events_arrived
    LEFT ANTI JOIN repeated_ids ON events_arrived.event_id = repeated_ids.event_id
    UNION ALL
    SELECT
        repeated_events.event_id,
        repeated_events.user_id,
        repeated_events.ts,
        repeated_events.event_type,
        repeated_events.value,
        repeated_events.ingest_ts,
        repeated_events.source,
        repeated_events.batch_id,
        repeated_events.event_date,
        TRUE AS is_repeated
    FROM repeated_events
    LEFT SEMI JOIN repeated_ids ON repeated_events.event_id = repeated_ids.event_id
),

judged_events AS (
    SELECT
        candidate_events.event_id,
        candidate_events.user_id,
        candidate_events.ts,
        candidate_events.event_type,
        candidate_events.value,
        candidate_events.ingest_ts,
        candidate_events.source,
        candidate_events.batch_id,
        candidate_events.event_date,
        XXHASH64(
            candidate_events.user_id,
            candidate_events.ts,
            candidate_events.event_type,
            candidate_events.value
        ) AS content_hash,
        CASE
            WHEN candidate_events.event_type NOT IN (${event_types}) THEN 'unknown_event_type'
            WHEN candidate_events.event_date < DATE '${earliest_date}' THEN 'ts_before_earliest'
            WHEN
                candidate_events.ts
                > candidate_events.ingest_ts + INTERVAL '${max_clock_ahead_hours}' HOUR
                THEN 'ts_after_ingest'
            WHEN known_users.user_id IS NULL THEN 'unknown_user'
            WHEN candidate_events.event_date < known_users.signup_date THEN 'before_signup'
            WHEN
                ISNAN(candidate_events.value)
                OR candidate_events.value = CAST('Infinity' AS DOUBLE)
                OR candidate_events.value < 0
                THEN 'bad_value'
            WHEN bot_dates.user_id IS NOT NULL THEN 'bot'
        END AS broken_rule,
        candidate_events.is_repeated
    FROM candidate_events
    LEFT JOIN known_users ON candidate_events.user_id = known_users.user_id
    LEFT JOIN bot_dates
        ON
            candidate_events.user_id = bot_dates.user_id
            AND candidate_events.event_date = bot_dates.event_date
),

-- Rows are judged first, so that a broken copy never takes the place of a good one. source and
-- batch_id make the order total; they decide only between rows of the same content.
ranked_events AS (
    SELECT
        event_id,
        user_id,
        ts,
        event_type,
        value,
        ingest_ts,
        source,
        batch_id,
        event_date,
        broken_rule,
        content_hash,
        ROW_NUMBER() OVER copies AS copy_no,
        FIRST_VALUE(content_hash) OVER copies AS kept_content_hash
    FROM judged_events
    WHERE is_repeated
    WINDOW copies AS (
        PARTITION BY event_id, broken_rule IS NULL
        ORDER BY ingest_ts, content_hash, source, batch_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    )
),

ruled_events AS (
    SELECT
        event_id,
        user_id,
        ts,
        event_type,
        value,
        ingest_ts,
        source,
        batch_id,
        event_date,
        CASE
            WHEN broken_rule IS NOT NULL THEN broken_rule
            WHEN copy_no > 1 AND content_hash = kept_content_hash THEN 'duplicate_exact'
            WHEN copy_no > 1 THEN 'duplicate_altered'
        END AS rule
    FROM ranked_events
    WHERE event_date >= DATE '${from_date}' AND event_date < DATE '${to_date}'
    UNION ALL
    SELECT
        event_id,
        user_id,
        ts,
        event_type,
        value,
        ingest_ts,
        source,
        batch_id,
        event_date,
        broken_rule AS rule
    FROM judged_events
    WHERE NOT is_repeated
)

SELECT
    event_id,
    user_id,
    ts,
    event_type,
    value,
    ingest_ts,
    source,
    batch_id,
    event_date,
    rule,
    CASE rule
        WHEN 'unknown_event_type' THEN 'event_type is none of those in the settings'
        WHEN 'ts_before_earliest' THEN 'ts lies before ${earliest_date}'
        WHEN 'ts_after_ingest'
            THEN 'ts lies more than ${max_clock_ahead_hours} hours after ingest_ts'
        WHEN 'bad_value' THEN 'value is NaN, infinite or negative'
        WHEN 'unknown_user' THEN 'no valid user has this user_id'
        WHEN 'before_signup' THEN 'the event lies before the signup_date of its user'
        WHEN 'bot'
            THEN 'its user has more than ${max_events_per_user_day} events on that date'
        WHEN 'duplicate_exact' THEN 'same content as the row kept for this event_id'
        WHEN 'duplicate_altered' THEN 'other content than the row kept for this event_id'
    END AS message
FROM ruled_events
