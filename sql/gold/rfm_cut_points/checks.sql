-- check: key_unique | fail | a measure and score has more than one row
SELECT
    measure,
    score
FROM rfm_cut_points
GROUP BY measure, score
HAVING COUNT(*) > 1;

-- check: five_scores_of_each_measure | fail | a measure lacks a score, or there are not three measures
SELECT measure
FROM rfm_cut_points
GROUP BY measure
HAVING
    COUNT(*) <> 5
    OR MIN(score) <> 1
    OR MAX(score) <> 5
    OR measure NOT IN ('recency_days', 'frequency', 'monetary');

-- check: bins_join | fail | a bin does not begin where the one before it ends, or ends before it begins
WITH neighbours AS (
    SELECT
        measure,
        percent,
        above,
        up_to,
        LAG(up_to) OVER (PARTITION BY measure ORDER BY percent) AS previous_up_to
    FROM rfm_cut_points
)

SELECT
    measure,
    percent
FROM neighbours
WHERE NOT above <=> previous_up_to OR up_to < above;

-- check: users_are_the_scored | fail | the users of a score differ from those with it in rfm_users
WITH scored AS (
    SELECT
        scores.measure,
        scores.score,
        COUNT(*) AS users
    FROM rfm_users
        LATERAL VIEW STACK(
            3, 'recency_days', r_score, 'frequency', f_score, 'monetary', m_score
        ) scores AS measure, score
    GROUP BY scores.measure, scores.score
)

SELECT
    rfm_cut_points.measure,
    rfm_cut_points.score
FROM rfm_cut_points
LEFT JOIN scored
    ON rfm_cut_points.measure = scored.measure AND rfm_cut_points.score = scored.score
WHERE rfm_cut_points.users <> COALESCE(scored.users, 0);

-- check: enough_below_the_cut | fail | a cut point has fewer buyers at or below it than its percent
WITH cumulated AS (
    SELECT
        measure,
        percent,
        SUM(users) OVER (
            PARTITION BY measure
            ORDER BY percent
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS users_up_to,
        SUM(users) OVER (PARTITION BY measure) AS all_users
    FROM rfm_cut_points
)

SELECT
    measure,
    percent
FROM cumulated
WHERE users_up_to * 100 < all_users * percent;
