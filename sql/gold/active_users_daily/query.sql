-- active_users_daily: one row per date, country and channel, 'all' marking a total.
-- Reads: user_daily_metrics, dim_users, segments.  Params: from_date, to_date, first_date, as_of.
-- Shell: ./spark-submit.sh sql -d from_date=2024-01-01 -d to_date=2024-02-01
--   -d first_date=2024-01-01 -d as_of=2024-01-31 -f sql/gold/active_users_daily/query.sql
-- No distinct count over sliding windows: a user active on day d counts in the k-day window of the
-- days d to min(next active day - 1, d + k - 1), so +1 at the start and -1 after the end of these
-- intervals, summed along the dates, gives every window exactly.

WITH user_days_with_gaps AS (
    SELECT
        user_id,
        metric_date,
        -- From 30 days on, the longest window, all gaps are alike.
        LEAST(
            COALESCE(
                DATEDIFF(
                    LEAD(metric_date) OVER (PARTITION BY user_id ORDER BY metric_date), metric_date
                ),
                30
            ),
            30
        ) AS days_to_next
    FROM user_daily_metrics
    WHERE
        metric_date >= DATE_SUB(DATE '${from_date}', 29)
        AND metric_date >= DATE '${first_date}'
        AND metric_date < DATE '${to_date}'
        AND metric_date <= DATE '${as_of}'
),

users_by_gap AS (
    SELECT
        user_days_with_gaps.metric_date,
        dim_users.country,
        dim_users.channel,
        user_days_with_gaps.days_to_next,
        COUNT(*) AS users
    FROM user_days_with_gaps
    INNER JOIN dim_users ON user_days_with_gaps.user_id = dim_users.user_id
    GROUP BY
        user_days_with_gaps.metric_date,
        dim_users.country,
        dim_users.channel,
        user_days_with_gaps.days_to_next
),

interval_bounds AS (
    SELECT
        users_by_gap.country,
        users_by_gap.channel,
        bounds.metric_date,
        bounds.dau,
        bounds.change_7,
        bounds.change_28,
        bounds.change_30
    FROM users_by_gap
        LATERAL VIEW STACK(
            4,
            metric_date, users, users, users, users,
            DATE_ADD(metric_date, LEAST(days_to_next, 7)), 0L, -users, 0L, 0L,
            DATE_ADD(metric_date, LEAST(days_to_next, 28)), 0L, 0L, -users, 0L,
            DATE_ADD(metric_date, LEAST(days_to_next, 30)), 0L, 0L, 0L, -users
        ) bounds AS metric_date, dau, change_7, change_28, change_30
),

changes_by_segment AS (
    SELECT
        metric_date,
        CASE WHEN GROUPING(country) = 1 THEN 'all' ELSE country END AS country,
        CASE WHEN GROUPING(channel) = 1 THEN 'all' ELSE channel END AS channel,
        SUM(dau) AS dau,
        SUM(change_7) AS change_7,
        SUM(change_28) AS change_28,
        SUM(change_30) AS change_30
    FROM interval_bounds
    GROUP BY metric_date, CUBE (country, channel)
),

calendar AS (
    SELECT EXPLODE(SEQUENCE(DATE '${first_date}', DATE '${as_of}')) AS metric_date
),

-- Every date and segment, so that a day without activity is a row of zeros and frames count dates.
spine AS (
    SELECT
        calendar.metric_date,
        segments.country,
        segments.channel
    FROM calendar
    CROSS JOIN segments
    WHERE
        calendar.metric_date >= DATE_SUB(DATE '${from_date}', 29)
        AND calendar.metric_date < DATE '${to_date}'
),

actives AS (
    SELECT
        spine.metric_date,
        spine.country,
        spine.channel,
        COALESCE(changes_by_segment.dau, 0) AS dau,
        COALESCE(SUM(changes_by_segment.change_7) OVER dates_so_far, 0) AS wau_7,
        COALESCE(SUM(changes_by_segment.change_28) OVER dates_so_far, 0) AS mau_28,
        COALESCE(SUM(changes_by_segment.change_30) OVER dates_so_far, 0) AS mau_30,
        SUM(COALESCE(changes_by_segment.dau, 0)) OVER (
            PARTITION BY spine.country, spine.channel
            ORDER BY spine.metric_date
            ROWS BETWEEN 27 PRECEDING AND CURRENT ROW
        ) AS dau_sum_28d,
        spine.metric_date >= DATE_ADD(DATE '${first_date}', 6) AS is_wau_7_complete,
        spine.metric_date >= DATE_ADD(DATE '${first_date}', 27) AS is_mau_28_complete,
        spine.metric_date >= DATE_ADD(DATE '${first_date}', 29) AS is_mau_30_complete
    FROM spine
    LEFT JOIN changes_by_segment
        ON
            spine.metric_date = changes_by_segment.metric_date
            AND spine.country = changes_by_segment.country
            AND spine.channel = changes_by_segment.channel
    WINDOW dates_so_far AS (
        PARTITION BY spine.country, spine.channel
        ORDER BY spine.metric_date
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    )
)

SELECT
    metric_date,
    country,
    channel,
    dau,
    wau_7,
    mau_28,
    mau_30,
    CASE WHEN is_mau_28_complete THEN dau_sum_28d / 28D / NULLIF(mau_28, 0) END AS stickiness,
    is_wau_7_complete,
    is_mau_28_complete,
    is_mau_30_complete
FROM actives
WHERE metric_date >= DATE '${from_date}'
