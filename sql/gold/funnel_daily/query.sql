-- funnel_daily: one row per entry date, country and channel, 'all' marking a total.
-- Reads: fact_events, dim_users, segments.  Params: from_date, to_date, first_date, as_of, tz,
--   funnel_step_1, funnel_step_2, funnel_step_3, funnel_window_days.
-- Shell: ./spark-submit.sh sql -d from_date=2024-01-01 -d to_date=2024-02-01
--   -d first_date=2024-01-01 -d as_of=2024-01-31 -d tz=UTC -d funnel_step_1=view
--   -d funnel_step_2=add_to_cart -d funnel_step_3=purchase -d funnel_window_days=7
--   -f sql/gold/funnel_daily/query.sql
-- Ordered funnel, first entry: a user enters on each date with a step 1, at the first one of that
-- date; steps 2 and 3 follow in this order, others may lie between, step 3 at most the window after
-- step 1 (inclusive). Ties are ordered by (ts, step, event_id).

WITH entries AS (
    SELECT
        user_id,
        event_date AS entry_date,
        1 AS step,
        MIN(ts) AS ts
    FROM fact_events
    WHERE
        event_type = '${funnel_step_1}'
        AND event_date >= DATE '${from_date}'
        AND event_date >= DATE '${first_date}'
        AND event_date < DATE '${to_date}'
        AND event_date <= DATE '${as_of}'
    GROUP BY user_id, event_date
),

-- Dates gate the entry only. One date more than the window: it may end on a date later where the
-- clocks go forward. Steps after as_of belong to an unfinished day and are not read.
later_steps AS (
    SELECT
        user_id,
        CASE event_type WHEN '${funnel_step_2}' THEN 2 ELSE 3 END AS step,
        ts
    FROM fact_events
    WHERE
        event_type IN ('${funnel_step_2}', '${funnel_step_3}')
        AND event_date >= DATE '${from_date}'
        AND event_date <= DATE_ADD(DATE '${to_date}', ${funnel_window_days})
        AND event_date <= DATE '${as_of}'
),

steps AS (
    SELECT
        user_id,
        entry_date,
        step,
        ts
    FROM entries
    UNION ALL
    SELECT
        user_id,
        CAST(NULL AS DATE) AS entry_date,
        step,
        ts
    FROM later_steps
),

-- Backwards in time, the smallest ts so far is that of the next such step. The step decides between
-- equal ts; event_id would decide between equal steps, where either gives the same chain.
steps_with_next_purchase AS (
    SELECT
        user_id,
        entry_date,
        step,
        ts,
        MIN(CASE WHEN step = 3 THEN ts END) OVER backwards AS next_purchase_at
    FROM steps
    WINDOW backwards AS (
        PARTITION BY user_id
        ORDER BY ts DESC, step DESC
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    )
),

-- The purchase of a chain is the next one after its cart, not the next one after its entry.
steps_with_chain AS (
    SELECT
        user_id,
        entry_date,
        step,
        ts,
        MIN(CASE WHEN step = 2 THEN ts END) OVER backwards AS cart_at,
        MIN(CASE WHEN step = 2 THEN next_purchase_at END) OVER backwards AS purchase_at
    FROM steps_with_next_purchase
    WINDOW backwards AS (
        PARTITION BY user_id
        ORDER BY ts DESC, step DESC
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    )
),

entry_outcomes AS (
    SELECT
        user_id,
        entry_date,
        COALESCE(cart_at <= ts + INTERVAL '${funnel_window_days}' DAY, FALSE) AS has_cart,
        COALESCE(purchase_at <= ts + INTERVAL '${funnel_window_days}' DAY, FALSE) AS has_purchase,
        CAST(
            FROM_UTC_TIMESTAMP(ts + INTERVAL '${funnel_window_days}' DAY, '${tz}') AS DATE
        ) <= DATE '${as_of}' AS is_mature
    FROM steps_with_chain
    WHERE step = 1
),

day_totals AS (
    SELECT
        entry_outcomes.entry_date,
        dim_users.country,
        dim_users.channel,
        COUNT(*) AS viewers,
        COUNT_IF(entry_outcomes.has_cart) AS carters,
        COUNT_IF(entry_outcomes.has_purchase) AS buyers,
        COUNT_IF(entry_outcomes.is_mature) AS mature_viewers,
        COUNT_IF(entry_outcomes.is_mature AND entry_outcomes.has_cart) AS mature_carters,
        COUNT_IF(entry_outcomes.is_mature AND entry_outcomes.has_purchase) AS mature_buyers
    FROM entry_outcomes
    INNER JOIN dim_users ON entry_outcomes.user_id = dim_users.user_id
    GROUP BY entry_outcomes.entry_date, dim_users.country, dim_users.channel
),

totals_by_segment AS (
    SELECT
        entry_date,
        CASE WHEN GROUPING(country) = 1 THEN 'all' ELSE country END AS country,
        CASE WHEN GROUPING(channel) = 1 THEN 'all' ELSE channel END AS channel,
        SUM(viewers) AS viewers,
        SUM(carters) AS carters,
        SUM(buyers) AS buyers,
        SUM(mature_viewers) AS mature_viewers,
        SUM(mature_carters) AS mature_carters,
        SUM(mature_buyers) AS mature_buyers
    FROM day_totals
    GROUP BY entry_date, CUBE (country, channel)
),

calendar AS (
    SELECT EXPLODE(SEQUENCE(DATE '${first_date}', DATE '${as_of}')) AS entry_date
),

-- Every date and segment; a date is mature once even its last moment is.
spine AS (
    SELECT
        calendar.entry_date,
        segments.country,
        segments.channel,
        CAST(
            FROM_UTC_TIMESTAMP(
                TO_UTC_TIMESTAMP(DATE_ADD(calendar.entry_date, 1), '${tz}')
                - INTERVAL '1' SECOND
                + INTERVAL '${funnel_window_days}' DAY,
                '${tz}'
            ) AS DATE
        ) <= DATE '${as_of}' AS is_mature
    FROM calendar
    CROSS JOIN segments
    WHERE
        calendar.entry_date >= DATE '${from_date}'
        AND calendar.entry_date < DATE '${to_date}'
),

counts AS (
    SELECT
        spine.entry_date,
        spine.country,
        spine.channel,
        COALESCE(totals_by_segment.viewers, 0) AS viewers,
        COALESCE(totals_by_segment.carters, 0) AS carters,
        COALESCE(totals_by_segment.buyers, 0) AS buyers,
        COALESCE(totals_by_segment.mature_viewers, 0) AS mature_viewers,
        COALESCE(totals_by_segment.mature_carters, 0) AS mature_carters,
        COALESCE(totals_by_segment.mature_buyers, 0) AS mature_buyers,
        spine.is_mature
    FROM spine
    LEFT JOIN totals_by_segment
        ON
            spine.entry_date = totals_by_segment.entry_date
            AND spine.country = totals_by_segment.country
            AND spine.channel = totals_by_segment.channel
)

SELECT
    entry_date,
    country,
    channel,
    viewers,
    carters,
    buyers,
    mature_viewers,
    mature_carters,
    mature_buyers,
    -- Mature entries only: an unfinished window would count as a failure.
    mature_carters / NULLIF(mature_viewers, 0) AS view_to_cart_rate,
    mature_buyers / NULLIF(mature_carters, 0) AS cart_to_purchase_rate,
    mature_buyers / NULLIF(mature_viewers, 0) AS overall_rate,
    is_mature
FROM counts
