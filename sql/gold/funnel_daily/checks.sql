-- check: key_unique | fail | a date and segment has more than one row
SELECT
    entry_date,
    country,
    channel
FROM funnel_daily
GROUP BY entry_date, country, channel
HAVING COUNT(*) > 1;

-- check: every_date_and_segment | fail | a segment lacks a date of the log
SELECT
    country,
    channel
FROM funnel_daily
GROUP BY country, channel
HAVING COUNT(*) <> DATEDIFF(DATE '${as_of}', DATE '${first_date}') + 1;

-- check: counts_fall_with_the_step | fail | a later step has more users than an earlier one
SELECT
    entry_date,
    country,
    channel
FROM funnel_daily
WHERE
    buyers < 0
    OR buyers > carters
    OR carters > viewers
    OR mature_buyers < 0
    OR mature_buyers > mature_carters
    OR mature_carters > mature_viewers;

-- check: mature_within_all | fail | more mature entries than entries, or a mature date with unfinished ones
SELECT
    entry_date,
    country,
    channel
FROM funnel_daily
WHERE
    mature_viewers > viewers
    OR mature_carters > carters
    OR mature_buyers > buyers
    OR (is_mature AND mature_viewers <> viewers);

-- check: overall_rate_is_product | fail | the overall rate is not the product of the step rates
SELECT
    entry_date,
    country,
    channel
FROM funnel_daily
WHERE ABS(overall_rate - view_to_cart_rate * cart_to_purchase_rate) > 1e-12;

-- check: segments_sum_to_total | fail | the counts of the segments of a date do not sum to its total
SELECT entry_date
FROM funnel_daily
GROUP BY entry_date
HAVING
    SUM(viewers) FILTER (WHERE country = 'all' AND channel = 'all')
    <> SUM(viewers) FILTER (WHERE country <> 'all' AND channel <> 'all')
    OR SUM(carters) FILTER (WHERE country = 'all' AND channel = 'all')
    <> SUM(carters) FILTER (WHERE country <> 'all' AND channel = 'all')
    OR SUM(buyers) FILTER (WHERE country = 'all' AND channel = 'all')
    <> SUM(buyers) FILTER (WHERE country = 'all' AND channel <> 'all');

-- check: every_viewer_enters | fail | the entries of a date differ from its users with a step 1
WITH entered AS (
    SELECT
        event_date,
        COUNT(DISTINCT user_id) AS users
    FROM fact_events
    WHERE event_type = '${funnel_step_1}'
    GROUP BY event_date
)

SELECT funnel_daily.entry_date
FROM funnel_daily
LEFT JOIN entered ON funnel_daily.entry_date = entered.event_date
WHERE
    funnel_daily.country = 'all'
    AND funnel_daily.channel = 'all'
    AND funnel_daily.viewers <> COALESCE(entered.users, 0)
    -- Other settings have other entries.
    AND '${funnel_order}' <> 'any_order'
    AND '${funnel_unit}' = 'user'
    AND '${funnel_range}' = 'day';

-- check: times_fit_the_window | fail | a time to convert lies outside the window, or is there without a buyer
SELECT
    entry_date,
    country,
    channel
FROM funnel_daily
WHERE
    (mature_buyers > 0) <> (mean_seconds_to_convert IS NOT NULL)
    OR (mature_buyers > 0) <> (median_seconds_to_convert IS NOT NULL)
    OR LEAST(mean_seconds_to_convert, median_seconds_to_convert) < 0
    OR GREATEST(mean_seconds_to_convert, median_seconds_to_convert)
    > 86400 * ${funnel_window_days}
    * CASE WHEN '${funnel_window_from}' = 'previous_step' THEN 2 ELSE 1 END;
