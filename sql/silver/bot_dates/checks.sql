-- check: key_unique | fail | a user has more than one row on a date
SELECT
    user_id,
    event_date
FROM bot_dates
GROUP BY user_id, event_date
HAVING COUNT(*) > 1;

-- check: nothing_of_bots_in_facts | fail | an event of a bot's date is a fact
SELECT fact_events.event_id
FROM fact_events
INNER JOIN bot_dates
    ON fact_events.user_id = bot_dates.user_id AND fact_events.event_date = bot_dates.event_date;
