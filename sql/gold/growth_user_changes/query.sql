-- growth_user_changes: one row per period unit, last date of a period, country and channel where a
-- count of users differs from that of the period before; growth_periods sums them along the dates.
-- Reads: user_daily_metrics, dim_users.  Params: from_date, first_date, as_of.
-- Shell: ./spark-submit.sh sql -d from_date=2024-01-01 -d first_date=2024-01-01
--   -d as_of=2024-01-31 -f sql/gold/growth_user_changes/query.sql
-- Right once summed, for periods that end on from_date or later. No row per user and period: what a
-- user-day means for active, previous and churned users follows from it and the next one alone.

WITH user_gaps AS (
    SELECT
        user_id,
        metric_date,
        -- From 62 days on two dates never lie in neighbouring periods.
        LEAST(
            COALESCE(
                DATEDIFF(
                    LEAD(metric_date) OVER (PARTITION BY user_id ORDER BY metric_date), metric_date
                ),
                62
            ),
            62
        ) AS days_to_next
    FROM user_daily_metrics
    WHERE
        metric_date >= LEAST(
            DATE_SUB(GREATEST(DATE '${from_date}', DATE '${first_date}'), 55),
            ADD_MONTHS(
                TRUNC(GREATEST(DATE '${from_date}', DATE '${first_date}'), 'MONTH'), -1
            )
        )
        AND metric_date >= DATE '${first_date}'
        AND metric_date <= DATE '${as_of}'
),

users_by_gap AS (
    SELECT
        user_gaps.metric_date,
        dim_users.country,
        dim_users.channel,
        DATE_ADD(user_gaps.metric_date, user_gaps.days_to_next) AS next_date,
        COUNT(*) AS users
    FROM user_gaps
    INNER JOIN dim_users ON user_gaps.user_id = dim_users.user_id
    GROUP BY
        user_gaps.metric_date,
        dim_users.country,
        dim_users.channel,
        user_gaps.days_to_next
),

-- Last dates of the period of a user-day and of the two after it, of the period of the next user-day
-- and of the one after that. A rolling_28 period is the first to hold the date; successors end 28
-- dates later.
user_periods AS (
    SELECT
        users_by_gap.country,
        users_by_gap.channel,
        units.period_unit,
        units.own_period,
        units.period_after,
        units.second_after,
        LEAST(units.next_period, units.second_after) AS next_period,
        LEAST(units.after_next, units.second_after) AS after_next,
        SUM(users_by_gap.users) AS users
    FROM users_by_gap
        LATERAL VIEW STACK(
            4,
            'day',
            metric_date, DATE_ADD(metric_date, 1), DATE_ADD(metric_date, 2),
            next_date, DATE_ADD(next_date, 1),
            'week',
            DATE_ADD(TRUNC(metric_date, 'WEEK'), 6),
            DATE_ADD(TRUNC(metric_date, 'WEEK'), 13),
            DATE_ADD(TRUNC(metric_date, 'WEEK'), 20),
            DATE_ADD(TRUNC(next_date, 'WEEK'), 6),
            DATE_ADD(TRUNC(next_date, 'WEEK'), 13),
            'month',
            LAST_DAY(metric_date),
            LAST_DAY(ADD_MONTHS(metric_date, 1)),
            LAST_DAY(ADD_MONTHS(metric_date, 2)),
            LAST_DAY(next_date),
            LAST_DAY(ADD_MONTHS(next_date, 1)),
            'rolling_28',
            metric_date, DATE_ADD(metric_date, 28), DATE_ADD(metric_date, 56),
            next_date, DATE_ADD(next_date, 28)
        ) units
        AS period_unit, own_period, period_after, second_after, next_period, after_next
    GROUP BY
        users_by_gap.country,
        users_by_gap.channel,
        units.period_unit,
        units.own_period,
        units.period_after,
        units.second_after,
        LEAST(units.next_period, units.second_after),
        LEAST(units.after_next, units.second_after)
),

-- A user-day makes its user active from its own period until the next user-day does, or the period
-- is over; a previous user from the period after, until the next user-day does; and of these a
-- churned one until the next user-day brings the user back.
activity_changes AS (
    SELECT
        user_periods.period_unit,
        user_periods.country,
        user_periods.channel,
        bounds.period_end_date,
        bounds.active_users,
        bounds.previous_active_users,
        bounds.churned_users
    FROM user_periods
        LATERAL VIEW STACK(
            5,
            own_period, users, 0L, 0L,
            LEAST(next_period, period_after), -users, 0L, 0L,
            period_after, 0L, users, users,
            GREATEST(next_period, period_after), 0L, 0L, -users,
            after_next, 0L, -users, 0L
        ) bounds AS period_end_date, active_users, previous_active_users, churned_users
),

first_actives AS (
    SELECT
        first_active_date,
        country,
        channel,
        COUNT(*) AS users
    FROM dim_users
    WHERE first_active_date <= DATE '${as_of}'
    GROUP BY first_active_date, country, channel
),

first_changes AS (
    SELECT
        first_actives.country,
        first_actives.channel,
        units.period_unit,
        units.period_end_date,
        units.new_users,
        units.ever_active_users
    FROM first_actives
        LATERAL VIEW STACK(
            8,
            'day', first_active_date, users, users,
            'day', DATE_ADD(first_active_date, 1), -users, 0L,
            'week', DATE_ADD(TRUNC(first_active_date, 'WEEK'), 6), users, users,
            'week', DATE_ADD(TRUNC(first_active_date, 'WEEK'), 13), -users, 0L,
            'month', LAST_DAY(first_active_date), users, users,
            'month', LAST_DAY(ADD_MONTHS(first_active_date, 1)), -users, 0L,
            'rolling_28', first_active_date, users, users,
            'rolling_28', DATE_ADD(first_active_date, 28), -users, 0L
        ) units AS period_unit, period_end_date, new_users, ever_active_users
),

changes AS (
    SELECT
        period_unit,
        period_end_date,
        country,
        channel,
        active_users,
        previous_active_users,
        churned_users,
        0L AS new_users,
        0L AS ever_active_users
    FROM activity_changes
    UNION ALL
    SELECT
        period_unit,
        period_end_date,
        country,
        channel,
        0L AS active_users,
        0L AS previous_active_users,
        0L AS churned_users,
        new_users,
        ever_active_users
    FROM first_changes
)

SELECT
    period_unit,
    period_end_date,
    country,
    channel,
    SUM(active_users) AS active_users,
    SUM(previous_active_users) AS previous_active_users,
    SUM(churned_users) AS churned_users,
    SUM(new_users) AS new_users,
    SUM(ever_active_users) AS ever_active_users
FROM changes
GROUP BY period_unit, period_end_date, country, channel
