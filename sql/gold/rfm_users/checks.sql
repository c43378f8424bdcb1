-- check: key_unique | fail | a user has more than one row
SELECT user_id
FROM rfm_users
GROUP BY user_id
HAVING COUNT(*) > 1;

-- check: within_the_look_back | fail | a row has no order, or its last one lies outside the look-back
SELECT user_id
FROM rfm_users
WHERE
    frequency < 1
    OR monetary < 0
    OR recency_days NOT BETWEEN 0 AND ${rfm_lookback_days} - 1
    OR last_order_date <> DATE_SUB(as_of, recency_days);

-- check: equal_values_share_a_score | fail | users of one value have different scores
SELECT
    measured.measure,
    measured.measured_value
FROM rfm_users
    LATERAL VIEW STACK(
        3,
        'recency_days', CAST(recency_days AS DECIMAL(18, 2)), r_score,
        'frequency', CAST(frequency AS DECIMAL(18, 2)), f_score,
        'monetary', monetary, m_score
    ) measured AS measure, measured_value, score
GROUP BY measured.measure, measured.measured_value
HAVING MIN(measured.score) <> MAX(measured.score);

-- check: better_value_no_lower_score | fail | a user with a better value has a lower score
WITH by_recency AS (
    SELECT
        user_id,
        r_score,
        MIN(r_score) OVER (ORDER BY recency_days) AS lowest_of_better
    FROM rfm_users
),

by_frequency AS (
    SELECT
        user_id,
        f_score,
        MIN(f_score) OVER (ORDER BY frequency DESC) AS lowest_of_better
    FROM rfm_users
),

by_monetary AS (
    SELECT
        user_id,
        m_score,
        MIN(m_score) OVER (ORDER BY monetary DESC) AS lowest_of_better
    FROM rfm_users
)

SELECT user_id
FROM by_recency
WHERE r_score > lowest_of_better
UNION ALL
SELECT user_id
FROM by_frequency
WHERE f_score > lowest_of_better
UNION ALL
SELECT user_id
FROM by_monetary
WHERE m_score > lowest_of_better;

-- check: monetary_equals_orders | fail | orders or revenue of the look-back differ from fact_orders
WITH facts AS (
    SELECT
        COUNT(*) AS orders,
        COALESCE(SUM(amount), 0) AS revenue
    FROM fact_orders
    WHERE
        order_date > DATE_SUB(DATE '${as_of}', ${rfm_lookback_days})
        AND order_date <= DATE '${as_of}'
),

scored AS (
    SELECT
        COALESCE(SUM(frequency), 0) AS orders,
        COALESCE(SUM(monetary), 0) AS revenue
    FROM rfm_users
)

SELECT facts.orders
FROM facts
CROSS JOIN scored
WHERE facts.orders <> scored.orders OR facts.revenue <> scored.revenue;
