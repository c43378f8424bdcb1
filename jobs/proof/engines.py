"""Both engines build every silver and gold table from the same bronze, and read each other's.

Spark is the reference; a table passes where the four readings (written by either, read by either)
have one content hash, which counts every row and column but load bookkeeping.
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.core.building.changes import LAYERS
from jobs.core.building.flow import build
from jobs.core.catalog import build_order
from jobs.core.entry import Run
from jobs.core.progress import Progress
from jobs.core.sail import connect_beside_spark
from jobs.core.tables import Warehouse
from jobs.proof.content_hash import fingerprint
from jobs.proof.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark.sql import SparkSession

ENGINES = ("spark", "sail")


def compare_engines(run: Run) -> list[Finding]:
    """Build twice in a folder that is removed afterwards, and compare.

    Parameters
    ----------
    run
        A run on Spark; its warehouse lends its bronze tables.
    """
    sail = connect_beside_spark()
    sessions: Mapping[str, SparkSession] = {"spark": run.spark, "sail": sail}
    try:
        with tempfile.TemporaryDirectory(prefix="glasshouse-engines-") as scratch:
            for engine, session in sessions.items():
                with run.progress.step(f"build on {engine}"):
                    _build(run, Path(scratch) / engine, session, engine)
            with run.progress.step("compare"):
                return [
                    _compare(Path(scratch), table.name, sessions)
                    for table in build_order(LAYERS)
                    if not table.is_view
                ]
    finally:
        sail.stop()


def _build(run: Run, root: Path, session: SparkSession, engine: str) -> None:
    root.mkdir()
    (root / "bronze").symlink_to(run.warehouse.root / "bronze")
    (root / "ops").mkdir()
    (root / "ops" / "bronze_batches").symlink_to(run.warehouse.root / "ops" / "bronze_batches")
    warehouse = Warehouse(root, session, run.warehouse.run_id, engine)
    silent = Progress(stream=io.StringIO())
    build(Run(session, run.config, warehouse, silent, run.manifest))


def _compare(scratch: Path, name: str, sessions: Mapping[str, SparkSession]) -> Finding:
    hashes = {}
    for writer in ENGINES:
        for reader, session in sessions.items():
            tables = Warehouse(scratch / writer, session, "compare", reader)
            unhashed = tables.table(name).contract.unhashed
            hashes[writer, reader] = fingerprint(tables.read(name), unhashed)
    expected = hashes["spark", "spark"]
    others = [f"{w}, read by {r}" for (w, r), found in hashes.items() if found != expected]
    text = f"{expected.rows:,} rows"
    found = f"other: {'; '.join(others)}" if others else f"{text}, 4 times"
    return Finding(
        f"{name}: one content, written and read by either engine", text, found, not others
    )
