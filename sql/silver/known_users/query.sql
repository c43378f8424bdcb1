-- known_users: one row per valid user.
-- Reads: users_checked.
-- Shell: ./spark-submit.sh sql -f sql/silver/known_users/query.sql

SELECT
    user_id,
    signup_date,
    COALESCE(country, 'unknown') AS country,
    COALESCE(channel, 'unknown') AS channel
FROM users_checked
WHERE rule IS NULL
