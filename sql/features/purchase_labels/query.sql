-- purchase_labels: one row per user and as_of date whose horizon is over, did the user order in it.
-- Reads: user_snapshots, fact_orders.  Params: horizon_days, as_of.
-- Shell: ./spark-submit.sh sql -d horizon_days=7 -d as_of=2024-06-30 -f sql/features/purchase_labels/query.sql
--
-- Here as_of (the parameter) is the last complete day of the log. The label is 1 for an order in
-- [T, T + horizon), T being as_of (the column) 00:00, and reads what is known today: the second
-- clock limits what a feature may know, not what came true.
WITH
snapshots AS (
    SELECT
        user_id,
        as_of
    FROM user_snapshots
    WHERE DATE_ADD(as_of, ${horizon_days} - 1) <= DATE '${as_of}'
),

orders AS (
    SELECT
        user_id,
        order_date
    FROM fact_orders
),

-- Every date at which the order lay within the horizon; orders are few, so this stays small and
-- the join below is one of equal keys.
positive_dates AS (
    SELECT
        user_id,
        EXPLODE(SEQUENCE(DATE_SUB(order_date, ${horizon_days} - 1), order_date)) AS as_of
    FROM orders
),

positives AS (
    SELECT
        user_id,
        as_of
    FROM positive_dates
    GROUP BY user_id, as_of
)

SELECT
    snapshots.user_id,
    snapshots.as_of,
    IF(positives.user_id IS NULL, 0, 1) AS label
FROM snapshots
LEFT JOIN positives
    ON
        snapshots.user_id = positives.user_id
        AND snapshots.as_of = positives.as_of
