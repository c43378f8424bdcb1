-- rfm_cut_points: one row per measure and score, the values that get this score.
-- Reads: rfm_measures.  Params: as_of.
-- Shell: ./spark-submit.sh sql -d as_of=2024-01-31 -f sql/gold/rfm_cut_points/query.sql
-- The q % cut point is the smallest value that at least q % of the buyers do not exceed: a value
-- that occurs, found by counting, and the same on every engine.

WITH measured_values AS (
    SELECT
        measured.measure,
        measured.measured_value
    FROM rfm_measures
        LATERAL VIEW STACK(
            3,
            'recency_days', CAST(recency_days AS DECIMAL(18, 2)),
            'frequency', CAST(frequency AS DECIMAL(18, 2)),
            'monetary', monetary
        ) measured AS measure, measured_value
),

buyers_by_value AS (
    SELECT
        measure,
        measured_value,
        COUNT(*) AS buyers
    FROM measured_values
    GROUP BY measure, measured_value
),

cumulated_values AS (
    SELECT
        measure,
        measured_value,
        SUM(buyers) OVER (
            PARTITION BY measure
            ORDER BY measured_value
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS buyers_up_to,
        SUM(buyers) OVER (PARTITION BY measure) AS all_buyers
    FROM buyers_by_value
),

measures AS (
    SELECT EXPLODE(ARRAY('recency_days', 'frequency', 'monetary')) AS measure
),

percents AS (
    SELECT EXPLODE(ARRAY(20, 40, 60, 80, 100)) AS percent
),

-- Five bins for each measure, also where a bin is empty or nobody bought. The last one ends at the
-- largest value.
bins AS (
    SELECT
        measures.measure,
        percents.percent,
        MIN(cumulated_values.measured_value) AS cut_point,
        COALESCE(MIN(cumulated_values.buyers_up_to), 0) AS buyers_up_to
    FROM measures
    CROSS JOIN percents
    LEFT JOIN cumulated_values
        ON
            measures.measure = cumulated_values.measure
            AND cumulated_values.buyers_up_to * 100
            >= cumulated_values.all_buyers * percents.percent
    GROUP BY measures.measure, percents.percent
),

bounded_bins AS (
    SELECT
        measure,
        percent,
        CAST(percent / 20 AS INT) AS bin,
        LAG(cut_point) OVER from_small_to_large AS above,
        cut_point AS up_to,
        buyers_up_to - LAG(buyers_up_to, 1, 0) OVER from_small_to_large AS users
    FROM bins
    WINDOW from_small_to_large AS (PARTITION BY measure ORDER BY percent)
)

SELECT
    DATE '${as_of}' AS as_of,
    measure,
    -- A recent order is better: the smallest recency gets the highest score.
    CASE WHEN measure = 'recency_days' THEN 6 - bin ELSE bin END AS score,
    percent,
    above,
    -- Open at the top, so that the bins can be applied to values not seen here.
    CASE WHEN percent < 100 THEN up_to END AS up_to,
    users
FROM bounded_bins
