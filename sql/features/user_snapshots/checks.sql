-- check: snapshot_is_unique | fail | a user has two snapshots of one date
SELECT
    user_id,
    as_of,
    COUNT(*) AS snapshots
FROM user_snapshots
GROUP BY user_id, as_of
HAVING COUNT(*) > 1;

-- check: no_activity_at_or_after_as_of | fail | a feature reads the day of the label
SELECT
    user_id,
    as_of
FROM user_snapshots
WHERE
    LEAST(
        days_since_last_active,
        days_since_last_view,
        days_since_last_cart,
        days_since_last_order
    ) < 1;

-- check: windows_are_nested | fail | a shorter window holds more than a longer one
SELECT
    user_id,
    as_of
FROM user_snapshots
WHERE
    views_7d > views_30d
    OR add_to_carts_1d > add_to_carts_3d
    OR add_to_carts_3d > add_to_carts_7d
    OR add_to_carts_7d > add_to_carts_30d
    OR add_to_carts_30d > add_to_carts_lifetime
    OR orders_1d > orders_3d
    OR orders_3d > orders_7d
    OR orders_7d > orders_30d
    OR orders_30d > orders_lifetime
    OR active_days_3d > active_days_7d
    OR active_days_7d > active_days_30d
    OR active_days_30d > active_days_90d
    OR active_days_90d > active_days_lifetime
    OR active_hours_1d > active_hours_3d
    OR active_hours_3d > active_hours_7d
    OR active_hours_7d > active_hours_30d
    OR active_hours_30d > active_hours_90d
    OR active_hours_90d > active_hours_lifetime
    OR order_days_lifetime > LEAST(orders_lifetime, active_days_lifetime)
    OR revenue_30d > revenue_lifetime;

-- check: active_days_fit_into_the_days_seen | fail | more active days than days
SELECT
    user_id,
    as_of
FROM user_snapshots
WHERE
    active_days_lifetime > observed_days
    OR days_since_second_last_active < days_since_last_active
    OR days_since_third_last_active < days_since_second_last_active;

-- check: missing_is_flagged | fail | a sentinel without its flag, or a flag without its sentinel
SELECT
    user_id,
    as_of
FROM user_snapshots
WHERE
    is_last_view_missing <> (days_since_last_view = 9999)
    OR is_last_cart_missing <> (days_since_last_cart = 9999)
    OR is_last_order_missing <> (days_since_last_order = 9999)
    OR is_order_gap_missing <> (mean_order_gap_days = 9999)
    OR is_order_gap_missing <> (recency_to_order_gap = 9999)
    OR is_last_order_missing <> (orders_lifetime = 0)
    OR is_order_gap_missing <> (orders_lifetime < 2);

-- check: numbers_are_finite | fail | NaN or infinity, which the model cannot take
SELECT
    user_id,
    as_of
FROM user_snapshots
WHERE
    NOT (
        ABS(revenue_lifetime) < 1e15
        AND ABS(mean_order_gap_days) < 1e15
        AND ABS(recency_to_order_gap) < 1e15
    )
    OR ISNAN(revenue_lifetime)
    OR ISNAN(mean_order_gap_days)
    OR ISNAN(recency_to_order_gap);

-- check: signup_precedes_as_of | fail | a snapshot of a user who had not signed up
SELECT
    user_id,
    as_of
FROM user_snapshots
WHERE tenure_days < 1;
