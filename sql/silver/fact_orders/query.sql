-- fact_orders: one row per order.
-- Reads: orders_checked.  Params: from_date, to_date.
-- Shell: ./spark-submit.sh sql -d from_date=2024-01-01 -d to_date=2024-02-01
--   -f sql/silver/fact_orders/query.sql

WITH valid_orders AS (
    SELECT
        order_id,
        user_id,
        ts,
        amount,
        ingest_ts,
        order_date
    FROM orders_checked
    WHERE
        rule IS NULL
        AND order_date >= DATE '${from_date}'
        AND order_date < DATE '${to_date}'
)

SELECT
    order_id,
    user_id,
    ts,
    amount,
    ingest_ts,
    order_date
FROM valid_orders
