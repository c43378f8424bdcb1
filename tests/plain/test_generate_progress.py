"""What `generate` says while it works: a name per step, and why the first run takes longer."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from jobs.core.entry import Run
from jobs.core.progress import Progress
from jobs.shop import jit, loading
from jobs.shop.loading import Span, load_world, step_name
from jobs.shop.passes import DAYS, TRUTH, USERS
from tests.shop_worlds import small_world


def test_no_two_steps_have_one_name() -> None:
    names = [step_name(one, table) for one in (USERS, DAYS, TRUTH) for table in one.frames]
    assert len(set(names)) == len(names) == 7


@pytest.mark.parametrize(
    ("is_compiled", "loaded", "told"), [(False, False, 1), (True, False, 0), (False, True, 0)]
)
def test_compiling_is_told_where_something_is_made_for_the_first_time(
    monkeypatch: pytest.MonkeyPatch, is_compiled: bool, loaded: bool, told: int
) -> None:
    world = small_world(users=100, days=3)
    days = Span(world.first_date, world.until)
    monkeypatch.setattr(jit, "is_compiled", lambda: is_compiled)
    monkeypatch.setattr(loading, "_load", lambda *_: None)
    monkeypatch.setattr(loading.batches, "recorded", lambda _: recorded(days) if loaded else [])
    monkeypatch.setattr(loading, "_refuse_other_sources", lambda *_: None)
    stream = io.StringIO()
    run = SimpleNamespace(warehouse=None, progress=Progress(stream=stream))
    load_world(cast(Run, run), world, days)
    assert stream.getvalue().count("loops are compiled at first use") == told


def recorded(days: Span) -> list[dict[str, Any]]:
    """Batches that hold all of a shop from before its warm-up on."""
    span = {"first_date": days.first.replace(year=2000), "last_date": days.end}
    tables = [table for one in (USERS, DAYS, TRUTH) for table in one.frames]
    return [{"table_name": table, **span} for table in tables]


def test_what_was_compiled_is_found_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(jit, "_FOLDER", None)
    assert not jit.is_compiled()
    monkeypatch.setattr(jit, "_FOLDER", tmp_path)
    (tmp_path / "hashing.mix-1.py311.nbi").touch()  # what any look at a shop compiles
    assert not jit.is_compiled()
    (tmp_path / "walk.walk-1.py311.nbi").touch()
    assert jit.is_compiled()
