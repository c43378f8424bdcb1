-- quarantine: one row per rejected row, here those of bronze that a build rejects, with the rule.
-- Reads: users_checked, events_checked, orders_checked.  Params: from_date, to_date.
-- Shell: ./spark-submit.sh sql -d from_date=2024-01-01 -d to_date=2024-02-01
--   -f sql/silver/quarantine/query.sql

WITH rejected_rows AS (
    SELECT
        'bronze_users' AS table_name,
        signup_date AS row_date,
        user_id AS row_id,
        rule,
        message,
        TO_JSON(
            STRUCT(user_id, signup_date, country, channel, ingest_ts),
            -- Spark alone would cut the microseconds off.
            MAP('timestampFormat', "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX")
        ) AS payload,
        batch_id
    FROM users_checked
    WHERE rule IS NOT NULL
    UNION ALL
    SELECT
        'bronze_events' AS table_name,
        event_date AS row_date,
        event_id AS row_id,
        rule,
        message,
        TO_JSON(
            STRUCT(event_id, user_id, ts, event_type, value, ingest_ts),
            -- Spark alone would cut the microseconds off.
            MAP('timestampFormat', "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX")
        ) AS payload,
        batch_id
    FROM events_checked
    WHERE rule IS NOT NULL
    UNION ALL
    SELECT
        'bronze_orders' AS table_name,
        order_date AS row_date,
        order_id AS row_id,
        rule,
        message,
        TO_JSON(
            STRUCT(order_id, user_id, ts, CAST(amount AS STRING) AS amount, ingest_ts),
            -- Spark alone would cut the microseconds off.
            MAP('timestampFormat', "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX")
        ) AS payload,
        batch_id
    FROM orders_checked
    WHERE rule IS NOT NULL
)

SELECT
    'build' AS stage,
    table_name,
    row_date,
    row_id,
    rule,
    message,
    payload,
    batch_id
FROM rejected_rows
WHERE row_date >= DATE '${from_date}' AND row_date < DATE '${to_date}'
