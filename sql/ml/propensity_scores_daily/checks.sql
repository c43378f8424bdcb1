-- check: score_is_unique | fail | a user has two scores of one date and target
SELECT
    as_of,
    target,
    user_id,
    COUNT(*) AS scores
FROM propensity_scores_daily
GROUP BY as_of, target, user_id
HAVING COUNT(*) > 1;

-- check: every_eligible_user_is_scored | fail | a scored date lacks users, or has users too many
SELECT
    COALESCE(snapshots.user_id, scores.user_id) AS user_id,
    COALESCE(snapshots.as_of, scores.as_of) AS as_of,
    COALESCE(snapshots.target, scores.target) AS target
FROM (
    SELECT
        user_snapshots.user_id,
        user_snapshots.as_of,
        scored_dates.target
    FROM user_snapshots
    INNER JOIN (
        SELECT
            as_of,
            target
        FROM propensity_scores_daily
        GROUP BY as_of, target
    ) AS scored_dates
        ON user_snapshots.as_of = scored_dates.as_of
) AS snapshots
FULL OUTER JOIN propensity_scores_daily AS scores
    ON
        snapshots.user_id = scores.user_id
        AND snapshots.as_of = scores.as_of
        AND snapshots.target = scores.target
WHERE
    snapshots.user_id IS NULL
    OR scores.user_id IS NULL;

-- check: ranks_are_dense | fail | the ranks of a date and target are not 1 to n
SELECT
    as_of,
    target
FROM propensity_scores_daily
GROUP BY as_of, target
HAVING
    MIN(rank) <> 1
    OR MAX(rank) <> COUNT(*)
    OR COUNT(DISTINCT rank) <> COUNT(*);

-- check: probability_is_between_0_and_1 | fail | a probability outside 0 to 1
SELECT
    as_of,
    target,
    user_id,
    probability
FROM propensity_scores_daily
WHERE
    ISNAN(probability)
    OR probability NOT BETWEEN 0 AND 1;

-- check: model_is_registered | fail | a score names a model that nobody registered
SELECT
    propensity_scores_daily.as_of,
    propensity_scores_daily.model_version
FROM propensity_scores_daily
LEFT ANTI JOIN model_registry
    ON
        propensity_scores_daily.target = model_registry.target
        AND propensity_scores_daily.model_version = model_registry.model_version;

-- check: reasons_are_sorted | fail | a weaker reason comes before a stronger one
SELECT
    as_of,
    target,
    user_id
FROM propensity_scores_daily
WHERE
    SIZE(reasons) NOT BETWEEN 1 AND 3
    OR ABS(reasons[0].effect) < ABS(COALESCE(GET(reasons, 1).effect, 0))
    OR ABS(COALESCE(GET(reasons, 1).effect, 0)) < ABS(COALESCE(GET(reasons, 2).effect, 0));
