"""The shop's charts draw what their frames hold."""

from __future__ import annotations

import numpy as np

from jobs.reporting.charts import active_users, funnel, revenue
from jobs.reporting.cohort_charts import retention_curve, retention_heatmap
from tests.chart_frames import AS_OF, activity, cohorts, curve, sales, steps


def line_values(axes, number):
    line = axes.lines[number]
    return np.asarray(line.get_ydata(), dtype=float)


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

    assert labels == [
        "4 Mar 2024   1,200 users",
        "11 Mar 2024   20 users",
        "18 Mar 2024   123 k users",
    ]
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


def test_retention_curve_with_the_signup_day_only_says_what_is_missing():
    figure = retention_curve(curve().iloc[:1], AS_OF)

    assert figure.get_label() == "No day cohort is complete at day 1 yet."
