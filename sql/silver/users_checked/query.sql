-- users_checked: one row per row of bronze_users, with the rule it breaks (NULL for the row kept).
-- Reads: bronze_users.  Params: tz, earliest_date, max_clock_ahead_hours.
-- Shell: ./spark-submit.sh sql -d tz=UTC -d earliest_date=1990-01-01 -d max_clock_ahead_hours=24
--   -f sql/silver/users_checked/query.sql

WITH judged_users AS (
    SELECT
        user_id,
        signup_date,
        country,
        channel,
        ingest_ts,
        source,
        batch_id,
        XXHASH64(signup_date, country, channel) AS content_hash,
        CASE
            WHEN signup_date < DATE '${earliest_date}' THEN 'ts_before_earliest'
            WHEN
                signup_date > CAST(
                    FROM_UTC_TIMESTAMP(
                        ingest_ts + INTERVAL '${max_clock_ahead_hours}' HOUR, '${tz}'
                    ) AS DATE
                )
                THEN 'ts_after_ingest'
            -- 'all' marks the totals of the gold tables: such a segment could not be told from one.
            WHEN country = 'all' OR channel = 'all' THEN 'reserved_segment'
        END AS broken_rule
    FROM bronze_users
),

-- Rows are judged first, so that a broken copy never takes the place of a good one. A user that a
-- team gave beats one that ingest derived from activity, whenever either came. source and batch_id
-- make the order total; they decide only between rows of the same content.
ranked_users AS (
    SELECT
        user_id,
        signup_date,
        country,
        channel,
        ingest_ts,
        source,
        batch_id,
        broken_rule,
        content_hash,
        ROW_NUMBER() OVER copies AS copy_no,
        FIRST_VALUE(content_hash) OVER copies AS kept_content_hash
    FROM judged_users
    WINDOW copies AS (
        PARTITION BY user_id, broken_rule IS NULL
        ORDER BY source LIKE '% (derived)', ingest_ts, content_hash, source, batch_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    )
),

ruled_users AS (
    SELECT
        user_id,
        signup_date,
        country,
        channel,
        ingest_ts,
        source,
        batch_id,
        CASE
            WHEN broken_rule IS NOT NULL THEN broken_rule
            WHEN copy_no > 1 AND content_hash = kept_content_hash THEN 'duplicate_exact'
            WHEN copy_no > 1 THEN 'duplicate_altered'
        END AS rule
    FROM ranked_users
)

SELECT
    user_id,
    signup_date,
    country,
    channel,
    ingest_ts,
    source,
    batch_id,
    rule,
    CASE rule
        WHEN 'ts_before_earliest' THEN 'signup_date lies before ${earliest_date}'
        WHEN 'ts_after_ingest'
            THEN 'signup_date lies more than ${max_clock_ahead_hours} hours after ingest_ts'
        WHEN 'reserved_segment' THEN "country or channel is 'all', the name of the totals"
        WHEN 'duplicate_exact' THEN 'same content as the row kept for this user_id'
        WHEN 'duplicate_altered' THEN 'other content than the row kept for this user_id'
    END AS message
FROM ruled_users
