-- check: row_is_traceable | fail | a row names no order, user, time, amount, arrival, source or batch
SELECT
    order_id,
    batch_id
FROM bronze_orders
WHERE
    order_id IS NULL
    OR user_id IS NULL
    OR ts IS NULL
    OR amount IS NULL
    OR ingest_ts IS NULL
    OR source IS NULL
    OR batch_id IS NULL;

-- check: clock_is_not_ahead | warn | an order arrived before it was placed
SELECT
    order_id,
    ts,
    ingest_ts
FROM bronze_orders
WHERE ingest_ts < ts;
