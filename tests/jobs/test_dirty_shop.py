"""A dirty shop loaded, built and verified as the jobs do it, beside its clean twin."""

from __future__ import annotations

import dataclasses
import io
from datetime import date

import numpy as np
import pytest
from delta.tables import DeltaTable
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from jobs.core.building import flow
from jobs.core.config import load_config
from jobs.core.entry import Run
from jobs.core.manifest import Manifest
from jobs.core.progress import Progress
from jobs.core.tables import Warehouse
from jobs.proof import cleaning, verify
from jobs.proof.clean_twin import twin_findings
from jobs.shop.dirt.labels import KINDS, TABLES
from jobs.shop.dirt.recorded import recorded_rectangle
from jobs.shop.loading import Span, load_world
from jobs.shop.settings import shop_settings
from jobs.shop.world import World
from tests.dirty_shops import dirty_raw
from tests.shop_worlds import small_world

FEW_PAGES = {"per_1000_users": 0.4, "views": [550, 600], "pause_seconds": [1, 4]}
FIRST, END = date(2024, 1, 1), date(2024, 2, 1)

# Two loads, a build and the twin's: minutes beside another session.
pytestmark = pytest.mark.slow


@dataclasses.dataclass
class Shop:
    run: Run
    world: World


@pytest.fixture(scope="module")
def shop(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A dirty shop of a month, loaded in two pieces and built up to silver."""
    raw = dirty_raw(bots=FEW_PAGES)
    world = small_world(users=2500, days=31, shop=shop_settings(raw), is_dirty=True)
    config = dataclasses.replace(load_config(), shop=raw)
    tables = Warehouse(tmp_path_factory.mktemp("dirty"), spark, "test")
    run = Run(spark, config, tables, Progress(stream=io.StringIO()), Manifest("t", "t", []))
    load_world(run, world, Span(FIRST, date(2024, 1, 12)))
    load_world(run, world, Span(FIRST, END))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flow, "LAYERS", ("silver",))
        flow.build(run)
    return Shop(run, world)


def test_every_dirty_row_is_labelled_once_and_pieces_add_up(shop: Shop) -> None:
    world = shop.world
    labels = shop.run.warehouse.read("truth_dirt")
    counted = labels.groupBy("table_name", "kind").agg(
        F.count("*").alias("rows"), F.sum("copies").alias("copies"), F.bit_xor("row_id")
    )
    found = {tuple(row)[:2]: tuple(row)[2:] for row in counted.collect()}
    lost = found.pop(("bronze_users", "null_country"))
    expected = recorded_rectangle(world, 0, world.user_count, FIRST, END).labels
    for place, table in enumerate(TABLES):
        for number, kind in enumerate(KINDS):
            mine = (expected.table == place) & (expected.kind == number)
            ids, copies = expected.row_id[mine], int(expected.copies[mine].sum())
            if len(ids):
                xor = int(np.bitwise_xor.reduce(ids))
                assert found.pop((table, kind)) == (len(ids), copies, xor)
    assert not found
    users = shop.run.warehouse.read("bronze_users")
    assert users.where("country IS NULL").count() == lost[0] > 100
    assert users.count() == world.user_count


def test_every_kind_that_can_be_told_is_told_and_nothing_else(shop: Shop) -> None:
    run = shop.run
    findings = cleaning.cleaning_findings(run, set(run.warehouse.register()))
    for finding in findings:
        assert finding.passed, finding
    graded = [finding for finding in findings if ">=" in finding.expected]
    assert len(graded) == len(cleaning.SIGNS) + 6  # six of the kinds occur among orders too
    assert {finding.found for finding in graded} == {"P 1.0000 R 1.0000"}
    beyond = {f.name.split()[1].strip(",") for f in findings if "cannot" in f.expected}
    assert beyond == set(cleaning.BEYOND)
    assert sum("clean twin" in finding.name for finding in findings) == 3


def test_rows_are_conserved_and_rules_hold(shop: Shop) -> None:
    run = shop.run
    known = set(run.warehouse.register())
    failed = [
        finding
        for finding in verify.reconcile(run, known) + verify.check_rules(run, known)
        if finding.failed
    ]
    assert failed == []


def test_a_fact_changed_behind_the_labels_is_seen(shop: Shop) -> None:
    facts = DeltaTable.forPath(shop.run.spark, shop.run.warehouse.path("fact_orders"))
    victim = facts.toDF().agg(F.min("order_id")).collect()[0][0]
    facts.update(f"order_id = {victim}", {"amount": "amount + 0.01"})
    failed = [f for f in twin_findings(shop.run, shop.world) if f.failed]
    assert [f.name.split()[1] for f in failed] == ["fact_orders"]
    assert failed[0].found == "2 differ"
