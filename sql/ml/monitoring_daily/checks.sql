-- check: finding_is_unique | fail | a date, target, check and feature are there twice
SELECT
    as_of,
    target,
    check_name,
    feature,
    COUNT(*) AS findings
FROM monitoring_daily
GROUP BY as_of, target, check_name, feature
HAVING COUNT(*) > 1;

-- check: alarm_is_what_its_limits_say | fail | a value outside its limits is no alarm, or one inside is
SELECT
    as_of,
    target,
    check_name,
    feature
FROM monitoring_daily
WHERE is_alarm <> (COALESCE(value < low, FALSE) OR COALESCE(value > high, FALSE));

-- check: figure_is_a_number | fail | a figure or what it is held against is NaN or infinite
SELECT
    as_of,
    target,
    check_name,
    feature
FROM monitoring_daily
WHERE
    NOT ABS(value) < 1e300
    OR NOT COALESCE(ABS(reference), 0) < 1e300
    OR NOT COALESCE(ABS(low), 0) < 1e300
    OR NOT COALESCE(ABS(high), 0) < 1e300
    OR ISNAN(value);

-- check: nothing_later_is_judged | fail | a finding is about scores of a later date than its own
SELECT
    as_of,
    target,
    check_name,
    feature
FROM monitoring_daily
WHERE judged_as_of > as_of;

-- check: monitored_date_is_scored | fail | a finding of a target on a date that has no scores of it
SELECT
    monitoring_daily.as_of,
    monitoring_daily.target
FROM monitoring_daily
LEFT ANTI JOIN propensity_scores_daily
    ON
        monitoring_daily.target = propensity_scores_daily.target
        AND monitoring_daily.judged_as_of = propensity_scores_daily.as_of
WHERE monitoring_daily.target <> 'all';
