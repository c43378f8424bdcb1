"""For each check of silver: what to damage so that it must be found."""

from __future__ import annotations

from tests.sql.damages import Damage, twice, with_changed, without

# (table, check): what to damage, and how.
SILVER: dict[tuple[str, str], tuple[str, Damage]] = {
    ("quarantine", "build_row_is_traceable"): ("quarantine", with_changed("row_id", "NULL")),
    ("quarantine", "build_rule_is_known"): ("quarantine", with_changed("rule", "'bad_value'")),
    ("quarantine", "few_rows_rejected"): ("bronze_events", without("event_id > 5")),
    ("dim_users", "user_id_unique"): ("dim_users", twice),
    ("dim_users", "segment_not_reserved"): ("dim_users", with_changed("channel", "'all'")),
    ("dim_users", "dates_in_order"): ("dim_users", with_changed("last_active_date", "signup_date")),
    ("dim_users", "first_active_date_is_date_of_moment"): (
        "dim_users",
        with_changed("first_active_at", "first_active_at + INTERVAL '1' DAY"),
    ),
    ("fact_events", "event_id_unique"): ("fact_events", twice),
    ("fact_events", "event_date_is_date_of_ts"): (
        "fact_events",
        with_changed("event_date", "DATE_ADD(event_date, 1)"),
    ),
    ("fact_events", "event_is_valid"): (
        "fact_events",
        with_changed("value", "CAST('NaN' AS DOUBLE)"),
    ),
    ("fact_events", "user_is_known"): ("dim_users", without("user_id = 2")),
    ("fact_orders", "order_id_unique"): ("fact_orders", twice),
    ("fact_orders", "order_date_is_date_of_ts"): (
        "fact_orders",
        with_changed("order_date", "DATE_ADD(order_date, 1)"),
    ),
    ("fact_orders", "amount_not_negative"): ("fact_orders", with_changed("amount", "-amount")),
    ("fact_orders", "user_is_known"): (
        "dim_users",
        with_changed("signup_date", "DATE'2024-01-31'"),
    ),
    ("sessions", "key_unique"): ("sessions", twice),
    ("sessions", "numbered_without_holes"): ("sessions", without("session_no = 1")),
    ("sessions", "apart_by_more_than_the_gap"): (
        "sessions",
        with_changed("ended_at", "started_at + INTERVAL '90' MINUTE"),
    ),
    ("sessions", "counts_agree"): ("sessions", with_changed("has_cart", "NOT has_cart")),
    ("sessions", "every_event_in_a_session"): ("sessions", without("user_id = 2")),
}
