"""For each check of the cohort tables and views: what to damage so that it must be found."""

from __future__ import annotations

from tests.sql.damages import TOTAL, Damage, twice, with_changed, without

# (table, check): what to damage, and how.
COHORTS: dict[tuple[str, str], tuple[str, Damage]] = {
    ("retention_cohorts", "key_unique"): ("retention_cohorts", twice),
    ("retention_cohorts", "every_period"): ("retention_cohorts", without("period = 1")),
    ("retention_cohorts", "retained_within_cohort"): (
        "retention_cohorts",
        with_changed("retained", "cohort_size + 1"),
    ),
    ("retention_cohorts", "streak_within_retained"): (
        "retention_cohorts",
        with_changed("retained_streak", "retained + 1"),
    ),
    ("retention_cohorts", "unfinished_is_null"): (
        "retention_cohorts",
        with_changed("retained", "COALESCE(retained, 0)"),
    ),
    ("retention_cohorts", "segments_sum_to_total"): (
        "retention_cohorts",
        with_changed("retained", "retained + 1", TOTAL),
    ),
    ("retention_cohorts", "day_cohorts_hold_every_signup"): ("dim_users", without("user_id = 3")),
    ("retention_cohorts", "first_24_hours_hold_everybody"): (
        "retention_cohorts",
        with_changed("retained", "retained - 1", "period_unit = '24_hours' AND retained > 0"),
    ),
    ("retention_on_or_after", "key_unique"): ("retention_on_or_after", twice),
    ("retention_on_or_after", "unfinished_is_null"): (
        "retention_on_or_after",
        with_changed("retained", "COALESCE(retained, 0)"),
    ),
    ("retention_on_or_after", "never_rises_with_the_period"): (
        "retention_on_or_after",
        with_changed("retained", "period"),
    ),
    ("retention_on_or_after", "between_retained_and_cohort"): (
        "retention_cohorts",
        with_changed("retained", "cohort_size", "period > 0"),
    ),
    ("retention_on_or_after", "segments_sum_to_total"): (
        "retention_on_or_after",
        with_changed("retained", "retained + 1", TOTAL),
    ),
    ("retention_curves", "key_unique"): ("retention_curves", twice),
    ("retention_curves", "fixed_within_all"): (
        "retention_curves",
        with_changed("fixed_retained", "0", "period = last_period"),
    ),
    ("retention_curves", "fixed_cohorts_stay_the_same"): (
        "retention_curves",
        with_changed("fixed_cohorts", "cohorts"),
    ),
    ("retention_curves", "sums_are_those_of_the_cells"): (
        "retention_cohorts",
        without("period_unit = 'day' AND retained > 0"),
    ),
    ("ltv_cohorts", "key_unique"): ("ltv_cohorts", twice),
    ("ltv_cohorts", "every_horizon"): ("ltv_cohorts", without("horizon_days = 30")),
    ("ltv_cohorts", "unfinished_is_null"): (
        "ltv_cohorts",
        with_changed("revenue", "COALESCE(revenue, 0)"),
    ),
    ("ltv_cohorts", "ltv_is_per_user_of_the_cohort"): (
        "ltv_cohorts",
        with_changed("ltv", "CAST(revenue AS DOUBLE)", "cohort_size > 1"),
    ),
    ("ltv_cohorts", "never_falls_with_the_horizon"): (
        "ltv_cohorts",
        with_changed("revenue", "0", "horizon_days = 30"),
    ),
    ("ltv_cohorts", "segments_sum_to_total"): (
        "ltv_cohorts",
        with_changed("revenue", "revenue + 0.01", TOTAL),
    ),
    ("ltv_cohorts", "sizes_are_those_of_retention"): (
        "ltv_cohorts",
        with_changed("cohort_size", "cohort_size + 1"),
    ),
    ("ltv_cohorts", "revenue_added_up_one_by_one"): (
        "user_daily_metrics",
        without("orders > 0 AND metric_date = DATE'2024-01-04'"),
    ),
}
