-- check: batch_recorded_once | fail | a batch was recorded twice for one bronze table
SELECT
    batch_id,
    table_name,
    COUNT(*) AS recorded
FROM bronze_batches
GROUP BY batch_id, table_name
HAVING COUNT(*) > 1;

-- check: rows_are_conserved | fail | rows of an input were neither loaded nor quarantined
SELECT
    batch_id,
    table_name,
    rows_read,
    rows_loaded,
    rows_quarantined
FROM bronze_batches
WHERE rows_read <> rows_loaded + rows_quarantined;
