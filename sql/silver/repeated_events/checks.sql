-- check: has_another_row | fail | an event_id came only once
SELECT event_id
FROM repeated_events
GROUP BY event_id
HAVING COUNT(*) = 1;

-- check: no_copy_missing | fail | an event_id that came more than once has other rows here than there
WITH arrived AS (
    SELECT
        event_id,
        COUNT(*) AS arrived_rows
    FROM bronze_events
    GROUP BY event_id
    HAVING COUNT(*) > 1
),

kept AS (
    SELECT
        event_id,
        COUNT(*) AS kept_rows
    FROM repeated_events
    GROUP BY event_id
)

SELECT arrived.event_id
FROM arrived
LEFT JOIN kept ON arrived.event_id = kept.event_id
WHERE NOT arrived.arrived_rows <=> kept.kept_rows;
