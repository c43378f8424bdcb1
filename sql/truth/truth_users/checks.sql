-- check: user_is_unique | fail | a user has two sets of traits
SELECT
    user_id,
    COUNT(*) AS copies
FROM truth_users
GROUP BY user_id
HAVING COUNT(*) > 1;

-- check: traits_are_possible | fail | a trait lies outside what the process can draw
SELECT user_id
FROM truth_users
WHERE
    rate_multiplier <= 0
    OR conversion_multiplier <= 0
    OR leave_hazard <= 0
    OR leave_hazard >= 1
    OR lifetime_days < 0
    OR last_alive_date <> DATE_ADD(signup_date, lifetime_days);
