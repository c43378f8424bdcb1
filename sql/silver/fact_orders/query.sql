-- fact_orders: one row per order.
-- Reads: orders_checked.  Params: from_date, to_date.
-- Shell: none; it reads orders_checked, a view that only a build makes.

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
