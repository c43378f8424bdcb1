"""What a build has to do: the days that rows loaded since the last build can have touched.

A new row touches its own day. It touches other days too: those on which a copy of it lies, since
another copy may now be the one that is kept, and, where it is a user, those of the user's signup
and of all the user's rows, since these may become valid, or change their segment.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from jobs.core import batches
from jobs.core.building.days import Days, ranges_of
from jobs.core.catalog import build_order
from jobs.core.errors import UsageError
from jobs.core.queries import render

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from jobs.core.config import Config, MetricSettings
    from jobs.core.entry import Run
    from jobs.core.tables import Warehouse

LAYERS = ("silver", "gold")
LOG = "build_log"
# Of several reasons for a day the one that says most is told.
REASONS = ("new", "late", "user", "copy")

# Days of rows of new batches, and of older rows with the same id or of a user among the new ones.
_EVENTS_OR_ORDERS = """
    WITH all_rows AS (
        SELECT
            {key} AS row_key,
            user_id,
            CAST(FROM_UTC_TIMESTAMP(ts, '${{tz}}') AS DATE) AS day,
            batch_id IN ({new}) AS is_new
        FROM {table}
    ),

    new_rows AS (SELECT row_key, day FROM all_rows WHERE is_new),

    changed_users AS (SELECT DISTINCT user_id FROM bronze_users WHERE batch_id IN ({users}))

    SELECT day, 'arrived' AS reason FROM new_rows GROUP BY day
    UNION ALL
    SELECT day, 'copy' AS reason
    FROM all_rows LEFT SEMI JOIN new_rows ON all_rows.row_key = new_rows.row_key
    WHERE NOT is_new GROUP BY day
    UNION ALL
    SELECT day, 'user' AS reason
    FROM all_rows LEFT SEMI JOIN changed_users ON all_rows.user_id = changed_users.user_id
    WHERE NOT is_new GROUP BY day
"""
_USERS = """
    WITH changed_users AS (SELECT DISTINCT user_id FROM bronze_users WHERE batch_id IN ({users}))

    SELECT signup_date AS day, 'user' AS reason
    FROM bronze_users LEFT SEMI JOIN changed_users ON bronze_users.user_id = changed_users.user_id
    GROUP BY signup_date
"""
_KEYS = {"bronze_events": "event_id", "bronze_orders": "order_id"}


@dataclass(frozen=True)
class Changes:
    """What is to be built.

    Parameters
    ----------
    full
        Why everything must be built; empty if only some days must.
    reasons
        Reason by silver day to replace; empty where `full` is not.
    new_batches
        Batches, as table/batch_id, that silver does not hold yet.
    before
        The newest row of the build log; None before the first build.
    """

    full: str = ""
    reasons: dict[date, str] = field(default_factory=dict)
    new_batches: tuple[str, ...] = ()
    before: dict[str, Any] | None = None

    @property
    def days(self) -> list[Days]:
        """Silver days to replace, as ranges."""
        return ranges_of(self.reasons)

    @property
    def is_nothing(self) -> bool:
        """True where the tables hold all that was loaded."""
        return not (self.full or self.reasons or self.new_batches)


def code_version(metrics: MetricSettings) -> str:
    """What rows depend on besides the data, as <queries>/<settings>.

    The first is a hash of the queries and of the contracts' columns, the second of the settings.
    """
    queries = [
        [
            table.name,
            table.statement,
            [(column.name, column.type) for column in table.contract.columns],
            table.contract.partition_by,
        ]
        for table in build_order(LAYERS)
    ]
    return f"{_hash(queries)}/{_hash(dataclasses.asdict(metrics))}"


def require_settings_of_build(run: Run) -> None:
    """Refuse settings that the tables of a run were not built with; see `require_settings`."""
    require_settings(run.warehouse.rows(LOG), run.warehouse.root, run.config)


def require_settings(builds: list[dict[str, Any]], root: Path, config: Config) -> None:
    """Refuse settings that the tables were not built with; nothing is refused before a build.

    Parameters
    ----------
    builds
        Rows of the build log.
    root
        Folder of the warehouse.

    Raises
    ------
    UsageError
        Days, sessions and steps would not be those of the tables.
    """
    before = _newest(builds)
    if before is None or _settings(before["code_version"]) == _settings(
        code_version(config.metrics)
    ):
        return
    raise UsageError(
        f"the tables of {root} were built with other settings (metrics:) than those of "
        f"{config.source}: give the --conf-file they were built with, or run build with this one"
    )


def find_changes(run: Run) -> Changes:
    """Compare what was loaded with what was built; the tables must be registered."""
    warehouse = run.warehouse
    new = new_batches(warehouse)
    before = last_build(warehouse)
    if before is None:
        return Changes("nothing is built yet", {}, new)
    if missing := _missing_table(warehouse):
        return Changes(f"{missing} is not there", {}, new, before)
    if before["code_version"] != (now := code_version(run.config.metrics)):
        others = "queries" if _settings(before["code_version"]) == _settings(now) else "settings"
        return Changes(f"{others} are not those of the last build", {}, new, before)
    return Changes("", _touched_days(run, new, before["as_of"]) if new else {}, new, before)


def new_batches(warehouse: Warehouse) -> tuple[str, ...]:
    """Batches, as table/batch_id, that were loaded since the last build."""
    loaded = {f"{row['table_name']}/{row['batch_id']}" for row in batches.recorded(warehouse)}
    built = {name for row in warehouse.rows(LOG) for name in json.loads(row["batches"])}
    return tuple(sorted(loaded - built))


def last_build(warehouse: Warehouse) -> dict[str, Any] | None:
    """Newest row of the build log; None before the first build."""
    return _newest(warehouse.rows(LOG))


def _newest(builds: list[dict[str, Any]]) -> dict[str, Any] | None:
    return max(builds, key=lambda row: row["built_at"], default=None)


def _settings(version: str) -> str:
    return version.rpartition("/")[2]


def _hash(parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()[:16]


def _missing_table(warehouse: Warehouse) -> str:
    stored = (table.name for table in build_order(LAYERS) if not table.is_view)
    return next((name for name in stored if not warehouse.exists(name)), "")


def _touched_days(run: Run, new: Sequence[str], last_day: date) -> dict[date, str]:
    ids: dict[str, list[str]] = {}
    for name in new:
        table, _, batch_id = name.partition("/")
        ids.setdefault(table, []).append(batch_id)
    users = ids.get("bronze_users")
    statements = [
        _EVENTS_OR_ORDERS.format(
            table=table, key=key, new=_quoted(ids.get(table)), users=_quoted(users)
        )
        for table, key in _KEYS.items()
        if (users or table in ids) and run.warehouse.exists(table)
    ]
    if users:
        statements.append(_USERS.format(users=_quoted(users)))
    found: dict[date, set[str]] = {}
    for statement in statements:
        for row in run.spark.sql(render(statement, {"tz": run.config.metrics.tz})).collect():
            if row["day"] is not None:
                reason = row["reason"]
                if reason == "arrived":
                    reason = "new" if row["day"] > last_day else "late"
                found.setdefault(row["day"], set()).add(reason)
    return {day: min(reasons, key=REASONS.index) for day, reasons in sorted(found.items())}


def _quoted(ids: Sequence[str] | None) -> str:
    return ", ".join(f"'{each}'" for each in ids) if ids else "NULL"
