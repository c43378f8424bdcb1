"""For each check of features and models: what to damage so that it must be found."""

from __future__ import annotations

from tests.sql.damages import Damage, and_again_with, twice, with_changed, without

SCORES, METRICS, REGISTRY = "propensity_scores_daily", "model_metrics", "model_registry"
SNAPSHOTS, MONITORING = "user_snapshots", "monitoring_daily"

# (table, check): what to damage, and how.
MODELS: dict[tuple[str, str], tuple[str, Damage]] = {
    (SNAPSHOTS, "snapshot_is_unique"): (SNAPSHOTS, twice),
    (SNAPSHOTS, "no_activity_at_or_after_as_of"): (
        SNAPSHOTS,
        with_changed("days_since_last_view", "0"),
    ),
    (SNAPSHOTS, "windows_are_nested"): (
        SNAPSHOTS,
        with_changed("active_hours_7d", "active_hours_30d + 1"),
    ),
    (SNAPSHOTS, "active_days_fit_into_the_days_seen"): (
        SNAPSHOTS,
        with_changed("days_since_third_last_active", "0"),
    ),
    (SNAPSHOTS, "missing_is_flagged"): (
        SNAPSHOTS,
        with_changed("is_order_gap_missing", "NOT is_order_gap_missing"),
    ),
    (SNAPSHOTS, "numbers_are_finite"): (
        SNAPSHOTS,
        with_changed("recency_to_order_gap", "CAST('NaN' AS DOUBLE)"),
    ),
    (SNAPSHOTS, "signup_precedes_as_of"): (SNAPSHOTS, with_changed("tenure_days", "0")),
    (METRICS, "metric_is_unique"): (METRICS, twice),
    (METRICS, "value_is_a_number"): (
        METRICS,
        with_changed("value", "CAST('Infinity' AS DOUBLE)", "metric = 'roc_auc'"),
    ),
    (METRICS, "confusion_counts_every_row"): (METRICS, without("metric = 'confusion_fn'")),
    (METRICS, "calibration_bins_hold_every_row"): (
        METRICS,
        without("metric = 'calibration' AND point = 2"),
    ),
    (METRICS, "figure_lies_in_its_interval"): (METRICS, with_changed("low", "0.9D", "low > 0")),
    (REGISTRY, "registration_is_unique"): (REGISTRY, with_changed("registration", "1L")),
    (REGISTRY, "labels_end_before_the_next_slice"): (
        REGISTRY,
        with_changed("last_calibrate_as_of", "DATE_ADD(last_calibrate_as_of, 1)"),
    ),
    (REGISTRY, "calibration_keeps_the_ranking"): (
        REGISTRY,
        with_changed("calibration_slope", "0D"),
    ),
    (REGISTRY, "model_has_metrics"): (METRICS, without("split = 'test'")),
    (REGISTRY, "champion_passed_its_gates"): (REGISTRY, with_changed("gates_passed", "FALSE")),
    (REGISTRY, "alias_is_known"): (REGISTRY, with_changed("alias", "'retired'")),
    (SCORES, "score_is_unique"): (SCORES, twice),
    (SCORES, "every_eligible_user_is_scored"): (SCORES, without("rank = 2")),
    (SCORES, "ranks_are_dense"): (SCORES, with_changed("rank", "3L", "rank = 2")),
    (SCORES, "probability_is_between_0_and_1"): (SCORES, with_changed("probability", "1.01D")),
    (SCORES, "model_is_registered"): (REGISTRY, with_changed("target", "'churn_14d'")),
    (MONITORING, "finding_is_unique"): (MONITORING, twice),
    (MONITORING, "alarm_is_what_its_limits_say"): (
        MONITORING,
        with_changed("value", "9.5D", "feature = 'events'"),
    ),
    (MONITORING, "figure_is_a_number"): (
        MONITORING,
        with_changed("value", "CAST('NaN' AS DOUBLE)"),
    ),
    (MONITORING, "nothing_later_is_judged"): (
        MONITORING,
        with_changed("judged_as_of", "DATE_ADD(judged_as_of, 1)"),
    ),
    (MONITORING, "monitored_date_is_scored"): (SCORES, with_changed("target", "'churn_14d'")),
    (SCORES, "reasons_are_sorted"): (SCORES, with_changed("reasons", "REVERSE(reasons)")),
}
# What must be found in other ways too.
MORE: list[tuple[str, str, str, Damage]] = [
    (SCORES, "every_eligible_user_is_scored", SNAPSHOTS, without("user_id % 2 = 0")),
    (SCORES, "score_is_unique", SCORES, and_again_with("rank", "rank + 1")),
    (METRICS, "value_is_a_number", METRICS, with_changed("value", "CAST('NaN' AS DOUBLE)")),
    (
        REGISTRY,
        "calibration_keeps_the_ranking",
        REGISTRY,
        with_changed("calibration_slope", "CAST('NaN' AS DOUBLE)"),
    ),
    (SCORES, "reasons_are_sorted", SCORES, with_changed("reasons", "SLICE(reasons, 1, 0)")),
    (
        MONITORING,
        "alarm_is_what_its_limits_say",
        MONITORING,
        with_changed("is_alarm", "TRUE", "feature = 'base_rate'"),
    ),
]
