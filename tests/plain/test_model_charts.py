"""The model's charts draw what their frames hold; numbers are written as people read them."""

from __future__ import annotations

import numpy as np
import pytest

from jobs.reporting.formats import number_tick, percent, percent_tick, short_number, shorten
from jobs.reporting.intervals import wilson
from jobs.reporting.model_charts import calibration, pr_curve
from jobs.reporting.peer_charts import feature_importance, model_peers
from jobs.reporting.theme import text_on
from tests.chart_frames import (
    AS_OF,
    PEERS,
    bins,
    importances,
    peers,
    precision_recall,
    precision_recall_of_churn,
    texts,
)


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
    assert "Above the scale: 1 point, at recall below 2 %." in " ".join(texts(figure)).replace(
        "\n", " "
    )


def test_precision_recall_without_selected_users_has_no_threshold_mark():
    axes = pr_curve(precision_recall(precision=None), AS_OF).axes[0]

    assert len(axes.lines) == 2


@pytest.mark.parametrize("frame", [precision_recall(), precision_recall_of_churn()])
def test_what_is_said_of_the_threshold_lies_within_the_axes(frame):
    figure = pr_curve(frame, AS_OF)

    figure.canvas.draw()
    axes = figure.axes[0]
    told = [text for text in axes.texts if text.get_text().startswith("Threshold")]
    corner = [text for text in axes.texts if text.get_text().startswith("Average precision")]
    (box,), (other,) = ([text.get_window_extent() for text in texts] for texts in (told, corner))
    whole = axes.get_window_extent()
    assert whole.y0 < box.y0 and box.y1 < whole.y1
    assert not box.overlaps(other)


def test_peers_are_dots_in_order_with_ceilings_and_base_rate():
    figure = model_peers(peers(), AS_OF)

    axes = figure.axes[0]
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names[:4] == ["Ceiling: clairvoyant", "Ceiling: history oracle", "XGBoost", "This model"]
    assert len(names) == len(PEERS)
    dots = {line.get_ydata()[0]: line for line in axes.lines if line.get_marker() in ("o", "D")}
    drawn = [dots[place].get_xdata()[0] for place in range(len(names))]
    assert drawn == sorted(PEERS.values(), reverse=True)
    assert [place for place in dots if dots[place].get_marker() == "D"] == [0, 1]
    ends = [path.vertices[:, 0] for bars in axes.collections for path in bars.get_paths()]
    assert [list(pair) for pair in ends] == [
        [pytest.approx(value - 0.012), pytest.approx(value + 0.012)] for value in drawn
    ]
    assert any(set(line.get_xdata()) == {0.031} for line in axes.lines)
    assert "Ceilings know how" in " ".join(texts(figure)).replace("\n", " ")
    without = model_peers(peers({"gbt": 0.2, "recency": 0.1}), AS_OF)
    assert "Ceilings" not in " ".join(texts(without))


def test_importances_are_the_fifteen_largest_and_both_bars_are_of_one_feature():
    names = [f"feature_{place:02}" for place in range(20)]

    left, right = feature_importance(importances(names), AS_OF).axes

    assert [label.get_text() for label in left.get_yticklabels()] == names[:15]
    lost, moved = ([bar.get_width() for bar in axes.patches] for axes in (left, right))
    assert lost == pytest.approx([0.02 / (1 + place) - 0.0015 for place in range(15)])
    assert moved == pytest.approx([0.2 / (1 + place % 7) for place in range(15)])


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
