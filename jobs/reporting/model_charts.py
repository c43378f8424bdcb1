"""The model's charts: one pure function each, from a frame of `frames` to a Figure."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from jobs.reporting import theme
from jobs.reporting.formats import numbers, percent, percent_tick, short_number
from jobs.reporting.intervals import wilson
from jobs.reporting.model_words import NO_MODEL, WORDS, single, source, title
from jobs.reporting.theme import BLUE, INK, MUTED, VERMILLION

STEADY_RECALL = 0.02


@theme.themed
def pr_curve(frame: pd.DataFrame, as_of: date | None, kind: str = "purchase") -> Figure:
    """Draw precision against recall, with the base rate and the threshold in use."""
    curve = frame[frame["metric"] == "pr_curve"].sort_values("x")
    recall, precision = numbers(curve["x"]), numbers(curve["value"])
    base, average = single(frame, "base_rate"), single(frame, "average_precision")
    top, cut = readable_top(recall, precision, base)
    words = WORDS[kind]
    figure = theme.sheet(
        f"{title(frame, kind)}: precision by recall, %",
        source(frame),
        as_of,
        f"Precision: share of the selected users who {words.do}. Recall: share of those who "
        f"{words.do} that is selected. Measured on days after those the model learned from. "
        f"Dashed: users taken at random, of whom the base rate {words.does}.{cut}",
    )
    if curve.empty:
        return theme.message(figure, NO_MODEL)
    axes = theme.panel(figure)
    axes.plot(recall, precision, color=BLUE)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, top)
    theme.value_axis(axes, "Precision", percent_tick)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: percent_tick(value)))
    axes.xaxis.grid(False)
    axes.set_xlabel("Recall")
    told = [f"Average precision {average:.3f}"] if np.isfinite(average) else []
    if np.isfinite(base):
        axes.axhline(base, color=INK, linestyle=(0, (4, 3)), linewidth=1.2)
        told.append(f"Base rate {percent(base)}")
        if np.isfinite(average) and base > 0:
            told.append(f"{average / base:.1f} times the base rate")
    if told:
        theme.corner_text(axes, "\n".join(told))
    if np.isfinite(single(frame, "precision")) and np.isfinite(single(frame, "recall")):
        told.append(mark_threshold(axes, frame))
    return theme.describe(figure, f"Precision-recall curve. {'; '.join(told)}.")


def readable_top(recall: np.ndarray, precision: np.ndarray, base: float) -> tuple[float, str]:
    """Top of the precision axis, and a remark where points lie above it.

    The first points of the curve rest on a handful of users and may be anywhere up to 100 %;
    they would press the rest of a rare target's curve flat.
    """
    steady = precision[recall >= STEADY_RECALL]
    highest = max([*(steady if len(steady) else precision), 0 if np.isnan(base) else base, 0.01])
    top = min(1.0, 1.3 * highest)
    above = int((precision > top).sum())
    points = "1 point" if above == 1 else f"{above} points"
    remark = f" Above the scale: {points}, at recall below {percent_tick(STEADY_RECALL)}."
    return top, remark if above else ""


def mark_threshold(axes: Axes, frame: pd.DataFrame) -> str:
    """Mark the point of the curve at which the model selects users; returns it in words."""
    x, y = single(frame, "recall"), single(frame, "precision")
    axes.plot(x, y, "o", color=VERMILLION, markersize=9, markeredgecolor="white", zorder=5)
    text = (
        f"Threshold {single(frame, 'threshold'):.3f} selects "
        f"{percent_tick(single(frame, 'selected_share'))} of users:\n"
        f"precision {percent(y)}, recall {percent(x)}"
    )
    # The curve falls to the right, so there is room right above the point, except near the edges.
    near_edge, near_top = x > 0.6, y > 0.75 * axes.get_ylim()[1]
    axes.annotate(
        text,
        (x, y),
        xytext=(-10 if near_edge else 14, -52 if near_top else 22),
        textcoords="offset points",
        ha="right" if near_edge else "left",
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
        arrowprops={"arrowstyle": "-", "color": MUTED, "linewidth": 0.8},
    )
    return text.replace("\n", " ")


@theme.themed
def calibration(frame: pd.DataFrame, as_of: date | None, kind: str = "purchase") -> Figure:
    """Draw the observed share of positives against the predicted one, by bin of users."""
    figure = theme.sheet(
        f"{title(frame, kind)}: observed against predicted share of those who {WORDS[kind].do}, %",
        source(frame),
        as_of,
        "Snapshots (a user on a test day) sorted by predicted probability into bins of equal size. "
        "On the diagonal the prediction comes true; above it the model is too careful, below it "
        "too bold. Bars: 95 % Wilson intervals.",
        height=6.2,
    )
    bins = frame[frame["metric"] == "calibration"].sort_values("point")
    if bins.empty:
        return theme.message(figure, NO_MODEL)
    axes = theme.panel(figure, right=4.1)
    predicted, observed = numbers(bins["x"]), numbers(bins["value"])
    low, high = wilson(observed, numbers(bins["rows"]))
    top = 1.08 * float(np.nanmax([*predicted, *high, 1e-6]))
    axes.plot([0, top], [0, top], color=INK, linestyle=(0, (4, 3)), linewidth=1.2)
    axes.vlines(predicted, low, high, color=BLUE, linewidth=1.6)
    axes.plot(predicted, observed, "o", color=BLUE, markersize=6, clip_on=False)
    axes.set_xlim(0, top)
    axes.set_ylim(0, top)
    theme.value_axis(axes, "Observed", percent_tick)
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: percent_tick(value)))
    axes.xaxis.grid(False)
    axes.set_xlabel("Predicted (mean of the bin)")
    bin_table(figure, bins)
    ece = single(frame, "ece")
    told = ""
    if np.isfinite(ece):
        told = f"; expected calibration error {percent(ece)}"
        text = f"Expected calibration error\n{percent(ece)}"
        theme.corner_text(axes, text, left=True)
    return theme.describe(
        figure,
        f"Calibration in {len(bins)} bins: predicted {percent(predicted[-1])} and observed "
        f"{percent(observed[-1])} in the highest{told}.",
    )


def bin_table(figure: Figure, bins: pd.DataFrame) -> None:
    """Write the bins beside the plot: the low ones lie too close together to be told apart."""
    axes = theme.panel(figure, left=6.3)
    axes.axis("off")
    axes.set_ylim(len(bins) + 0.5, -0.5)
    axes.set_xlim(0, 1)
    columns = [
        [f"{point:.0f}" for point in numbers(bins["point"])],
        [short_number(rows) for rows in numbers(bins["rows"])],
        [percent(share) for share in numbers(bins["x"])],
        [percent(share) for share in numbers(bins["value"])],
    ]
    rows = [("Bin", "Snapshots", "Predicted", "Observed"), *zip(*columns, strict=True)]
    for place, cells in enumerate(rows):
        for right, cell in zip((0.08, 0.38, 0.69, 1.0), cells, strict=True):
            color = MUTED if place == 0 else INK
            axes.text(right, place, cell, ha="right", va="center", size=9.5, color=color)
