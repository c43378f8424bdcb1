"""The model's charts draw what their frames hold; numbers are written as people read them."""

from __future__ import annotations

import numpy as np
import pytest

from jobs.reporting.formats import number_tick, percent, percent_tick, short_number, shorten
from jobs.reporting.intervals import wilson
from jobs.reporting.model_charts import calibration, pr_curve
from jobs.reporting.theme import text_on
from tests.chart_frames import AS_OF, bins, precision_recall, texts


def test_precision_recall_marks_threshold_and_base_rate():
    axes = pr_curve(precision_recall(), AS_OF).axes[0]

    line, base, point = axes.lines
    assert list(line.get_xdata()) == [0.01, 0.1, 0.5, 1.0]
    assert list(line.get_ydata()) == [1.0, 0.3, 0.15, 0.05]
    assert set(base.get_ydata()) == {0.05}
    assert (point.get_xdata()[0], point.get_ydata()[0]) == (0.5, 0.15)
    assert axes.texts[0].get_text().split("\n")[-1] == "4.0 times the base rate"


def test_precision_recall_says_which_points_leave_the_scale():
    figure = pr_curve(precision_recall(), AS_OF)

    assert figure.axes[0].get_ylim()[1] == pytest.approx(1.3 * 0.3)
    assert "Above the scale: 1 points, at recall below 2 %." in " ".join(texts(figure)).replace(
        "\n", " "
    )


def test_precision_recall_without_selected_users_has_no_threshold_mark():
    axes = pr_curve(precision_recall(precision=None), AS_OF).axes[0]

    assert len(axes.lines) == 2


def test_calibration_points_bins_and_intervals():
    figure = calibration(bins(0.01, 0.03), AS_OF)

    plot, table = figure.axes
    diagonal, points = plot.lines
    np.testing.assert_array_equal(diagonal.get_xdata(), diagonal.get_ydata())
    assert list(points.get_xdata()) == [0.01, 0.02]
    assert list(points.get_ydata()) == [0.01, 0.03]
    intervals = [path.vertices[:, 1] for path in plot.collections[0].get_paths()]
    assert all(
        low < share < high for (low, high), share in zip(intervals, (0.01, 0.03), strict=True)
    )
    assert [text.get_text() for text in table.texts][4:8] == ["1", "1.50 k", "1.00 %", "1.00 %"]


def test_wilson_matches_published_values_and_holds_at_the_ends():
    # Newcombe, Statistics in Medicine 17 (1998), table I, method 3: 81/263, 15/148, 0/20, 1/29.
    users = np.array([263.0, 148.0, 20.0, 29.0])
    low, high = wilson(np.array([81, 15, 0, 1]) / users, users)

    np.testing.assert_allclose(low, [0.2553, 0.0624, 0.0, 0.0061], atol=5e-5)
    np.testing.assert_allclose(high, [0.3662, 0.1605, 0.1611, 0.1718], atol=5e-5)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "0"),
        (93, "93"),
        (64.13, "64.1"),
        (999, "999"),
        (2_196, "2.20 k"),
        (12_345, "12.3 k"),
        (999_400, "999 k"),
        (999_600, "1.00 M"),
        (1_250_000, "1.25 M"),
        (-4_500, "-4.50 k"),
    ],
)
def test_short_number(value, expected):
    assert short_number(value) == expected


def test_ticks_and_percentages():
    assert [number_tick(n) for n in (0, 0.5, 20, 2_500, 1e6)] == ["0", "0.5", "20", "2.5 k", "1 M"]
    assert [percent(p) for p in (0, 0.005, 0.0123, 0.09996, 1)] == [
        "0 %",
        "0.50 %",
        "1.23 %",
        "10.0 %",
        "100 %",
    ]
    assert [percent_tick(p) for p in (0.0, 0.025, 0.1)] == ["0 %", "2.5 %", "10 %"]


def test_shorten_keeps_both_ends():
    assert shorten("purchase", 8) == "purchase"
    assert shorten("abcdefghij", 5) == "ab…ij"
    assert len(shorten("x" * 500, 40)) == 40


def test_text_on_a_colour_has_readable_contrast():
    assert text_on("#440154") == "#FFFFFF"
    assert text_on("#FDE725") == "#000000"
