-- check: key_unique | fail | a cell has more than one row
SELECT
    cohort_unit,
    cohort_date,
    country,
    channel,
    horizon_days
FROM ltv_cohorts
GROUP BY cohort_unit, cohort_date, country, channel, horizon_days
HAVING COUNT(*) > 1;

-- check: every_horizon | fail | a cohort lacks a horizon
SELECT
    cohort_unit,
    cohort_date,
    country,
    channel
FROM ltv_cohorts
GROUP BY cohort_unit, cohort_date, country, channel
HAVING
    COUNT(*) <> SIZE(ARRAY(${ltv_horizon_days}))
    OR COUNT_IF(horizon_days IN (${ltv_horizon_days})) <> COUNT(*);

-- check: unfinished_is_null | fail | an unfinished cell holds a number, or a finished one none
SELECT
    cohort_unit,
    cohort_date,
    horizon_days
FROM ltv_cohorts
WHERE
    (revenue IS NOT NULL) <> is_complete
    OR (buyers IS NOT NULL) <> is_complete
    OR (ltv IS NOT NULL) <> (is_complete AND cohort_size > 0);

-- check: ltv_is_per_user_of_the_cohort | fail | ltv is not revenue divided by all users, or there are more buyers than users
SELECT
    cohort_unit,
    cohort_date,
    horizon_days
FROM ltv_cohorts
WHERE
    ABS(COALESCE(ltv, 0) * cohort_size - revenue) > 0.005
    OR buyers NOT BETWEEN 0 AND cohort_size
    OR (buyers = 0 AND revenue <> 0)
    OR revenue < 0;

-- check: never_falls_with_the_horizon | fail | a cohort spent less, or had fewer buyers or other users, by a later day
WITH neighbours AS (
    SELECT
        cohort_unit,
        cohort_date,
        horizon_days,
        cohort_size,
        buyers,
        revenue,
        LAG(cohort_size) OVER cohort_horizons AS earlier_size,
        LAG(buyers) OVER cohort_horizons AS earlier_buyers,
        LAG(revenue) OVER cohort_horizons AS earlier_revenue
    FROM ltv_cohorts
    WINDOW cohort_horizons AS (
        PARTITION BY cohort_unit, cohort_date, country, channel ORDER BY horizon_days
    )
)

SELECT
    cohort_unit,
    cohort_date,
    horizon_days
FROM neighbours
WHERE
    cohort_size <> earlier_size
    OR buyers < earlier_buyers
    OR revenue < earlier_revenue;

-- check: segments_sum_to_total | fail | the segments of a cell do not sum to its total
SELECT
    cohort_unit,
    cohort_date,
    horizon_days
FROM ltv_cohorts
GROUP BY cohort_unit, cohort_date, horizon_days
HAVING
    SUM(cohort_size) FILTER (WHERE country = 'all' AND channel = 'all')
    <> SUM(cohort_size) FILTER (WHERE country <> 'all' AND channel <> 'all')
    OR (
        BOOL_AND(is_complete)
        AND (
            SUM(revenue) FILTER (WHERE country = 'all' AND channel = 'all')
            <> SUM(revenue) FILTER (WHERE country <> 'all' AND channel <> 'all')
            OR SUM(buyers) FILTER (WHERE country = 'all' AND channel = 'all')
            <> SUM(buyers) FILTER (WHERE country <> 'all' AND channel <> 'all')
        )
    );

-- check: sizes_are_those_of_retention | fail | a cohort has other users than in retention_cohorts
SELECT ltv_cohorts.cohort_date
FROM ltv_cohorts
LEFT JOIN retention_cohorts
    ON
        ltv_cohorts.cohort_unit = retention_cohorts.period_unit
        AND ltv_cohorts.cohort_date = retention_cohorts.cohort_date
        AND ltv_cohorts.country = retention_cohorts.country
        AND ltv_cohorts.channel = retention_cohorts.channel
        AND retention_cohorts.period = 0
WHERE NOT ltv_cohorts.cohort_size <=> retention_cohorts.cohort_size;

-- check: revenue_added_up_one_by_one | fail | revenue or buyers of a day cohort differ from the orders of its users day by day
WITH order_days AS (
    SELECT
        dim_users.${retention_cohort_date} AS start_date,
        user_daily_metrics.user_id,
        DATEDIFF(user_daily_metrics.metric_date, dim_users.${retention_cohort_date}) AS day_no,
        user_daily_metrics.revenue
    FROM user_daily_metrics
    INNER JOIN dim_users ON user_daily_metrics.user_id = dim_users.user_id
    WHERE user_daily_metrics.orders > 0
),

sums AS (
    SELECT
        ltv_cohorts.cohort_date,
        ltv_cohorts.horizon_days,
        ltv_cohorts.revenue,
        ltv_cohorts.buyers,
        CAST(COALESCE(SUM(order_days.revenue), 0) AS DECIMAL(18, 2)) AS revenue_by_day,
        COUNT(DISTINCT order_days.user_id) AS buyers_by_day
    FROM ltv_cohorts
    LEFT JOIN order_days
        ON
            ltv_cohorts.cohort_date = order_days.start_date
            AND ltv_cohorts.horizon_days >= order_days.day_no
    WHERE
        ltv_cohorts.cohort_unit = 'day'
        AND ltv_cohorts.country = 'all'
        AND ltv_cohorts.channel = 'all'
    GROUP BY
        ltv_cohorts.cohort_date,
        ltv_cohorts.horizon_days,
        ltv_cohorts.revenue,
        ltv_cohorts.buyers
)

SELECT
    cohort_date,
    horizon_days
FROM sums
WHERE revenue <> revenue_by_day OR buyers <> buyers_by_day;
