-- check: registration_is_unique | fail | two registrations share a number
SELECT
    registration,
    COUNT(*) AS registrations
FROM model_registry
GROUP BY registration
HAVING COUNT(*) > 1;

-- check: labels_end_before_the_next_slice | fail | a slice could have seen labels of the next one
SELECT
    registration,
    model_version
FROM model_registry
WHERE
    DATE_ADD(last_train_as_of, horizon_days) > first_calibrate_as_of
    OR (
        -- Recalibrated, it may have seen its test slice. Every version begins as trained.
        reason = 'trained'
        AND DATE_ADD(last_calibrate_as_of, horizon_days) > first_test_as_of
    );

-- check: calibration_keeps_the_ranking | fail | a slope at or below 0 turns the ranking round
SELECT
    registration,
    model_version
FROM model_registry
WHERE
    ISNAN(calibration_slope)
    OR calibration_slope <= 0;

-- check: model_has_metrics | fail | a registered model was never evaluated
SELECT
    model_registry.registration,
    model_registry.model_version
FROM model_registry
LEFT ANTI JOIN model_metrics
    ON
        model_registry.target = model_metrics.target
        AND model_registry.model_version = model_metrics.model_version
        AND model_metrics.split = 'test';

-- check: champion_passed_its_gates | fail | a model serves that did not show what it had to
SELECT
    registration,
    model_version
FROM model_registry
WHERE
    alias = 'champion'
    AND NOT gates_passed;

-- check: alias_is_known | fail | a registration is neither champion nor challenger
SELECT
    registration,
    alias
FROM model_registry
WHERE alias NOT IN ('champion', 'challenger');
