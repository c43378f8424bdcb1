-- funnel_daily: one row per entry date, country and channel, 'all' marking a total.
-- Reads: funnel_entries, dim_users, segments.  Params: from_date, to_date, first_date, as_of, tz,
--   funnel_window_days, funnel_window_from.
-- Shell: ./spark-submit.sh sql -d from_date=2024-01-01 -d to_date=2024-02-01
--   -d first_date=2024-01-01 -d as_of=2024-01-31 -d tz=UTC -d funnel_window_days=7
--   -d funnel_window_from=first_step -f sql/gold/funnel_daily/query.sql

WITH entries AS (
    SELECT
        funnel_entries.entry_date,
        dim_users.country,
        dim_users.channel,
        funnel_entries.level,
        funnel_entries.is_mature,
        -- Whole numbers have sums and means that do not depend on the order of the rows.
        UNIX_MICROS(funnel_entries.level_3_at) - UNIX_MICROS(funnel_entries.entry_at) AS micros
    FROM funnel_entries
    INNER JOIN dim_users ON funnel_entries.user_id = dim_users.user_id
),

day_totals AS (
    SELECT
        entry_date,
        country,
        channel,
        COUNT(*) AS viewers,
        COUNT_IF(level >= 2) AS carters,
        COUNT_IF(level = 3) AS buyers,
        COUNT_IF(is_mature) AS mature_viewers,
        COUNT_IF(is_mature AND level >= 2) AS mature_carters,
        COUNT_IF(is_mature AND level = 3) AS mature_buyers,
        -- Few entries convert, and a median does not follow from those of the parts.
        COLLECT_LIST(CASE WHEN is_mature THEN micros END) AS times
    FROM entries
    GROUP BY entry_date, country, channel
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
        SUM(mature_buyers) AS mature_buyers,
        ARRAY_SORT(FLATTEN(COLLECT_LIST(times))) AS times
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
                + INTERVAL '${funnel_window_days}' DAY
                + CASE
                    WHEN '${funnel_window_from}' = 'previous_step'
                        THEN INTERVAL '${funnel_window_days}' DAY
                    ELSE INTERVAL '0' DAY
                END,
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
        totals_by_segment.times,
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
    AGGREGATE(times, CAST(0 AS BIGINT), (total, micros) -> total + micros)
    / NULLIF(mature_buyers, 0) / 1000000 AS mean_seconds_to_convert,
    -- The middle one twice, or the middle two; GET gives NULL where there is none.
    (
        GET(times, CAST((mature_buyers - 1) DIV 2 AS INT))
        + GET(times, CAST(mature_buyers DIV 2 AS INT))
    ) / 2 / 1000000 AS median_seconds_to_convert,
    is_mature
FROM counts
