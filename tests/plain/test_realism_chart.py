"""The chart of `verify --realism`: every figure on it, told apart by verdict, repeatable."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from jobs.core.errors import StorageError
from jobs.proof.realism import Realism, as_frame, compare
from jobs.proof.realism_targets import read_targets
from jobs.reporting.realism_chart import realism, write_chart
from jobs.reporting.theme import BLUE, ORANGE, VERMILLION
from tests.chart_frames import texts

LAST_DAY = date(2025, 6, 30)


def frame(**reached: float) -> pd.DataFrame:
    """All figures on target except those given."""
    targets = read_targets()
    found = {target.name: target.target for target in targets.figures} | reached
    return as_frame(Realism(targets, compare(targets, found), "sample", LAST_DAY))


@pytest.fixture(scope="module")
def mixed() -> pd.DataFrame:
    return frame(gap_p50=41.0, gap_p75=300.0, value_mean=35.0)


@pytest.fixture(scope="module")
def drawn(mixed: pd.DataFrame) -> Figure:
    figure = realism(mixed, LAST_DAY)
    figure.canvas.draw()
    return figure


def panel_of(figure: Figure, group: str) -> Axes:
    return next(axes for axes in figure.axes if group in [t.get_text() for t in axes.texts])


def test_each_verdict_has_its_mark_at_its_ratio(drawn: Figure) -> None:
    found = {
        to_hex(spots.get_facecolor()[0]).upper(): spots.get_offsets().tolist()
        for spots in panel_of(drawn, "Days between orders").collections
        if len(spots.get_offsets())
    }
    assert found[ORANGE] == [[pytest.approx(41 / 34), 2]]
    assert found[VERMILLION] == [[1.5, 3]], "beyond the scale it stands at its edge"
    assert [row for _, row in found[BLUE]] == [0, 1, 4]
    shapes = {
        len(spots.get_paths()[0].vertices)
        for spots in panel_of(drawn, "Days between orders").collections
    }
    assert len(shapes) == 3, "told apart without colours too"


def test_bands_are_the_tolerances(mixed: pd.DataFrame, drawn: Figure) -> None:
    gaps = mixed[mixed["group"] == "Days between orders"]
    bands = panel_of(drawn, "Days between orders").patches
    low = (gaps["target"] - gaps["tolerance"]) / gaps["target"]
    np.testing.assert_allclose([bar.get_x() for bar in bands], low)
    np.testing.assert_allclose([bar.get_x() + bar.get_width() for bar in bands], 2 - low)


def test_every_figure_is_named_with_both_values_and_all_lies_on_the_sheet(mixed, drawn) -> None:
    shown = texts(drawn)
    for column in ("group", "figure", "target_text", "reached_text"):
        assert set(mixed[column]) <= set(shown), column
    used = drawn.get_tightbbox()
    assert used.x0 >= 0 and used.x1 <= drawn.get_figwidth()
    assert used.y0 >= 0 and used.y1 <= drawn.get_figheight()
    assert "1 known miss, 1 FAIL" in drawn.get_label()
    assert "Days between orders, 75 % up to, 300 d for 94 d" in drawn.get_label()
    assert any("as of 2025-06-30" in text for text in shown)


def test_panels_do_not_overlap(drawn: Figure) -> None:
    boxes = [axes.get_tightbbox() for axes in drawn.axes]
    assert len(boxes) == 7
    for place, box in enumerate(boxes):
        for other in boxes[place + 1 :]:
            apart = box.x1 < other.x0 or other.x1 < box.x0 or box.y1 < other.y0 or other.y1 < box.y0
            assert apart


def test_a_figure_that_could_not_be_measured_is_the_farthest() -> None:
    figure = realism(frame(gap_p90=float("nan")), LAST_DAY)

    assert "90 % up to, nan d for 200 d" in figure.get_label()


def test_files_are_written_and_repeat(tmp_path: Path, mixed: pd.DataFrame) -> None:
    paths = write_chart(tmp_path / "report", mixed, LAST_DAY)

    assert [path.name for path in paths] == ["realism.png", "realism.csv"]
    first = [path.read_bytes() for path in paths]
    assert [
        path.read_bytes() for path in write_chart(tmp_path / "report", mixed, LAST_DAY)
    ] == first
    stored = pd.read_csv(paths[1])
    assert list(stored["name"]) == list(mixed["name"])
    np.testing.assert_allclose(stored["reached"], mixed["reached"])
    assert stored.loc[stored["name"] == "gap_p50", "why_missed"].str.len().item() > 20


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path, mixed: pd.DataFrame) -> None:
    (tmp_path / "report").write_text("a file")
    with pytest.raises(StorageError, match="nothing half written"):
        write_chart(tmp_path / "report", mixed, LAST_DAY)


def test_an_empty_frame_says_so(mixed: pd.DataFrame) -> None:
    figure = realism(mixed.iloc[:0], None)

    assert not figure.axes
    assert figure.get_label() == "No figure has been measured."
