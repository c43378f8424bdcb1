-- check: key_unique | fail | an hour, event type and segment has more than one row
SELECT
    activity_date,
    activity_hour,
    event_type,
    country,
    channel
FROM activity_sketches_hourly
GROUP BY activity_date, activity_hour, event_type, country, channel
HAVING COUNT(*) > 1;

-- check: counts_agree | fail | a row has no user, or fewer events than users
SELECT
    activity_date,
    activity_hour,
    event_type
FROM activity_sketches_hourly
WHERE users < 1 OR events < users;

-- check: events_equal_facts | fail | the events of a date differ from fact_events in number
WITH facts AS (
    SELECT
        event_date,
        COUNT(*) AS events
    FROM fact_events
    GROUP BY event_date
),

sketched AS (
    SELECT
        activity_date,
        SUM(events) AS events
    FROM activity_sketches_hourly
    GROUP BY activity_date
)

SELECT facts.event_date
FROM facts
FULL OUTER JOIN sketched ON facts.event_date = sketched.activity_date
WHERE NOT facts.events <=> sketched.events;

-- check: estimates_are_near | fail | a sketch is off by more than 8 standard errors and one user
SELECT
    activity_date,
    activity_hour,
    event_type,
    country,
    channel
FROM activity_sketches_hourly
WHERE
    ABS(HLL_SKETCH_ESTIMATE(users_hll) - users)
    > 1 + 8 * 1.04 * users / SQRT(POWER(2, ${sketch_lg_k}))
    OR ABS(THETA_SKETCH_ESTIMATE(users_theta) - users)
    > 1 + 8 * users / SQRT(POWER(2, ${sketch_lg_k}));
