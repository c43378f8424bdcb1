"""Grade of the cleaning: what silver recognised, against what was truly done to the log.

A kind of dirt is recognised by a sign: the rule under which rows went to quarantine, a late
arrival, or an unknown country. Recall is the share of the labelled rows with their sign, precision
the share of the rows with the sign that carry a label for it. Copies count each, and false alarms
of a rule count against every kind that has it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobs.proof.clean_twin import twin_findings
from jobs.proof.findings import Finding
from jobs.shop.stored import stored_world

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyspark.sql import Row

    from jobs.core.entry import Run

# What a kind is recognised by.
SIGNS = {
    "duplicate_exact": "duplicate_exact",
    "duplicate_burst": "duplicate_exact",
    "duplicate_altered": "duplicate_altered",
    "late": "late",
    "clock_ahead": "ts_after_ingest",
    "clock_reset": "ts_before_earliest",
    "unknown_user": "unknown_user",
    "null_country": "unknown_country",
    "bot": "bot",
}
# What no rule can tell from an honest row, and what comes of it.
BEYOND = {
    "out_of_order": "harmless: silver goes by ts",
    "clock_skew": "minutes off, on its own date",
    "tracking_outage": "lost: views and visitors are too few, orders are whole",
}
REQUIRED = 0.99
# Arrivals this long after the event are late; without dirt the delay is seconds.
LATE_MINUTES = 10
READS = ("truth_dirt", "quarantine", "fact_events", "fact_orders", "dim_users")

_LATE = f"ingest_ts > ts + INTERVAL '{LATE_MINUTES}' MINUTE"
_SIGN_OF_KIND = " ".join(f"WHEN '{kind}' THEN '{sign}'" for kind, sign in SIGNS.items())
RECOGNISED = f"""
    WITH signs AS (
        SELECT table_name, row_id, rule AS sign, COUNT(*) AS found
        FROM quarantine
        WHERE stage = 'build'
        GROUP BY table_name, row_id, rule
        UNION ALL
        SELECT 'bronze_events', event_id, 'late', 1 FROM fact_events WHERE {_LATE}
        UNION ALL
        SELECT 'bronze_orders', order_id, 'late', 1 FROM fact_orders WHERE {_LATE}
        UNION ALL
        SELECT 'bronze_users', user_id, 'unknown_country', 1
        FROM dim_users
        WHERE country = 'unknown'
    ),
    labels AS (
        SELECT
            table_name, row_id, kind, CASE kind {_SIGN_OF_KIND} END AS sign,
            CASE WHEN copies > 1 THEN copies ELSE 1 END AS made
        FROM truth_dirt
    )
    SELECT
        table_name, sign, kind,
        SUM(COALESCE(made, 0)) AS made,
        SUM(COALESCE(found, 0)) AS found,
        SUM(LEAST(COALESCE(made, 0), COALESCE(found, 0))) AS right
    FROM labels
    FULL OUTER JOIN signs USING (table_name, row_id, sign)
    GROUP BY table_name, sign, kind
    ORDER BY table_name, kind
"""


@dataclass(frozen=True)
class Grade:
    """How well one kind of dirt in one table was recognised.

    Attributes
    ----------
    made, right, false_alarms : int
        Rows labelled, those of them with the sign of the kind, and other rows with that sign.
    """

    table: str
    kind: str
    made: int
    right: int
    false_alarms: int

    @property
    def recall(self) -> float:
        """Share of the dirty rows that were recognised."""
        return self.right / self.made if self.made else 1.0

    @property
    def precision(self) -> float:
        """Share of what was recognised as dirty that is."""
        named = self.right + self.false_alarms
        return self.right / named if named else 1.0

    @property
    def finding(self) -> Finding:
        """The grade as a line of evidence."""
        name = f"cleaning: {self.kind}, {self.made:,} rows of {self.table}"
        if self.kind in BEYOND:
            return Finding(name, "cannot be recognised", BEYOND[self.kind], True)
        return Finding(
            name,
            f"P, R >= {REQUIRED}",
            f"P {self.precision:.4f} R {self.recall:.4f}",
            min(self.precision, self.recall) >= REQUIRED,
        )


def cleaning_findings(run: Run, known: set[str]) -> list[Finding]:
    """Grade the cleaning of a dirty synthetic shop; nothing for any other log.

    Parameters
    ----------
    run : Run
    known : set of str
        Stored tables, registered under their names.

    Returns
    -------
    list of Finding
        One per table and kind, and one per silver table that must equal the clean twin's.

    Raises
    ------
    UsageError
        The settings are others than those of the shop.
    """
    world = stored_world(run.warehouse, run.config)
    if world is None or not world.is_dirty:
        return []
    missing = sorted(set(READS) - known)
    if missing:
        return [Finding("cleaning graded", "silver", f"no {missing[0]}", False, "warn")]
    rows = run.spark.sql(RECOGNISED).collect()
    findings = [grade.finding for grade in grades(rows)]
    strays = sum(row["found"] for row in rows if row["sign"] not in {None, *SIGNS.values()})
    findings.append(
        Finding("cleaning: rows turned away that no fault explains", "0", f"{strays}", strays == 0)
    )
    if run.warehouse.engine == "sail":
        # The twin's rows are made by Python in Spark's tasks, and read in a session of their own.
        compared = Finding(
            "cleaning: silver = that of the clean twin", "", "Spark alone", False, "warn"
        )
        return [*findings, compared]
    return findings + twin_findings(run, world)


def grades(rows: Iterable[Row]) -> list[Grade]:
    """Turn the rows of `RECOGNISED` into a grade per table and kind that occurs."""
    every = list(rows)
    false_alarms: dict[tuple[str, str], int] = defaultdict(int)
    for row in every:
        if row["sign"] is not None:
            false_alarms[row["table_name"], row["sign"]] += row["found"] - row["right"]
    return [
        Grade(
            table=row["table_name"],
            kind=row["kind"],
            made=row["made"],
            right=row["right"],
            false_alarms=false_alarms.get((row["table_name"], row["sign"]), 0),
        )
        for row in every
        if row["kind"] is not None
    ]
