-- check: metric_is_unique | fail | a figure is stored twice
SELECT
    model_version,
    target,
    split,
    model,
    segment,
    metric,
    point,
    COUNT(*) AS copies
FROM model_metrics
GROUP BY model_version, target, split, model, segment, metric, point
HAVING COUNT(*) > 1;

-- check: value_is_a_number | fail | a figure is NaN or infinite
SELECT
    model_version,
    split,
    metric,
    point
FROM model_metrics
WHERE
    ISNAN(value)
    OR ABS(value) >= 1e300;

-- check: confusion_counts_every_row | fail | the four counts do not add up to the rows of the slice
SELECT
    model_version,
    split
FROM model_metrics
WHERE
    metric IN ('confusion_tp', 'confusion_fp', 'confusion_fn', 'confusion_tn')
GROUP BY model_version, split
HAVING SUM(value) <> MAX(rows);

-- check: calibration_bins_hold_every_row | fail | the bins do not add up to the rows of the slice
SELECT
    bins.model_version,
    bins.split
FROM (
    SELECT
        model_version,
        split,
        SUM(rows) AS rows
    FROM model_metrics
    WHERE metric = 'calibration'
    GROUP BY model_version, split
) AS bins
INNER JOIN model_metrics AS base
    ON
        bins.model_version = base.model_version
        AND bins.split = base.split
        AND base.metric = 'base_rate'
        AND base.segment = 'all'
WHERE bins.rows <> base.rows;

-- check: figure_lies_in_its_interval | fail | an interval whose ends are turned round
SELECT
    model_version,
    model,
    metric
FROM model_metrics
WHERE low > high;
