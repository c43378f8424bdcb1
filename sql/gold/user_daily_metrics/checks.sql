-- check: key_unique | fail | a user has more than one row on a date
SELECT
    user_id,
    metric_date
FROM user_daily_metrics
GROUP BY user_id, metric_date
HAVING COUNT(*) > 1;

-- check: row_is_active | fail | a row has neither event nor order, or a negative or contradictory count
SELECT
    user_id,
    metric_date
FROM user_daily_metrics
WHERE
    (events < 1 AND orders < 1)
    OR (events > 0) <> (sessions > 0)
    OR events < views + add_to_carts + purchases
    OR LEAST(sessions, events, views, add_to_carts, purchases, orders) < 0
    OR revenue < 0
    OR (orders = 0 AND revenue <> 0);

-- check: revenue_equals_orders | fail | orders or revenue of a date differ from fact_orders
WITH user_days AS (
    SELECT
        metric_date,
        SUM(orders) AS orders,
        SUM(revenue) AS revenue
    FROM user_daily_metrics
    WHERE orders > 0
    GROUP BY metric_date
),

facts AS (
    SELECT
        order_date,
        COUNT(*) AS orders,
        SUM(amount) AS revenue
    FROM fact_orders
    GROUP BY order_date
)

SELECT user_days.metric_date
FROM user_days
FULL OUTER JOIN facts ON user_days.metric_date = facts.order_date
WHERE NOT user_days.orders <=> facts.orders OR NOT user_days.revenue <=> facts.revenue;

-- check: orders_match_purchase_events | warn | the log has not as many purchase events as orders on a date
SELECT metric_date
FROM user_daily_metrics
GROUP BY metric_date
HAVING SUM(purchases) <> SUM(orders);
