-- check: one_fault_per_row | fail | a row is labelled twice
SELECT
    table_name,
    row_id,
    COUNT(*) AS labels
FROM truth_dirt
GROUP BY table_name, row_id
HAVING COUNT(*) > 1;

-- check: kind_is_known | fail | a label is of a kind that its table does not have
SELECT
    table_name,
    row_id
FROM truth_dirt
WHERE
    NOT (
        (table_name = 'bronze_users' AND kind = 'null_country')
        OR (
            table_name = 'bronze_events'
            AND kind IN ('duplicate_burst', 'out_of_order', 'bot', 'tracking_outage')
        )
        OR (
            table_name IN ('bronze_events', 'bronze_orders')
            AND kind IN (
                'duplicate_exact',
                'duplicate_altered',
                'late',
                'clock_ahead',
                'clock_reset',
                'clock_skew',
                'unknown_user'
            )
        )
    );

-- check: copies_fit_the_kind | fail | a fault adds or removes rows that it cannot
SELECT
    table_name,
    row_id
FROM truth_dirt
WHERE
    CASE
        WHEN kind = 'tracking_outage' THEN copies <> -1
        WHEN kind = 'duplicate_burst' THEN copies < 1
        WHEN kind IN ('duplicate_exact', 'duplicate_altered', 'bot') THEN copies <> 1
        ELSE copies <> 0
    END;

-- check: truth_is_told | fail | a label lacks what its row hides
SELECT
    table_name,
    row_id
FROM truth_dirt
WHERE
    (kind = 'null_country' AND true_country IS NULL)
    OR (kind <> 'null_country' AND row_date IS DISTINCT FROM CAST(true_ts AS DATE));
