"""For each check of silver: what to damage so that it must be found."""

from __future__ import annotations

from tests.sql.damages import Damage, only_rows_of, twice, with_changed, without

# The shop of the tests has no bot, so one is told of, twice.
BOT = "SELECT 1L AS user_id, DATE'2024-01-10' AS event_date, 501L AS events"
with_bot = only_rows_of(f"{BOT} UNION ALL {BOT}")

# (table, check): what to damage, and how.
SILVER: dict[tuple[str, str], tuple[str, Damage]] = {
    ("quarantine", "build_row_is_traceable"): ("quarantine", with_changed("row_id", "NULL")),
    ("quarantine", "build_rule_is_known"): ("quarantine", with_changed("rule", "'bad_value'")),
    ("quarantine", "few_rows_rejected"): ("bronze_events", without("event_id > 5")),
    ("known_users", "user_id_unique"): ("known_users", twice),
    ("known_users", "in_dim_users"): ("known_users", without("user_id = 3")),
    ("repeated_events", "has_another_row"): (
        "repeated_events",
        without("event_date = DATE'2024-01-24'"),
    ),
    ("repeated_events", "no_copy_missing"): ("repeated_events", without("TRUE")),
    ("bot_dates", "key_unique"): ("bot_dates", with_bot),
    ("bot_dates", "nothing_of_bots_in_facts"): ("bot_dates", with_bot),
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
    ("fact_events", "session_has_one_start"): (
        "fact_events",
        with_changed("is_session_start", "FALSE"),
    ),
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
