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
