"""The files of the chart pack: the CSV is the frame, harmless to spreadsheets, and never half."""

from __future__ import annotations

import io
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from jobs.reporting.charts import revenue
from jobs.reporting.pack import csv_text, neutralise, png_bytes, write_whole
from tests.chart_frames import AS_OF, activity, cohorts, sales


@pytest.mark.parametrize("frame", [activity(), cohorts(), sales()])
def test_csv_read_back_is_the_frame(frame):
    dates = [name for name in frame if name.endswith("_date")]
    integers = {name: kind for name, kind in frame.dtypes.items() if kind == "Int64"}

    actual = pd.read_csv(io.StringIO(csv_text(frame)), parse_dates=dates, dtype=integers)

    pd.testing.assert_frame_equal(actual, frame, check_exact=True)


def test_csv_writes_cents_exactly_and_missing_values_as_nothing():
    frame = pd.DataFrame(
        {
            "day": [pd.Timestamp("2024-03-01"), pd.NaT],
            "revenue": [Decimal("12345678901234.10"), Decimal("-0.10")],
            "rate": [0.1, np.nan],
            "users": pd.array([3, None], dtype="Int64"),
        }
    )

    assert csv_text(frame) == (
        "day,revenue,rate,users\n2024-03-01,12345678901234.10,0.1,3\n,-0.10,,\n"
    )


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\r=1"])
def test_text_that_a_spreadsheet_would_run_is_neutralised(cell):
    frame = pd.DataFrame({"model_version": [cell]})

    assert neutralise(cell) == "'" + cell
    assert "'" + cell[0] in csv_text(frame)


@pytest.mark.parametrize("cell", ["purchase_7d-2024", "a=b", "", -1, Decimal("-1"), None])
def test_harmless_cells_stay_as_they_are(cell):
    assert neutralise(cell) is cell


def test_csv_leaves_the_frame_itself_alone():
    frame = pd.DataFrame({"name": ["=1"]})

    csv_text(frame)

    assert frame["name"].tolist() == ["=1"]


def test_png_carries_the_text_alternative_and_no_version():
    image = Image.open(io.BytesIO(png_bytes(revenue(sales(), AS_OF))))

    assert image.text["Description"].startswith("Bars of daily revenue from 2024-03-22")
    assert set(image.text) == {"Description"}
    assert image.size[0] == 1600


def test_write_replaces_a_file_and_leaves_nothing_else(tmp_path):
    target = tmp_path / "chart.csv"
    target.write_text("old")

    assert write_whole(target, b"new") == target

    assert target.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [target]


def test_failed_write_keeps_the_old_file_and_leaves_nothing_else(tmp_path):
    target = tmp_path / "chart.csv"
    target.mkdir()  # cannot be replaced by a file
    (target / "kept").touch()

    with pytest.raises(OSError):
        write_whole(target, b"new")

    assert list(tmp_path.iterdir()) == [target]
    assert (target / "kept").exists()
