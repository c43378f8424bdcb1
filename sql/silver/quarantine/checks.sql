-- check: build_row_is_traceable | fail | a row rejected by a build lacks its date, id, load or payload
SELECT
    table_name,
    rule
FROM quarantine
WHERE
    stage = 'build'
    AND (row_date IS NULL OR row_id IS NULL OR batch_id IS NULL OR payload IS NULL);

-- check: build_rule_is_known | fail | a build rejected a row by a rule the contracts do not name
SELECT
    table_name,
    rule
FROM quarantine
WHERE
    stage = 'build'
    AND NOT (
        rule IN ('ts_before_earliest', 'ts_after_ingest', 'duplicate_exact', 'duplicate_altered')
        OR (table_name = 'bronze_users' AND rule = 'reserved_segment')
        OR (table_name <> 'bronze_users' AND rule IN ('unknown_user', 'before_signup'))
        OR (table_name = 'bronze_events' AND rule IN ('unknown_event_type', 'bad_value', 'bot'))
        OR (table_name = 'bronze_orders' AND rule = 'negative_amount')
    );

-- check: few_rows_rejected | warn | a rule rejects more than one event in twenty
SELECT rule
FROM quarantine
WHERE table_name = 'bronze_events'
GROUP BY rule
HAVING 20 * COUNT(*) > (SELECT COUNT(*) FROM bronze_events);
