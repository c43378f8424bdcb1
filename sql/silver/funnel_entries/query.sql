-- funnel_entries: one row per entry into the funnel, with the furthest level it reached.
-- Reads: funnel_chains.  Params: as_of, tz, funnel_window_days, funnel_order, funnel_entry,
--   funnel_unit, funnel_window_from, funnel_edge, funnel_range.
-- Shell: ./spark-submit.sh sql -d as_of=2024-01-31 -d tz=UTC -d funnel_window_days=7
--   -d funnel_order=ordered -d funnel_entry=first_entry -d funnel_unit=user
--   -d funnel_window_from=first_step -d funnel_edge=inclusive -d funnel_range=day
--   -f sql/silver/funnel_entries/query.sql
-- The settings are constants of the statement, so the ways to choose not asked for cost nothing.

WITH candidates AS (
    SELECT
        user_id,
        entry_date,
        session_no,
        event_id,
        entry_step,
        entry_at,
        level,
        level_2_at,
        level_3_at,
        -- Two windows in a row, where each step has its own.
        entry_at + INTERVAL '${funnel_window_days}' DAY + CASE
            WHEN '${funnel_window_from}' = 'previous_step'
                THEN INTERVAL '${funnel_window_days}' DAY
            ELSE INTERVAL '0' DAY
        END AS window_ends_at,
        -- funnel_chains holds one candidate per user and date, or session, already.
        '${funnel_order}' = 'ordered'
        AND '${funnel_entry}' = 'first_entry'
        AND '${funnel_unit}' <> 'attempt'
        AND '${funnel_range}' = 'day' AS is_alone
    FROM funnel_chains
),

-- The first candidate of a unit, or the first among those that reached furthest.
ranked AS (
    SELECT
        user_id,
        entry_date,
        entry_at,
        level,
        level_2_at,
        level_3_at,
        window_ends_at,
        ROW_NUMBER() OVER (
            PARTITION BY
                user_id,
                CASE WHEN '${funnel_range}' = 'day' THEN entry_date END,
                session_no
            ORDER BY
                CASE WHEN '${funnel_entry}' = 'best_chain' THEN -level ELSE 0 END,
                entry_at,
                entry_step,
                event_id
        ) AS place
    FROM candidates
    WHERE NOT is_alone AND '${funnel_unit}' <> 'attempt'
),

-- While an attempt is open, no step begins another. It is open up to its success or, without one,
-- to the end of its window.
candidates_of_user AS (
    SELECT
        user_id,
        ARRAY_SORT(
            COLLECT_LIST(
                NAMED_STRUCT(
                    'entry_at', entry_at,
                    'entry_step', entry_step,
                    'event_id', event_id,
                    'entry_date', entry_date,
                    'level', level,
                    'level_2_at', level_2_at,
                    'level_3_at', level_3_at,
                    'window_ends_at', window_ends_at,
                    'open_until', COALESCE(
                        level_3_at,
                        window_ends_at - CASE
                            WHEN '${funnel_edge}' = 'exclusive' THEN INTERVAL '0.000001' SECOND
                            ELSE INTERVAL '0' SECOND
                        END
                    )
                )
            )
        ) AS candidates
    FROM candidates
    WHERE '${funnel_unit}' = 'attempt'
    GROUP BY user_id
),

attempts AS (
    SELECT
        user_id,
        EXPLODE(
            AGGREGATE(
                candidates,
                NAMED_STRUCT(
                    'open_until', CAST(NULL AS TIMESTAMP),
                    -- None yet, in the type of those to come.
                    'begun', FILTER(candidates, candidate -> FALSE)
                ),
                (state, candidate) -> CASE
                    WHEN state.open_until IS NULL OR candidate.entry_at > state.open_until
                        THEN NAMED_STRUCT(
                            'open_until', candidate.open_until,
                            'begun', CONCAT(state.begun, ARRAY(candidate))
                        )
                    ELSE state
                END,
                state -> state.begun
            )
        ) AS attempt
    FROM candidates_of_user
),

chosen AS (
    SELECT
        user_id,
        entry_date,
        entry_at,
        level,
        level_2_at,
        level_3_at,
        window_ends_at
    FROM candidates
    WHERE is_alone
    UNION ALL
    SELECT
        user_id,
        entry_date,
        entry_at,
        level,
        level_2_at,
        level_3_at,
        window_ends_at
    FROM ranked
    WHERE place = 1
    UNION ALL
    SELECT
        user_id,
        attempt.entry_date,
        attempt.entry_at,
        attempt.level,
        attempt.level_2_at,
        attempt.level_3_at,
        attempt.window_ends_at
    FROM attempts
)

SELECT
    user_id,
    entry_date,
    entry_at,
    level,
    level_2_at,
    level_3_at,
    (UNIX_MICROS(level_3_at) - UNIX_MICROS(entry_at)) / 1000000 AS seconds_to_convert,
    CAST(FROM_UTC_TIMESTAMP(window_ends_at, '${tz}') AS DATE) <= DATE '${as_of}' AS is_mature
FROM chosen
