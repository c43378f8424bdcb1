"""The charts draw what their frames hold, and say so when there is nothing to draw."""

from __future__ import annotations

from datetime import date

import matplotlib
import numpy as np
import pandas as pd
import pytest

from jobs.reporting import pack
from jobs.reporting.charts import active_users, funnel, revenue
from jobs.reporting.cohort_charts import retention_curve, retention_heatmap
from jobs.reporting.formats import number_tick, percent, percent_tick, short_number, shorten
from jobs.reporting.intervals import wilson
from jobs.reporting.model_charts import calibration, pr_curve
from jobs.reporting.theme import text_on

AS_OF = date(2024, 3, 31)


def activity(days=40, level=100):
    position = np.arange(days)
    return pd.DataFrame(
        {
            "metric_date": pd.date_range(end="2024-03-31", periods=days),
            "dau": pd.array(level + position % 7, dtype="Int64"),
            "wau_7": pd.array(level * 3 + position, dtype="Int64"),
            "mau_28": pd.array(level * 6 + position, dtype="Int64"),
            "stickiness": np.where(position >= 27, 0.17, np.nan),
            "is_wau_7_complete": position >= 6,
            "is_mau_28_complete": position >= 27,
        }
    )


def sales(days=10, amount=50.0):
    position = np.arange(days)
    return pd.DataFrame(
        {
            "metric_date": pd.date_range(end="2024-03-31", periods=days),
            "orders": pd.array([1] * days, dtype="Int64"),
            "revenue": amount * (1 + position),
            "revenue_7d_mean": np.where(position >= 6, amount * (position - 2), np.nan),
            "days_observed_7d": pd.array(np.minimum(position + 1, 7), dtype="Int64"),
        }
    )


def cohorts():
    rates = {(0, 0): 0.9, (0, 1): 0.4, (0, 2): 0.0, (1, 0): 1.0, (1, 1): 0.25}
    rows = [
        {
            "cohort_date": pd.Timestamp("2024-03-04") + pd.Timedelta(weeks=week),
            "cohort_size": 1200 if week == 0 else 20,
            "period": period,
            "retained": None,
            "retention_rate": rates.get((week, period)),
            "is_complete": (week, period) in rates,
        }
        for week in range(3)
        for period in range(4)
    ]
    return pd.DataFrame(rows).astype({"retained": "Int64", "retention_rate": float})


def curve():
    return pd.DataFrame(
        {
            "period": pd.array([0, 1, 7], dtype="Int64"),
            "eligible": pd.array([100, 100, 50], dtype="Int64"),
            "retained": pd.array([90, 20, 5], dtype="Int64"),
            "retention_rate": [0.9, 0.2, 0.1],
        }
    )


def steps(*entries):
    counts = pd.Series(entries, dtype="int64")
    before = counts.shift(1)
    return pd.DataFrame(
        {
            "step": ["view", "add_to_cart", "purchase"],
            "entries": counts,
            "step_rate": counts / before.where(before > 0),
            "total_rate": counts / (entries[0] or float("nan")),
            "first_date": pd.Timestamp("2024-03-01"),
            "last_date": pd.Timestamp("2024-03-24"),
        }
    )


def model(*rows, version="purchase_7d-2024-02-01-1a2b3c4d"):
    frame = pd.DataFrame(rows, columns=["metric", "point", "x", "value", "rows"])
    first = {
        "model_version": version,
        "target": "purchase_7d",
        "split": "test",
        "first_test_as_of": pd.Timestamp("2024-03-01"),
        "last_test_as_of": pd.Timestamp("2024-03-22"),
    }
    return frame.assign(**first).astype({"rows": "Int64", "x": float})


def precision_recall(**changes):
    single = {
        "average_precision": 0.2,
        "base_rate": 0.05,
        "threshold": 0.12,
        "selected_share": 0.1,
        "precision": 0.15,
        "recall": 0.5,
    } | changes
    points = [(1.0, 0.05), (0.5, 0.15), (0.1, 0.3), (0.01, 1.0)]
    rows = [(name, 0, None, value, 100) for name, value in single.items() if value is not None]
    rows += [("pr_curve", i, x, y, None) for i, (x, y) in enumerate(points, 1)]
    return model(*rows)


def bins(*observed, version="v"):
    rows = [("calibration", i, 0.01 * i, share, 1_500) for i, share in enumerate(observed, start=1)]
    return model(("ece", 0, None, 0.004, 15_000), *rows, version=version)


