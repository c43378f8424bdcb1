-- funnel_steps: one row per event that may be a step of a funnel, or lie between its steps.
-- Reads: fact_events.  Params: from_date, to_date, first_date, as_of, active_event_types,
--   funnel_step_1, funnel_step_2, funnel_step_3, funnel_window_days, funnel_order, funnel_entry,
--   funnel_unit, funnel_window_from, funnel_edge, funnel_ties.
-- Shell: ./spark-submit.sh sql -d from_date=2024-01-01 -d to_date=2024-02-01
--   -d first_date=2024-01-01 -d as_of=2024-01-31 -d active_event_types=view
--   -d funnel_step_1=view -d funnel_step_2=add_to_cart -d funnel_step_3=purchase
--   -d funnel_window_days=7 -d funnel_order=ordered -d funnel_entry=first_entry
--   -d funnel_unit=user -d funnel_window_from=first_step -d funnel_edge=inclusive
--   -d funnel_ties=step_order -f sql/silver/funnel_steps/query.sql
-- The settings are constants of the statement, so what they do not ask for is not read.

-- Where only the first step 1 of a date or session can count, the others need not be sorted.
WITH first_steps AS (
    SELECT
        user_id,
        event_date,
        CASE WHEN '${funnel_unit}' = 'session' THEN session_no END AS session_no,
        MIN(ts) AS ts
    FROM fact_events
    WHERE
        event_type = '${funnel_step_1}'
        AND '${funnel_order}' = 'ordered'
        AND '${funnel_entry}' = 'first_entry'
        AND '${funnel_unit}' <> 'attempt'
        AND event_date >= DATE '${from_date}'
        AND event_date >= DATE '${first_date}'
        AND event_date < DATE '${to_date}'
        AND event_date <= DATE '${as_of}'
    GROUP BY user_id, event_date, CASE WHEN '${funnel_unit}' = 'session' THEN session_no END
),

-- Dates gate the entry only. One date more than the windows: they may end on a date later where
-- the clocks go forward. Steps after as_of belong to an unfinished day and are not read.
other_steps AS (
    SELECT
        user_id,
        event_date,
        CASE WHEN '${funnel_unit}' = 'session' THEN session_no END AS session_no,
        CASE WHEN '${funnel_order}' = 'strict' THEN event_id END AS event_id,
        CASE event_type
            WHEN '${funnel_step_1}' THEN 1
            WHEN '${funnel_step_2}' THEN 2
            WHEN '${funnel_step_3}' THEN 3
            ELSE 4
        END AS step,
        ts
    FROM fact_events
    WHERE
        event_date >= DATE '${from_date}'
        AND event_date <= DATE_ADD(
            DATE '${to_date}',
            CASE WHEN '${funnel_window_from}' = 'previous_step' THEN 2 ELSE 1 END
            * ${funnel_window_days}
        )
        AND event_date <= DATE '${as_of}'
        AND (
            event_type IN ('${funnel_step_2}', '${funnel_step_3}')
            OR (
                event_type = '${funnel_step_1}'
                AND (
                    '${funnel_order}' <> 'ordered'
                    OR '${funnel_entry}' <> 'first_entry'
                    OR '${funnel_unit}' = 'attempt'
                )
            )
            -- Whatever is tracked comes between the steps.
            OR (event_type IN (${active_event_types}) AND '${funnel_order}' = 'strict')
        )
),

steps AS (
    SELECT
        user_id,
        event_date,
        session_no,
        CAST(NULL AS BIGINT) AS event_id,
        1 AS step,
        ts
    FROM first_steps
    UNION ALL
    SELECT
        user_id,
        event_date,
        session_no,
        event_id,
        step,
        ts
    FROM other_steps
)

SELECT
    user_id,
    event_date,
    session_no,
    event_id,
    step,
    ts,
    -- A session has its steps to itself, a user shares them among the dates.
    CASE WHEN '${funnel_unit}' = 'session' THEN event_date END AS unit_date,
    -- From the last step to the first, no step of an instant follows an earlier step of it.
    CASE
        WHEN '${funnel_order}' = 'ordered' AND '${funnel_ties}' = 'strict_increase' THEN -step
        ELSE step
    END AS tie_rank,
    (step = 1 OR (step < 4 AND '${funnel_order}' = 'any_order'))
    AND event_date >= DATE '${first_date}'
    AND event_date < DATE '${to_date}' AS may_enter,
    -- A microsecond is the smallest difference between two moments.
    ts + INTERVAL '${funnel_window_days}' DAY - CASE
        WHEN '${funnel_edge}' = 'exclusive' THEN INTERVAL '0.000001' SECOND
        ELSE INTERVAL '0' SECOND
    END AS last_moment
FROM steps
