"""The rules that turn rows of bronze away."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from tests.oracle.definitions.content_hash import content_hash

if TYPE_CHECKING:
    from tests.oracle.bronze import Bronze

Row = dict[str, Any]
EARLIEST = dt.date(1990, 1, 1)
CLOCK_AHEAD = dt.timedelta(hours=24)
EVENT_TYPES = ("view", "add_to_cart", "purchase")


def local_date(moment: dt.datetime, tz: str) -> dt.date:
    """Date of a naive UTC moment in a time zone."""
    return moment.replace(tzinfo=dt.UTC).astimezone(ZoneInfo(tz)).date()


def users_checked(bronze: Bronze) -> list[Row]:
    """All rows of the view."""

    def broken(row: Row) -> str | None:
        if row["signup_date"] < EARLIEST:
            return "ts_before_earliest"
        if row["signup_date"] > local_date(row["ingest_ts"] + CLOCK_AHEAD, bronze.tz):
            return "ts_after_ingest"
        return "reserved_segment" if "all" in (row["country"], row["channel"]) else None

    messages = {
        "ts_before_earliest": "signup_date lies before 1990-01-01",
        "ts_after_ingest": "signup_date lies more than 24 hours after ingest_ts",
        "reserved_segment": "country or channel is 'all', the name of the totals",
    }
    return _judged(
        bronze.users,
        "user_id",
        broken,
        lambda row: content_hash(row["signup_date"], row["country"], row["channel"]),
        messages,
    )


def known_users(bronze: Bronze) -> list[Row]:
    """All rows of the table."""
    return [
        {
            "user_id": row["user_id"],
            "signup_date": row["signup_date"],
            "country": row["country"] or "unknown",
            "channel": row["channel"] or "unknown",
        }
        for row in users_checked(bronze)
        if row["rule"] is None
    ]


def events_arrived(bronze: Bronze) -> list[Row]:
    """All rows of the view, of every date."""
    return [row | {"event_date": local_date(row["ts"], bronze.tz)} for row in bronze.events]


def repeated_events(bronze: Bronze) -> list[Row]:
    """All rows of the table."""
    ids = [row["event_id"] for row in bronze.events]
    return [row for row in events_arrived(bronze) if ids.count(row["event_id"]) > 1]


def bot_dates(bronze: Bronze) -> list[Row]:
    """All rows of the table."""
    rows = events_arrived(bronze)
    counted = []
    for user, date in {(row["user_id"], row["event_date"]) for row in rows}:
        ids = {r["event_id"] for r in rows if (r["user_id"], r["event_date"]) == (user, date)}
        if len(ids) > bronze.max_events_per_user_day:
            counted.append({"user_id": user, "event_date": date, "events": len(ids)})
    return counted


def events_checked(bronze: Bronze) -> list[Row]:
    """All rows of the view, of every date."""
    signups = _signups(bronze)
    rows = events_arrived(bronze)

    def broken(row: Row) -> str | None:
        signup = signups.get(row["user_id"])
        ids = {
            other["event_id"]
            for other in rows
            if (other["user_id"], other["event_date"]) == (row["user_id"], row["event_date"])
        }
        value = row["value"]
        if row["event_type"] not in EVENT_TYPES:
            return "unknown_event_type"
        if row["event_date"] < EARLIEST:
            return "ts_before_earliest"
        if row["ts"] - row["ingest_ts"] > CLOCK_AHEAD:
            return "ts_after_ingest"
        if signup is None:
            return "unknown_user"
        if row["event_date"] < signup:
            return "before_signup"
        if value is not None and (not math.isfinite(value) or value < 0):
            return "bad_value"
        return "bot" if len(ids) > bronze.max_events_per_user_day else None

    messages = {
        "unknown_event_type": "event_type is none of those in the settings",
        "ts_before_earliest": "ts lies before 1990-01-01",
        "ts_after_ingest": "ts lies more than 24 hours after ingest_ts",
        "bad_value": "value is NaN, infinite or negative",
        "unknown_user": "no valid user has this user_id",
        "before_signup": "the event lies before the signup_date of its user",
        "bot": f"its user has more than {bronze.max_events_per_user_day} events on that date",
    }
    return _judged(
        rows,
        "event_id",
        broken,
        lambda row: content_hash(row["user_id"], row["ts"], row["event_type"], row["value"]),
        messages,
    )


def orders_checked(bronze: Bronze) -> list[Row]:
    """All rows of the view, of every date."""
    signups = _signups(bronze)
    rows = [row | {"order_date": local_date(row["ts"], bronze.tz)} for row in bronze.orders]

    def broken(row: Row) -> str | None:
        signup = signups.get(row["user_id"])
        if row["order_date"] < EARLIEST:
            return "ts_before_earliest"
        if row["ts"] - row["ingest_ts"] > CLOCK_AHEAD:
            return "ts_after_ingest"
        if signup is None:
            return "unknown_user"
        if row["order_date"] < signup:
            return "before_signup"
        return "negative_amount" if row["amount"] < 0 else None

    messages = {
        "ts_before_earliest": "ts lies before 1990-01-01",
        "ts_after_ingest": "ts lies more than 24 hours after ingest_ts",
        "negative_amount": "amount is negative",
        "unknown_user": "no valid user has this user_id",
        "before_signup": "the order lies before the signup_date of its user",
    }
    return _judged(
        rows,
        "order_id",
        broken,
        lambda row: content_hash(row["user_id"], row["ts"], row["amount"]),
        messages,
    )


def _signups(bronze: Bronze) -> dict[int, dt.date]:
    users = users_checked(bronze)
    return {row["user_id"]: row["signup_date"] for row in users if row["rule"] is None}


def _judged(
    rows: list[Row],
    key: str,
    broken: Callable[[Row], str | None],
    content: Callable[[Row], int],
    messages: dict[str, str],
) -> list[Row]:
    """Rows with rule and message: of the valid rows of one id the first arrival has none."""

    def order(row: Row) -> tuple[Any, ...]:
        derived = row["source"].endswith(" (derived)") if key == "user_id" else False
        return derived, row["ingest_ts"], content(row), row["source"], row["batch_id"]

    rules = [broken(row) for row in rows]
    kept: dict[int, int] = {}
    for place, row in enumerate(rows):
        if rules[place] is None:
            best = kept.setdefault(row[key], place)
            if order(row) < order(rows[best]):
                kept[row[key]] = place
    judged = []
    for place, row in enumerate(rows):
        rule = rules[place]
        message = None if rule is None else messages[rule]
        if rule is None and kept[row[key]] != place:
            same = content(row) == content(rows[kept[row[key]]])
            rule = "duplicate_exact" if same else "duplicate_altered"
            message = f"{'same' if same else 'other'} content than the row kept for this {key}"
            message = message.replace("same content than", "same content as")
        judged.append(row | {"rule": rule, "message": message})
    return judged
