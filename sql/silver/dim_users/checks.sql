-- check: user_id_unique | fail | a user has more than one row
SELECT user_id
FROM dim_users
GROUP BY user_id
HAVING COUNT(*) > 1;

-- check: segment_not_reserved | fail | a country or channel is named as the totals are
SELECT user_id
FROM dim_users
WHERE country = 'all' OR channel = 'all';

-- check: dates_in_order | fail | signup, first activity, first order and last activity are out of order
SELECT user_id
FROM dim_users
WHERE
    first_active_date < signup_date
    OR first_active_date > last_active_date
    OR first_order_date NOT BETWEEN first_active_date AND last_active_date
    OR (first_active_date IS NULL AND first_order_date IS NOT NULL);

-- check: first_active_date_is_date_of_moment | fail | first_active_date is not the date of first_active_at
SELECT user_id
FROM dim_users
WHERE NOT first_active_date <=> CAST(FROM_UTC_TIMESTAMP(first_active_at, '${tz}') AS DATE);
