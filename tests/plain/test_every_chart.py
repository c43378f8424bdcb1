"""What holds for every chart: named, described, whole, repeatable, and never blank."""

from __future__ import annotations

import matplotlib
import pytest

from jobs.core.catalog import all_tables
from jobs.reporting import pack
from jobs.reporting.charts import active_users, revenue
from jobs.reporting.cohort_charts import retention_curve
from jobs.reporting.model_charts import calibration, pr_curve
from jobs.reporting.peer_charts import feature_importance, model_peers
from tests.chart_frames import (
    AS_OF,
    activity,
    bins,
    churn,
    cohorts,
    curve,
    importances,
    peers,
    precision_recall,
    precision_recall_of_churn,
    sales,
    steps,
    texts,
)

# The columns that a model may read and a chart may have to name.
FEATURES = tuple(all_tables()["user_snapshots"].schema.names[2:])
FRAMES = {
    "active_users": activity(),
    "retention_heatmap": cohorts(),
    "retention_curve": curve(),
    "funnel": steps(950, 36, 12),
    "revenue": sales(),
    "pr_curve": precision_recall(),
    "calibration": bins(0.01, 0.03, 0.02),
    "model_peers": peers(),
    "feature_importance": importances(sorted(FEATURES, key=len, reverse=True)),
    "churn_pr_curve": precision_recall_of_churn(),
    "churn_calibration": churn(bins(0.2, 0.5, 0.8, 0.94, first=0.22, step=0.24)),
    "churn_model_peers": churn(peers({"gbt": 0.84, "recency": 0.79, "logistic": 0.835}, 0.62)),
    "churn_feature_importance": churn(importances()),
}
DRAWN = {chart.name: (chart.draw, FRAMES[chart.name]) for chart in pack.CHARTS}


def test_every_chart_of_the_pack_is_tested_here():
    assert [chart.name for chart in pack.CHARTS] == list(FRAMES)


@pytest.mark.parametrize("name", [name for name in FRAMES if name.startswith("churn_")])
def test_charts_of_churn_speak_of_churn(name):
    draw, frame = DRAWN[name]

    found = texts(draw(frame, AS_OF))

    assert any(text.startswith("No visit in 14 days: ") for text in found)
    assert any("churn_14d" in text for text in found) or name == "churn_calibration"
    assert not any("buy" in text.lower() or "purchase" in text.lower() for text in found)


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

    used = figure.get_tightbbox()
    assert used.x0 >= 0 and used.x1 <= figure.get_figwidth()
    assert used.y0 >= 0 and used.y1 <= figure.get_figheight()


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


@pytest.mark.parametrize("days", [1, 2, 8, 60, 200, 500, 1200])
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
        (model_peers, peers({"gbt": 0.0}, 0.0, 0.0)),
        (model_peers, peers({"gbt": 0.02, "somebody_else": 0.5}).assign(low=None, high=None)),
        (feature_importance, importances(["country"])),
        (feature_importance, importances(FEATURES).assign(value=0.0)),
        (calibration, bins(0.0, 1.0, version="=cmd" * 60)),
    ],
)
def test_edge_cases_draw_without_an_error(draw, frame):
    assert pack.png_bytes(draw(frame, AS_OF)).startswith(b"\x89PNG")