DRAWN = {
    "active_users": (active_users, activity()),
    "retention_heatmap": (retention_heatmap, cohorts()),
    "retention_curve": (retention_curve, curve()),
    "funnel": (funnel, steps(950, 36, 12)),
    "revenue": (revenue, sales()),
    "pr_curve": (pr_curve, precision_recall()),
    "calibration": (calibration, bins(0.01, 0.03, 0.02)),
}


def texts(figure):
    """Collect every text of a figure, tick labels included, as it will be drawn."""
    figure.canvas.draw()
    return [text.get_text() for text in figure.findobj(matplotlib.text.Text) if text.get_text()]


def line_values(axes, number):
    line = axes.lines[number]
    return np.asarray(line.get_ydata(), dtype=float)


def test_every_chart_of_the_pack_is_tested_here():
    assert {chart.name: chart.draw for chart in pack.CHARTS} == {
        name: draw for name, (draw, _) in DRAWN.items()
    }


@pytest.mark.parametrize("name", DRAWN)
def test_chart_says_source_and_day_and_describes_itself(name):
    draw, frame = DRAWN[name]

    figure = draw(frame, AS_OF)

    table = next(chart.tables[-1] for chart in pack.CHARTS if chart.name == name)
    assert any(table in text and "as of 2024-03-31" in text for text in texts(figure))
    assert len(figure.get_label()) > 40, "the text alternative"


@pytest.mark.parametrize("name", DRAWN)
def test_every_text_lies_on_the_sheet(name):
    draw, frame = DRAWN[name]

    figure = draw(frame, AS_OF)

    figure.canvas.draw()
    sheet = figure.bbox
    for text in figure.findobj(matplotlib.text.Text):
        if text.get_text() and text.get_visible():
            box = text.get_window_extent()
            assert box.x0 >= 0 and box.x1 <= sheet.width, text.get_text()
            assert box.y0 >= 0 and box.y1 <= sheet.height, text.get_text()


@pytest.mark.parametrize("name", DRAWN)
def test_empty_frame_gives_a_message_in_place_of_a_blank_chart(name):
    draw, frame = DRAWN[name]

    figure = draw(frame.iloc[:0], None)

    assert not figure.axes
    assert figure.get_label() in " ".join(" ".join(texts(figure)).split("\n"))
    assert any("no data yet" in text for text in texts(figure))


@pytest.mark.parametrize("name", DRAWN)
def test_equal_frames_give_equal_bytes_whatever_the_users_style(name):
    draw, frame = DRAWN[name]

    first = pack.png_bytes(draw(frame, AS_OF))
    with matplotlib.rc_context({"font.size": 20, "axes.grid": False, "savefig.dpi": 30}):
        second = pack.png_bytes(draw(frame.copy(), AS_OF))

    assert first == second


def test_drawing_leaves_the_global_style_alone():
    before = dict(matplotlib.rcParams)

    for draw, frame in DRAWN.values():
        pack.png_bytes(draw(frame, AS_OF))

    assert dict(matplotlib.rcParams) == before


def test_active_users_solid_where_complete_and_dashed_before():
    frame = activity()

    upper, lower = active_users(frame, AS_OF).axes

    solid, dashed = line_values(upper, 4), line_values(upper, 5)
    np.testing.assert_array_equal(line_values(upper, 0), frame["dau"].astype(float))
    np.testing.assert_array_equal(np.isfinite(solid), frame["is_mau_28_complete"])
    np.testing.assert_array_equal(solid[27:], frame["mau_28"][27:].astype(float))
    # One shared point joins the two, so that the line has no gap.
    np.testing.assert_array_equal(np.flatnonzero(np.isfinite(dashed)), np.arange(28))
    assert upper.lines[5].get_linestyle() == "--" or upper.lines[5].is_dashed()
    np.testing.assert_array_equal(line_values(lower, 0)[27:], [0.17] * 13)


def test_active_users_all_complete_has_no_dashes():
    frame = activity().assign(is_wau_7_complete=True, is_mau_28_complete=True)

    upper = active_users(frame, AS_OF).axes[0]

    assert not np.isfinite(line_values(upper, 5)).any()


def test_heatmap_leaves_unfinished_cells_blank_and_shows_zero_as_zero():
    figure = retention_heatmap(cohorts(), AS_OF)

    axes = figure.axes[0]
    cells = axes.collections[0].get_array()
    written = {text.get_position(): text.get_text() for text in axes.texts}
    assert cells.shape == (3, 3), "a week that no cohort has completed has no column"
    np.testing.assert_array_equal(
        np.ma.getmaskarray(cells), [[True, False, False], [True, False, True], [True, True, True]]
    )
    np.testing.assert_allclose(cells.compressed(), [40, 0, 25])
    assert written == {
        (0.5, 0.5): "90",
        (1.5, 0.5): "40",
        (2.5, 0.5): "0",
        (0.5, 1.5): "100",
        (1.5, 1.5): "25",
    }


