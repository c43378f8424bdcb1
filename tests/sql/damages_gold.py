"""For each check of gold: what to damage so that it must be found."""

from __future__ import annotations

from tests.sql.damages import TOTAL, Damage, and_again_with, twice, with_changed, without

# (table, check): what to damage, and how.
GOLD: dict[tuple[str, str], tuple[str, Damage]] = {
    ("user_daily_metrics", "key_unique"): ("user_daily_metrics", twice),
    ("user_daily_metrics", "row_is_active"): ("user_daily_metrics", with_changed("sessions", "0")),
    ("user_daily_metrics", "revenue_equals_orders"): (
        "user_daily_metrics",
        with_changed("revenue", "revenue + 0.01", "orders > 0"),
    ),
    ("user_daily_metrics", "orders_match_purchase_events"): (
        "user_daily_metrics",
        with_changed("purchases", "2", "orders > 0"),
    ),
    ("active_users_daily", "key_unique"): ("active_users_daily", twice),
    ("active_users_daily", "every_date_and_segment"): (
        "active_users_daily",
        without("metric_date = DATE'2024-01-15' AND country = 'DE'"),
    ),
    ("active_users_daily", "longer_windows_hold_more"): (
        "active_users_daily",
        with_changed("mau_30", "mau_28 - 1"),
    ),
    ("active_users_daily", "stickiness_is_a_share"): (
        "active_users_daily",
        with_changed("stickiness", "0.5D", "metric_date = DATE'2024-01-05'"),
    ),
    ("active_users_daily", "segments_sum_to_total"): (
        "active_users_daily",
        with_changed("wau_7", "wau_7 + 1", TOTAL),
    ),
    ("active_users_daily", "dau_equals_user_days"): ("user_daily_metrics", without("user_id = 2")),
    ("active_days_daily", "key_unique"): ("active_days_daily", twice),
    ("active_days_daily", "every_number_of_days"): (
        "active_days_daily",
        without("metric_date = DATE'2024-01-15' AND active_days = 28"),
    ),
    ("active_days_daily", "counts_possible"): (
        "active_days_daily",
        with_changed("users", "1", "metric_date = DATE'2024-01-15' AND active_days = 16"),
    ),
    ("active_days_daily", "sums_to_active_users"): (
        "active_days_daily",
        with_changed("active_days", "28", "active_days = 2"),
    ),
    ("active_days_daily", "segments_sum_to_total"): (
        "active_days_daily",
        with_changed("users", "users + 1", TOTAL),
    ),
    ("growth_periods", "key_unique"): ("growth_periods", twice),
    ("growth_periods", "every_period_and_segment"): (
        "growth_periods",
        without("period_unit = 'week' AND period_start_date = DATE'2024-01-29'"),
    ),
    ("growth_periods", "compared_where_possible"): (
        "growth_periods",
        with_changed("new_users", "COALESCE(new_users, active_users)"),
    ),
    ("growth_periods", "users_are_of_one_kind"): (
        "growth_periods",
        with_changed("resurrected_users", "resurrected_users + 1"),
    ),
    ("growth_periods", "revenue_bridges"): (
        "growth_periods",
        with_changed("expansion_revenue", "expansion_revenue + 0.01"),
    ),
    ("growth_periods", "follows_the_period_before"): (
        "growth_periods",
        with_changed("ever_active_users", "0", "period_start_date = DATE'2024-01-15'"),
    ),
    ("growth_periods", "segments_sum_to_total"): (
        "growth_periods",
        with_changed("contraction_revenue", "contraction_revenue + 1", TOTAL),
    ),
    ("growth_periods", "windows_hold_mau_28"): (
        "active_users_daily",
        with_changed("mau_28", "mau_28 + 1"),
    ),
    ("growth_periods", "retained_users_counted_one_by_one"): (
        "user_daily_metrics",
        without("user_id = 2 AND metric_date = DATE'2024-01-10'"),
    ),
    ("funnel_daily", "key_unique"): ("funnel_daily", twice),
    ("funnel_daily", "every_date_and_segment"): (
        "funnel_daily",
        without("entry_date = DATE'2024-01-15'"),
    ),
    ("funnel_daily", "counts_fall_with_the_step"): (
        "funnel_daily",
        with_changed("buyers", "carters + 1"),
    ),
    ("funnel_daily", "mature_within_all"): ("funnel_daily", with_changed("mature_viewers", "0")),
    ("funnel_daily", "overall_rate_is_product"): (
        "funnel_daily",
        with_changed("overall_rate", "overall_rate / 2"),
    ),
    ("funnel_daily", "segments_sum_to_total"): (
        "funnel_daily",
        with_changed("carters", "carters + 1", TOTAL),
    ),
    ("funnel_daily", "every_viewer_enters"): ("fact_events", without("user_id = 2")),
    ("funnel_daily", "times_fit_the_window"): (
        "funnel_daily",
        with_changed("median_seconds_to_convert", "8 * 86400D", "mature_buyers > 0"),
    ),
    ("revenue_daily", "key_unique"): ("revenue_daily", twice),
    ("revenue_daily", "every_date_and_segment"): (
        "revenue_daily",
        without("metric_date = DATE'2024-01-15' AND country = 'FR'"),
    ),
    ("revenue_daily", "counts_agree"): ("revenue_daily", with_changed("buyers", "orders + 1")),
    ("revenue_daily", "ratios_are_of_sums"): ("revenue_daily", with_changed("aov", "aov + 1")),
    ("revenue_daily", "rolling_equals_its_days"): (
        "revenue_daily",
        with_changed("revenue_7d", "revenue_7d + 1", TOTAL),
    ),
    ("revenue_daily", "segments_sum_to_total"): (
        "revenue_daily",
        with_changed("orders", "orders + 1", TOTAL),
    ),
    ("revenue_daily", "revenue_equals_orders"): ("fact_orders", without("order_id = 1")),
    ("rfm_cut_points", "key_unique"): ("rfm_cut_points", twice),
    ("rfm_cut_points", "five_scores_of_each_measure"): ("rfm_cut_points", without("score = 3")),
    ("rfm_cut_points", "bins_join"): (
        "rfm_cut_points",
        with_changed("above", "above - 1", "percent = 60"),
    ),
    ("rfm_cut_points", "users_are_the_scored"): ("rfm_users", without("user_id = 1")),
    ("rfm_cut_points", "enough_below_the_cut"): (
        "rfm_cut_points",
        with_changed("users", "CAST(percent = 100 AS INT)"),
    ),
    ("rfm_users", "key_unique"): ("rfm_users", twice),
    ("rfm_users", "within_the_look_back"): ("rfm_users", with_changed("recency_days", "-1")),
    ("rfm_users", "equal_values_share_a_score"): (
        "rfm_users",
        and_again_with("m_score", "m_score + 1"),
    ),
    ("rfm_users", "better_value_no_lower_score"): (
        "rfm_users",
        and_again_with("frequency", "frequency + 1", "f_score", "f_score - 1"),
    ),
    ("rfm_users", "monetary_equals_orders"): ("fact_orders", without("order_id = 1")),
    ("rfm_segments", "key_unique"): ("rfm_segments", twice),
    ("rfm_segments", "every_segment_everywhere"): (
        "rfm_segments",
        without("segment = 'fading' AND country = 'DE'"),
    ),
    ("rfm_segments", "users_are_all_users"): ("dim_users", without("user_id = 3")),
    ("rfm_segments", "sums_are_those_of_rfm_users"): ("rfm_users", without("user_id = 1")),
    ("rfm_segments", "segments_sum_to_total"): (
        "rfm_segments",
        with_changed("users", "users + 1", TOTAL),
    ),
    ("rfm_segments", "mean_of_buyers_only"): (
        "rfm_segments",
        with_changed("recency_days_mean", "COALESCE(recency_days_mean, 0)"),
    ),
    ("kpi_daily", "key_unique"): ("kpi_daily", twice),
    ("kpi_daily", "equal_to_active_users_daily"): ("kpi_daily", with_changed("dau", "dau + 1")),
    ("kpi_daily", "equal_to_revenue_daily"): (
        "kpi_daily",
        without("metric_date = DATE'2024-01-15'"),
    ),
    ("kpi_daily", "equal_to_funnel_daily"): ("kpi_daily", with_changed("overall_rate", "0.99D")),
    ("kpi_daily", "new_users_are_the_signups"): ("dim_users", without("user_id = 3")),
    ("kpi_daily", "segments_sum_to_total"): (
        "kpi_daily",
        with_changed("new_users", "new_users + 1", TOTAL),
    ),
    ("activity_sketches_hourly", "key_unique"): ("activity_sketches_hourly", twice),
    ("activity_sketches_hourly", "counts_agree"): (
        "activity_sketches_hourly",
        with_changed("users", "events + 1"),
    ),
    ("activity_sketches_hourly", "events_equal_facts"): ("fact_events", without("user_id = 2")),
    ("activity_sketches_hourly", "estimates_are_near"): (
        "activity_sketches_hourly",
        with_changed("users", "users + 9"),
    ),
}
