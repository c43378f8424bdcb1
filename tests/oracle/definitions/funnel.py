"""The funnel: every chain of steps of every user, tried one by one."""

from __future__ import annotations

import datetime as dt
import statistics
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from tests.oracle.definitions.segments import members, segments

if TYPE_CHECKING:
    from tests.oracle.histories import History

Row = dict[str, Any]
STEPS = ("view", "add_to_cart", "purchase")


class Funnel:
    """The funnel under some settings.

    Parameters
    ----------
    events
        Rows of fact_events, of which only those up to `as_of` are known.
    settings
        The settings funnel_*, active_event_types, tz, from_date, to_date, first_date and as_of.
    """

    def __init__(self, events: list[Row], settings: dict[str, Any]) -> None:
        self.set = settings
        self.events = [e for e in events if e["event_date"] <= settings["as_of"]]
        self.window = dt.timedelta(days=settings["funnel_window_days"])
        self.is_any = settings["funnel_order"] == "any_order"
        self.span = self.window * (2 if settings["funnel_window_from"] == "previous_step" else 1)

    def step(self, event: Row) -> int:
        kind = event["event_type"]
        return STEPS.index(kind) + 1 if kind in STEPS else 4

    def place(self, event: Row) -> tuple[Any, ...]:
        return event["ts"], self.step(event), event["event_id"]

    def within(self, start: Row, event: Row, span: dt.timedelta | None = None) -> bool:
        passed = event["ts"] - start["ts"]
        limit = self.window if span is None else span
        return passed < limit or (passed == limit and self.set["funnel_edge"] == "inclusive")

    def after(self, before: Row, event: Row) -> bool:
        if self.set["funnel_ties"] == "strict_increase" and not event["ts"] > before["ts"]:
            return False
        return self.place(event) > self.place(before)

    def is_chain(self, chain: list[Row], own: list[Row]) -> bool:
        """Whether events are steps 1, 2 (, 3) as the settings want them."""
        if [self.step(event) for event in chain] != [1, 2, 3][: len(chain)]:
            return False
        per_step = self.set["funnel_window_from"] == "previous_step"
        for number in range(1, len(chain)):
            before, event = chain[number - 1], chain[number]
            if not self.after(before, event):
                return False
            if not self.within(before if per_step else chain[0], event):
                return False
            if self.set["funnel_order"] == "strict":
                tracked = sorted((e for e in own if self.is_tracked(e)), key=self.place)
                if tracked.index(event) != tracked.index(before) + 1:
                    return False
        return True

    def is_tracked(self, event: Row) -> bool:
        return self.step(event) < 4 or event["event_type"] in self.set["active_event_types"]

    def levels(self, entry: Row, own: list[Row]) -> tuple[Any, Any]:
        """First moments at which levels 2 and 3 are reached."""
        if self.is_any:
            seen: list[int] = []
            moments = []
            for event in sorted(own, key=self.place):
                counts = self.place(event) >= self.place(entry) and self.within(entry, event)
                if counts and self.step(event) < 4 and self.step(event) not in seen:
                    seen.append(self.step(event))
                    moments.append(event["ts"])
            return (*moments[1:], None, None)[:2]
        second, third = [], []
        carts = [e for e in own if self.is_chain([entry, e], own)]
        for cart in carts:
            second.append(cart["ts"])
            third += [e["ts"] for e in own if self.is_chain([entry, cart, e], own)]
        return min(second, default=None), min(third, default=None)

    def may_enter(self, event: Row) -> bool:
        first = max(self.set["from_date"], self.set["first_date"])
        in_range = first <= event["event_date"] < self.set["to_date"]
        return in_range and (self.step(event) < 4 if self.is_any else self.step(event) == 1)

    def row(self, entry: Row, own: list[Row]) -> Row:
        second, third = self.levels(entry, own)
        end = (entry["ts"] + self.span).replace(tzinfo=dt.UTC)
        return {
            "user_id": entry["user_id"],
            "entry_date": entry["event_date"],
            "entry_at": entry["ts"],
            "level": 1 + (second is not None) + (third is not None),
            "level_2_at": second,
            "level_3_at": third,
            "seconds_to_convert": (third - entry["ts"]).total_seconds() if third else None,
            "is_mature": end.astimezone(ZoneInfo(self.set["tz"])).date() <= self.set["as_of"],
        }

    def entries(self) -> list[Row]:
        """All rows of funnel_entries."""
        rows = []
        for user in {event["user_id"] for event in self.events}:
            own = [event for event in self.events if event["user_id"] == user]
            if self.set["funnel_unit"] == "attempt":
                rows += self.attempts(own)
            elif self.set["funnel_unit"] == "session":
                for session in {(e["event_date"], e["session_no"]) for e in own}:
                    steps = [e for e in own if (e["event_date"], e["session_no"]) == session]
                    rows += self.chosen(steps, steps)
            elif self.set["funnel_range"] == "period":
                rows += self.chosen(own, own)
            else:
                for day in {e["event_date"] for e in own}:
                    rows += self.chosen([e for e in own if e["event_date"] == day], own)
        return rows

    def chosen(self, candidates: list[Row], own: list[Row]) -> list[Row]:
        """The entry that counts, if there is one."""
        entering = sorted(filter(self.may_enter, candidates), key=self.place)
        rows = [self.row(entry, own) for entry in entering]
        if self.set["funnel_entry"] == "best_chain":
            rows = sorted(rows, key=lambda row: -row["level"])  # stable: the earliest of equals
        return rows[:1]

    def attempts(self, own: list[Row]) -> list[Row]:
        rows: list[Row] = []
        for event in sorted(filter(self.may_enter, own), key=self.place):
            if not rows or not self.is_open(rows[-1], event):
                rows.append(self.row(event, own))
        return rows

    def is_open(self, attempt: Row, event: Row) -> bool:
        if attempt["level"] == 3:
            return event["ts"] <= attempt["level_3_at"]
        return self.within({"ts": attempt["entry_at"]}, event, self.span)


def funnel_daily(history: History, funnel: Funnel) -> list[Row]:
    """All rows of funnel_daily, for a log in UTC."""
    entries = funnel.entries()
    rows = []
    for country, channel in segments(history):
        users = {user["user_id"] for user in members(history, (country, channel))}
        for date in history.dates:
            if not funnel.set["from_date"] <= date < funnel.set["to_date"]:
                continue
            own = [e for e in entries if e["user_id"] in users and e["entry_date"] == date]
            mature = [e for e in own if e["is_mature"]]
            times = [e["seconds_to_convert"] for e in mature if e["level"] == 3]
            reached = [sum(e["level"] >= level for e in own) for level in (1, 2, 3)]
            ripe = [sum(e["level"] >= level for e in mature) for level in (1, 2, 3)]
            last = dt.datetime.combine(date, dt.time(23, 59, 59)) + funnel.span
            rows.append(
                {"entry_date": date, "country": country, "channel": channel}
                | dict(zip(("viewers", "carters", "buyers"), reached, strict=True))
                | {
                    "mature_viewers": ripe[0],
                    "mature_carters": ripe[1],
                    "mature_buyers": ripe[2],
                    "view_to_cart_rate": ripe[1] / ripe[0] if ripe[0] else None,
                    "cart_to_purchase_rate": ripe[2] / ripe[1] if ripe[1] else None,
                    "overall_rate": ripe[2] / ripe[0] if ripe[0] else None,
                    "mean_seconds_to_convert": sum(times) / len(times) if times else None,
                    "median_seconds_to_convert": statistics.median(times) if times else None,
                    "is_mature": last.date() <= history.as_of,
                }
            )
    return rows