def test_heatmap_names_week_and_size_of_each_cohort():
    axes = retention_heatmap(cohorts(), AS_OF).axes[0]

    labels = [label.get_text() for label in axes.get_yticklabels()]

    assert labels == ["4 Mar 2024   n = 1,200", "11 Mar 2024   n = 20", "18 Mar 2024   n = 20"]
    assert axes.get_ylim()[0] > axes.get_ylim()[1], "the oldest cohort is on top"


def test_heatmap_with_the_signup_week_only_has_no_colour_scale():
    frame = cohorts()
    frame = frame[frame["period"] == 0]

    figure = retention_heatmap(frame, AS_OF)

    assert len(figure.axes) == 1
    assert {text.get_text() for text in figure.axes[0].texts} == {"90", "100"}


def test_retention_curve_draws_from_day_one_and_tells_day_zero():
    upper, lower = retention_curve(curve(), AS_OF).axes

    np.testing.assert_array_equal(line_values(upper, 0), [0.2, 0.1])
    assert [bar.get_height() for bar in lower.patches] == [100, 50]
    assert upper.texts[-1].get_text().split("\n") == [
        "Day 0: 90.0 %",
        "Day 1: 20.0 %",
        "Day 7: 10.0 %",
    ]


def test_funnel_bars_and_rates_are_those_of_the_frame():
    figure = funnel(steps(1000, 50, 5), AS_OF)

    axes = figure.axes[0]
    assert [bar.get_width() for bar in axes.patches[3:]] == [1000, 50, 5]
    cells = [text.get_text() for text in axes.texts]
    assert cells == ["Entries", "1,000", "50", "5"] + ["of step before", "", "5.00 %", "10.0 %"] + [
        "of all",
        "100 %",
        "5.00 %",
        "0.50 %",
    ]


def test_funnel_without_carts_has_no_rate_from_nothing():
    cells = [text.get_text() for text in funnel(steps(10, 0, 0), AS_OF).axes[0].texts]

    assert cells[4:8] == ["of step before", "", "0 %", ""]


def test_funnel_without_views_says_so():
    figure = funnel(steps(0, 0, 0), AS_OF)

    assert not figure.axes
    assert "No views from 2024-03-01 to 2024-03-24" in figure.get_label()


def test_revenue_bars_and_rolling_mean_are_those_of_the_frame():
    frame = sales()

    axes = revenue(frame, AS_OF).axes[0]

    assert [bar.get_height() for bar in axes.patches] == list(frame["revenue"])
    np.testing.assert_array_equal(line_values(axes, 0), frame["revenue_7d_mean"])
    assert axes.get_ylim()[0] == 0


@pytest.mark.parametrize("days", [1, 2, 8, 60, 200, 800, 3000])
def test_dates_are_few_and_name_a_year(days):
    figure = revenue(sales(days), AS_OF)

    figure.canvas.draw()
    axes = figure.axes[0]
    low, high = axes.get_xlim()
    labels = [
        tick.label1.get_text()
        for tick in axes.xaxis.get_major_ticks()
        if low <= tick.get_loc() <= high
    ]
    assert 1 <= len(labels) <= 14
    assert any("20" in label.split("\n")[-1] for label in labels)
    boxes = [
        tick.label1.get_window_extent()
        for tick in axes.xaxis.get_major_ticks()
        if low <= tick.get_loc() <= high
    ]
    assert all(left.x1 < right.x0 for left, right in zip(boxes, boxes[1:], strict=False))


@pytest.mark.parametrize(
    ("draw", "frame"),
    [
        (active_users, activity(days=1, level=0)),
        (active_users, activity(days=30, level=0).assign(dau=0, wau_7=0, mau_28=0)),
        (revenue, sales(days=1)),
        (revenue, sales(days=9, amount=0.0)),
        (retention_curve, curve().iloc[:2].assign(retained=0, retention_rate=0.0)),
        (pr_curve, precision_recall(base_rate=0.0, average_precision=0.0)),
        (pr_curve, precision_recall(precision=None)),
        (calibration, bins(0.0, 0.0)),
        (calibration, bins(0.0, 1.0, version="=cmd" * 60)),
    ],
)
def test_edge_cases_draw_without_an_error(draw, frame):
    assert pack.png_bytes(draw(frame, AS_OF)).startswith(b"\x89PNG")


def test_retention_curve_with_the_signup_day_only_says_what_is_missing():
    figure = retention_curve(curve().iloc[:1], AS_OF)

    assert figure.get_label() == "No day cohort is complete at day 1 yet."


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
