-- check: key_unique | fail | a session has more than one row
SELECT
    user_id,
    session_date,
    session_no
FROM sessions
GROUP BY user_id, session_date, session_no
HAVING COUNT(*) > 1;

-- check: numbered_without_holes | fail | the sessions of a day are not numbered 1, 2, 3, ...
SELECT
    user_id,
    session_date
FROM sessions
GROUP BY user_id, session_date
HAVING MIN(session_no) <> 1 OR MAX(session_no) <> COUNT(*);

-- check: apart_by_more_than_the_gap | fail | two sessions of a day are so close that they are one
WITH neighbours AS (
    SELECT
        user_id,
        started_at,
        LAG(ended_at) OVER (
            PARTITION BY user_id, session_date ORDER BY session_no
        ) AS previous_ended_at
    FROM sessions
)

SELECT user_id
FROM neighbours
WHERE started_at - previous_ended_at <= INTERVAL '${session_gap_minutes}' MINUTE;

-- check: counts_agree | fail | a session is empty, ends before it starts, or its counts disagree
SELECT
    user_id,
    session_date,
    session_no
FROM sessions
WHERE
    events < 1
    OR events < views + add_to_carts + purchases
    OR duration_seconds < 0
    OR has_cart <> (add_to_carts > 0)
    OR has_purchase <> (purchases > 0);

-- check: every_event_in_a_session | fail | the events of a date and those of its sessions differ in number
WITH facts AS (
    SELECT
        event_date,
        COUNT(*) AS events
    FROM fact_events
    GROUP BY event_date
),

visits AS (
    SELECT
        session_date,
        SUM(events) AS events
    FROM sessions
    GROUP BY session_date
)

SELECT facts.event_date
FROM facts
FULL OUTER JOIN visits ON facts.event_date = visits.session_date
WHERE NOT facts.events <=> visits.events;
