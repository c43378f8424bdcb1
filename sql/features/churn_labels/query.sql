-- churn_labels: one row per user and as_of date whose horizon is over, did the user stay away for all of it.
-- Reads: user_snapshots, user_daily_metrics.  Params: horizon_days, as_of.
-- Shell: ./spark-submit.sh sql -d horizon_days=14 -d as_of=2024-06-30 -f sql/features/churn_labels/query.sql
--
-- Here as_of (the parameter) is the last complete day of the log. The label is 0 for an order or an
-- event of an active type in [T, T + horizon), T being as_of (the column) 00:00, and reads what is
-- known today: the second clock limits what a feature may know, not what came true.
WITH
snapshots AS (
    SELECT
        user_id,
        as_of,
        TRUE AS is_snapshot
    FROM user_snapshots
    WHERE DATE_ADD(as_of, ${horizon_days} - 1) <= DATE '${as_of}'
),

active_days AS (
    SELECT
        user_id,
        metric_date AS as_of,
        FALSE AS is_snapshot
    FROM user_daily_metrics
),

-- Days and snapshots of a user in one row of dates: the next active day after T is then a minimum
-- over what follows, with one sort and no join of every snapshot with every day.
timeline AS (
    SELECT * FROM snapshots
    UNION ALL
    SELECT * FROM active_days
),

outlooks AS (
    SELECT
        user_id,
        as_of,
        is_snapshot,
        MIN(IF(is_snapshot, NULL, as_of)) OVER (
            PARTITION BY user_id
            ORDER BY as_of
            RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
        ) AS next_active_date
    FROM timeline
)

SELECT
    user_id,
    as_of,
    IF(next_active_date < DATE_ADD(as_of, ${horizon_days}), 0, 1) AS label
FROM outlooks
WHERE is_snapshot
