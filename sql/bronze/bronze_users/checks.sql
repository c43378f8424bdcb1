-- check: row_is_traceable | fail | a row names no user, signup, arrival, source or batch
SELECT
    user_id,
    batch_id
FROM bronze_users
WHERE
    user_id IS NULL
    OR signup_date IS NULL
    OR ingest_ts IS NULL
    OR source IS NULL
    OR batch_id IS NULL;

-- check: signup_is_not_ahead | warn | a user arrived before the day of signup
SELECT
    user_id,
    signup_date,
    ingest_ts
FROM bronze_users
WHERE ingest_ts < signup_date;
