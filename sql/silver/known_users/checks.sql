-- check: user_id_unique | fail | a user has more than one row
SELECT user_id
FROM known_users
GROUP BY user_id
HAVING COUNT(*) > 1;

-- check: in_dim_users | fail | a user is not the same in dim_users
SELECT known_users.user_id
FROM known_users
FULL OUTER JOIN dim_users ON known_users.user_id = dim_users.user_id
WHERE
    NOT known_users.signup_date <=> dim_users.signup_date
    OR NOT known_users.country <=> dim_users.country
    OR NOT known_users.channel <=> dim_users.channel;
