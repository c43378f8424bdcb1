-- check: event_id_unique | fail | an event has more than one row
SELECT event_id
FROM fact_events
GROUP BY event_id
HAVING COUNT(*) > 1;

-- check: event_date_is_date_of_ts | fail | an event lies on another date than its ts
SELECT event_id
FROM fact_events
WHERE event_date <> CAST(FROM_UTC_TIMESTAMP(ts, '${tz}') AS DATE);

-- check: event_is_valid | fail | an event has an unknown type, or a value that is not a finite amount
SELECT event_id
FROM fact_events
WHERE
    event_type NOT IN (${event_types})
    OR ISNAN(value)
    OR value = CAST('Infinity' AS DOUBLE)
    OR value < 0;

-- check: user_is_known | fail | an event has no user, or lies before the signup of its user
SELECT fact_events.event_id
FROM fact_events
LEFT JOIN dim_users ON fact_events.user_id = dim_users.user_id
WHERE dim_users.user_id IS NULL OR fact_events.event_date < dim_users.signup_date;

-- check: session_has_one_start | fail | a session has no first event, or several
SELECT
    user_id,
    event_date,
    session_no
FROM fact_events
GROUP BY user_id, event_date, session_no
HAVING COUNT_IF(is_session_start) <> 1;
