-- orders_checked: one row per row of bronze_orders on the days asked for, with the rule it breaks
-- (NULL for the row kept).
-- Reads: bronze_orders, known_users.  Params: from_date, to_date, tz, earliest_date,
--   max_clock_ahead_hours.
-- Shell: ./spark-submit.sh sql -d from_date=2024-01-01 -d to_date=2024-02-01 -d tz=UTC
--   -d earliest_date=1990-01-01 -d max_clock_ahead_hours=24
--   -f sql/silver/orders_checked/query.sql

WITH dated_orders AS (
    SELECT
        order_id,
        user_id,
        ts,
        amount,
        ingest_ts,
        source,
        batch_id,
        CAST(FROM_UTC_TIMESTAMP(ts, '${tz}') AS DATE) AS order_date
    FROM bronze_orders
),

-- The bounds on ts, a day wider than any time zone shifts, let the files of other days be skipped.
orders_of_days AS (
    SELECT
        order_id,
        user_id,
        ts,
        amount,
        ingest_ts,
        source,
        batch_id,
        order_date
    FROM dated_orders
    WHERE
        order_date >= DATE '${from_date}'
        AND order_date < DATE '${to_date}'
        AND ts >= TIMESTAMP '${from_date}' - INTERVAL '1' DAY
        AND ts < TIMESTAMP '${to_date}' + INTERVAL '1' DAY
),

-- An id may come back with another ts: which row is kept must not depend on the days asked for.
-- A copy may appear several times here; these rows compete, but only rows of the days are put out.
-- An inner join costs nothing where every day is asked for: there is no file of other days.
copies_on_other_days AS (
    SELECT
        dated_orders.order_id,
        dated_orders.user_id,
        dated_orders.ts,
        dated_orders.amount,
        dated_orders.ingest_ts,
        dated_orders.source,
        dated_orders.batch_id,
        dated_orders.order_date
    FROM dated_orders
    INNER JOIN orders_of_days ON dated_orders.order_id = orders_of_days.order_id
    WHERE
        (
            dated_orders.order_date < DATE '${from_date}'
            OR dated_orders.order_date >= DATE '${to_date}'
        )
        AND (
            dated_orders.ts < TIMESTAMP '${from_date}' + INTERVAL '1' DAY
            OR dated_orders.ts >= TIMESTAMP '${to_date}' - INTERVAL '1' DAY
        )
),

candidate_orders AS (
    SELECT
        order_id,
        user_id,
        ts,
        amount,
        ingest_ts,
        source,
        batch_id,
        order_date
    FROM orders_of_days
    UNION ALL
    SELECT
        order_id,
        user_id,
        ts,
        amount,
        ingest_ts,
        source,
        batch_id,
        order_date
    FROM copies_on_other_days
),

judged_orders AS (
    SELECT
        candidate_orders.order_id,
        candidate_orders.user_id,
        candidate_orders.ts,
        candidate_orders.amount,
        candidate_orders.ingest_ts,
        candidate_orders.source,
        candidate_orders.batch_id,
        candidate_orders.order_date,
        XXHASH64(
            candidate_orders.user_id, candidate_orders.ts, candidate_orders.amount
        ) AS content_hash,
        CASE
            WHEN candidate_orders.order_date < DATE '${earliest_date}' THEN 'ts_before_earliest'
            WHEN
                candidate_orders.ts
                > candidate_orders.ingest_ts + INTERVAL '${max_clock_ahead_hours}' HOUR
                THEN 'ts_after_ingest'
            WHEN known_users.user_id IS NULL THEN 'unknown_user'
            WHEN candidate_orders.order_date < known_users.signup_date THEN 'before_signup'
            WHEN candidate_orders.amount < 0 THEN 'negative_amount'
        END AS broken_rule
    FROM candidate_orders
    LEFT JOIN known_users ON candidate_orders.user_id = known_users.user_id
),

-- Rows are judged first, so that a broken copy never takes the place of a good one. source and
-- batch_id make the order total; they decide only between rows of the same content.
ranked_orders AS (
    SELECT
        order_id,
        user_id,
        ts,
        amount,
        ingest_ts,
        source,
        batch_id,
        order_date,
        broken_rule,
        content_hash,
        ROW_NUMBER() OVER copies AS copy_no,
        FIRST_VALUE(content_hash) OVER copies AS kept_content_hash
    FROM judged_orders
    WINDOW copies AS (
        PARTITION BY order_id, broken_rule IS NULL
        ORDER BY ingest_ts, content_hash, source, batch_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    )
),

ruled_orders AS (
    SELECT
        order_id,
        user_id,
        ts,
        amount,
        ingest_ts,
        source,
        batch_id,
        order_date,
        CASE
            WHEN broken_rule IS NOT NULL THEN broken_rule
            WHEN copy_no > 1 AND content_hash = kept_content_hash THEN 'duplicate_exact'
            WHEN copy_no > 1 THEN 'duplicate_altered'
        END AS rule
    FROM ranked_orders
    WHERE order_date >= DATE '${from_date}' AND order_date < DATE '${to_date}'
)

SELECT
    order_id,
    user_id,
    ts,
    amount,
    ingest_ts,
    source,
    batch_id,
    order_date,
    rule,
    CASE rule
        WHEN 'ts_before_earliest' THEN 'ts lies before ${earliest_date}'
        WHEN 'ts_after_ingest'
            THEN 'ts lies more than ${max_clock_ahead_hours} hours after ingest_ts'
        WHEN 'negative_amount' THEN 'amount is negative'
        WHEN 'unknown_user' THEN 'no valid user has this user_id'
        WHEN 'before_signup' THEN 'the order lies before the signup_date of its user'
        WHEN 'duplicate_exact' THEN 'same content as the row kept for this order_id'
        WHEN 'duplicate_altered' THEN 'other content than the row kept for this order_id'
    END AS message
FROM ruled_orders
