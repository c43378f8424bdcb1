-- check: order_id_unique | fail | an order has more than one row
SELECT order_id
FROM fact_orders
GROUP BY order_id
HAVING COUNT(*) > 1;

-- check: order_date_is_date_of_ts | fail | an order lies on another date than its ts
SELECT order_id
FROM fact_orders
WHERE order_date <> CAST(FROM_UTC_TIMESTAMP(ts, '${tz}') AS DATE);

-- check: amount_not_negative | fail | an order has a negative amount
SELECT order_id
FROM fact_orders
WHERE amount < 0;

-- check: user_is_known | fail | an order has no user, or lies before the signup of its user
SELECT fact_orders.order_id
FROM fact_orders
LEFT JOIN dim_users ON fact_orders.user_id = dim_users.user_id
WHERE dim_users.user_id IS NULL OR fact_orders.order_date < dim_users.signup_date;
