"""What a build writes of itself: the days it replaced, and last that it is done."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from jobs.core.building.changes import LOG, code_version
from jobs.core.building.restatements import TABLE as RESTATEMENTS

if TYPE_CHECKING:
    from jobs.core.building.days import Days
    from jobs.core.building.flow import Build

LEDGER = "interval_ledger"


def record(build: Build, segments: str) -> None:
    """Write the ledger, and last the log: from then on the build counts."""
    warehouse, changes, now = build.run.warehouse, build.changes, datetime.now(UTC)
    warehouse.append_rows(LEDGER, _ledger(build, now))
    is_full = build.kind == "full"
    days = [] if is_full else [[str(each.first), str(each.end)] for each in build.silver]
    row = {
        "run_id": warehouse.run_id,
        "built_at": now,
        "kind": build.kind,
        "reason": changes.full if is_full else "",
        "batches": json.dumps([] if build.kind == "asked" else changes.new_batches),
        "days": json.dumps(days),
        "first_date": build.params["first_date"],
        "as_of": build.params["as_of"],
        "segments": segments,
        "code_version": code_version(build.run.config.metrics),
        "engine": warehouse.engine,
        "versions": json.dumps(build.versions),
    }
    warehouse.layout(RESTATEMENTS)  # may be asked for before there is one
    warehouse.append_rows(LOG, [row])


def _ledger(build: Build, now: datetime) -> list[dict[str, Any]]:
    """A row per silver day replaced, with what became of its rows."""
    counts: dict[date, dict[str, int]] = {}
    sources = {
        "events": "SELECT event_date AS day, COUNT(*) AS amount FROM fact_events",
        "orders": "SELECT order_date AS day, COUNT(*) AS amount FROM fact_orders",
        "quarantined": "SELECT row_date AS day, COUNT(*) AS amount FROM quarantine",
    }
    for name, source in sources.items():
        column = source.split()[1]
        chosen = " OR ".join(
            f"({column} >= DATE'{each.first}' AND {column} < DATE'{each.end}')"
            for each in build.silver
        )
        # Of batches without rows there is no day.
        statement = f"{source} WHERE {chosen or 'FALSE'} GROUP BY {column}"
        for row in build.run.spark.sql(statement).collect():
            if row["day"] is not None:
                counts.setdefault(row["day"], {})[name] = row["amount"]
    reasons = {} if build.kind == "asked" else build.changes.reasons
    days = set(counts) | set(reasons)
    if build.kind != "full":
        days |= {day for each in build.silver for day in _each(each)}
    return [
        {
            "run_id": build.run.warehouse.run_id,
            "day": day,
            "reason": reasons.get(day, build.kind),
            "events": 0,
            "orders": 0,
            "quarantined": 0,
            "built_at": now,
        }
        | counts.get(day, {})
        for day in sorted(days)
    ]


def _each(days: Days) -> list[date]:
    return [days.first + timedelta(days=n) for n in range((days.end - days.first).days)]
