"""activity_sketches_hourly: what can be counted; a sketch itself is known by its estimate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.oracle.histories import History

Row = dict[str, Any]


def activity_sketches_hourly(history: History) -> list[Row]:
    """All rows of the table, the estimates of both sketches in the place of their bytes.

    So few users fit into a sketch one by one: both estimates are exact.
    """
    people = {user["user_id"]: user for user in history.users}
    found: dict[tuple[Any, ...], list[int]] = {}
    for event in history.events:
        user = people[event["user_id"]]
        hour = event["ts"].replace(minute=0, second=0, microsecond=0)
        key = hour, event["event_type"], user["country"], user["channel"]
        found.setdefault(key, []).append(event["user_id"])
    return [
        {
            "activity_date": hour.date(),
            "activity_hour": hour,
            "event_type": event_type,
            "country": country,
            "channel": channel,
            "events": len(users),
            "users": len(set(users)),
            "users_hll": len(set(users)),
            "users_theta": len(set(users)),
        }
        for (hour, event_type, country, channel), users in found.items()
    ]
