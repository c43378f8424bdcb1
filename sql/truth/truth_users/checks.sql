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

-- check: campaign_has_an_audience | fail | an arm without its truth, or a truth that is no chance
SELECT user_id
FROM truth_users
WHERE
    campaign_arm NOT IN ('contacted', 'held_out')
    OR price_arm NOT IN ('other_price', 'usual_price')
    OR (campaign_arm IS NULL) <> (true_uplift IS NULL)
    OR (campaign_arm IS NULL) <> (campaign_order_probability IS NULL)
    OR campaign_order_probability NOT BETWEEN 0 AND 1
    OR campaign_order_probability + true_uplift NOT BETWEEN 0 AND 1;
