-- funnel_chains: one row per step that may begin a funnel, with the levels reached from it.
-- Reads: funnel_steps.  Params: funnel_order, funnel_window_from, funnel_ties.
-- Shell: ./spark-submit.sh sql -d funnel_order=ordered -d funnel_window_from=first_step
--   -d funnel_ties=step_order -f sql/silver/funnel_chains/query.sql
-- The settings are constants of the statement, so the two orders not asked for cost nothing.

-- Backwards in time, the smallest ts so far is that of the next such step. Equal steps of one
-- instant give the same chain, so event_id need not decide between them.
WITH with_next_steps AS (
    SELECT
        user_id,
        event_date,
        session_no,
        event_id,
        step,
        ts,
        unit_date,
        tie_rank,
        may_enter,
        last_moment,
        MIN(CASE WHEN step = 1 THEN ts END) OVER backwards AS next_1_at,
        MIN(CASE WHEN step = 2 THEN ts END) OVER backwards AS next_2_at,
        MIN(CASE WHEN step = 3 THEN ts END) OVER backwards AS next_3_at
    FROM funnel_steps
    WINDOW backwards AS (
        PARTITION BY user_id, unit_date, session_no
        ORDER BY ts DESC, tie_rank DESC
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    )
),

-- The step 3 of a chain is the next one after its step 2, not the next one after its entry. With a
-- window per step only those steps 2 lead on that have a step 3 within theirs; one before them in
-- the window of the entry has the same next step 3.
with_chains AS (
    SELECT
        user_id,
        event_date,
        session_no,
        event_id,
        step,
        ts,
        may_enter,
        last_moment,
        next_2_at,
        MIN(
            CASE
                WHEN
                    '${funnel_window_from}' = 'previous_step'
                    AND step = 2
                    AND next_3_at <= last_moment
                    THEN ts
            END
        ) OVER backwards AS leading_2_at,
        MIN(CASE WHEN step = 2 THEN next_3_at END) OVER backwards AS chain_3_at
    FROM with_next_steps
    WINDOW backwards AS (
        PARTITION BY user_id, unit_date, session_no
        ORDER BY ts DESC, tie_rank DESC
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    )
),

ordered_chains AS (
    SELECT
        user_id,
        event_date,
        session_no,
        event_id,
        step,
        ts,
        CASE WHEN next_2_at <= last_moment THEN next_2_at END AS level_2_at,
        CASE
            WHEN '${funnel_window_from}' = 'previous_step' AND leading_2_at <= last_moment
                THEN chain_3_at
            WHEN '${funnel_window_from}' = 'first_step' AND chain_3_at <= last_moment
                THEN chain_3_at
        END AS level_3_at
    FROM with_chains
    WHERE may_enter AND '${funnel_order}' = 'ordered'
),

with_neighbours AS (
    SELECT
        user_id,
        event_date,
        session_no,
        event_id,
        step,
        ts,
        may_enter,
        last_moment,
        LEAD(step, 1) OVER forwards AS second_step,
        LEAD(ts, 1) OVER forwards AS second_at,
        LEAD(last_moment, 1) OVER forwards AS second_last_moment,
        LEAD(step, 2) OVER forwards AS third_step,
        LEAD(ts, 2) OVER forwards AS third_at
    FROM funnel_steps
    WINDOW forwards AS (
        PARTITION BY user_id, unit_date, session_no
        ORDER BY ts, step, event_id
    )
),

strict_seconds AS (
    SELECT
        user_id,
        event_date,
        session_no,
        event_id,
        step,
        ts,
        CASE
            WHEN '${funnel_window_from}' = 'previous_step' THEN second_last_moment
            ELSE last_moment
        END AS third_until,
        third_step,
        second_at,
        third_at,
        second_step = 2
        AND second_at <= last_moment
        AND (second_at > ts OR '${funnel_ties}' = 'step_order') AS has_second
    FROM with_neighbours
    WHERE may_enter AND '${funnel_order}' = 'strict'
),

strict_chains AS (
    SELECT
        user_id,
        event_date,
        session_no,
        event_id,
        step,
        ts,
        CASE WHEN has_second THEN second_at END AS level_2_at,
        CASE
            WHEN
                has_second
                AND third_step = 3
                AND third_at <= third_until
                AND (third_at > second_at OR '${funnel_ties}' = 'step_order')
                THEN third_at
        END AS level_3_at
    FROM strict_seconds
),

-- The window begins with the entry, so each other step is there at its first moment or not at all.
any_order_steps AS (
    SELECT
        user_id,
        event_date,
        session_no,
        event_id,
        step,
        ts,
        -- NULL sorts last: first the entry itself, then the others reached within the window.
        ARRAY_SORT(
            ARRAY(
                CASE WHEN next_1_at <= last_moment THEN next_1_at END,
                CASE WHEN next_2_at <= last_moment THEN next_2_at END,
                CASE WHEN next_3_at <= last_moment THEN next_3_at END
            )
        ) AS level_at
    FROM with_next_steps
    WHERE may_enter AND '${funnel_order}' = 'any_order'
),

chains AS (
    SELECT
        user_id,
        event_date,
        session_no,
        event_id,
        step,
        ts,
        level_2_at,
        level_3_at
    FROM ordered_chains
    UNION ALL
    SELECT
        user_id,
        event_date,
        session_no,
        event_id,
        step,
        ts,
        level_2_at,
        level_3_at
    FROM strict_chains
    UNION ALL
    SELECT
        user_id,
        event_date,
        session_no,
        event_id,
        step,
        ts,
        level_at[1] AS level_2_at,
        level_at[2] AS level_3_at
    FROM any_order_steps
)

SELECT
    user_id,
    event_date AS entry_date,
    session_no,
    event_id,
    step AS entry_step,
    ts AS entry_at,
    CASE WHEN level_3_at IS NOT NULL THEN 3 WHEN level_2_at IS NOT NULL THEN 2 ELSE 1 END AS level,
    level_2_at,
    level_3_at
FROM chains
