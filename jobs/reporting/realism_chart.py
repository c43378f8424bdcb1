"""The chart of `verify --realism`: how far the synthetic shop is from real ones, row by row."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MultipleLocator

from jobs.reporting import theme
from jobs.reporting.formats import numbers
from jobs.reporting.pack import write_pair
from jobs.reporting.theme import BLUE, INK, MUTED, ORANGE, VERMILLION

NAME = "realism"
# By shape as well, for whoever does not tell the colours apart.
MARKS = {"ok": ("o", BLUE), "known miss": ("D", ORANGE), "FAIL": ("X", VERMILLION)}
# In inches: a row, what a group needs above and below its rows, and where its parts begin.
ROW, HEAD, FOOT = 0.225, 0.36, 0.26
TOP, BOTTOM = 0.72, 0.62
COLUMNS = ((1.9, 3.55), (6.95, 8.6))
VALUES = (0.58, 1.18)
# Beyond these ratios of reached to target a mark stands at the edge.
LOW, HIGH = 0.5, 1.5


def write_chart(folder: Path, frame: pd.DataFrame, as_of: date) -> list[Path]:
    """Write <folder>/realism.png and .csv.

    Parameters
    ----------
    folder : Path
        Made if missing.
    frame : DataFrame
        See `realism`.
    as_of : date
        Last day of the sample.

    Raises
    ------
    StorageError
        A file cannot be written.
    """
    return write_pair(folder, NAME, realism(frame, as_of), frame)


@theme.themed
def realism(frame: pd.DataFrame, as_of: date | None) -> Figure:
    """Draw each figure's ratio to its target over the band of its tolerance.

    Parameters
    ----------
    frame : DataFrame, one row per figure
        group, figure (its label), target, reached, tolerance, target_text, reached_text, verdict.
    as_of : date or None
        Last day of the sample.
    """
    places = _places(frame)
    height = TOP + BOTTOM + max((bottom for _, _, bottom in places.values()), default=2.0)
    figure = theme.sheet(
        "Realism: the synthetic shop beside real ones",
        "a sample of the shop, and conf/realism.yaml",
        as_of,
        "Mark: what the shop reaches, as a multiple of the target. Grey: the tolerance. A blue dot "
        "lies within it, an orange diamond is a known miss (the table of verify --realism says "
        "why), a red cross fails.",
        height=height,
    )
    if frame.empty:
        return theme.message(figure, "No figure has been measured.")
    for group, (column, top, _) in places.items():
        left, right = COLUMNS[column]
        axes = theme.panel(
            figure, left=left, right=theme.WIDTH - right, top=TOP + top + HEAD, bottom=0
        )
        # From the top: two panels of one column must not depend on each other's rows.
        rows = frame[frame["group"] == group]
        share = ROW * len(rows) / height
        box = axes.get_position()
        axes.set_position((box.x0, box.y1 - share, box.width, share))
        _draw_group(axes, group, rows)
    counts = frame["verdict"].value_counts()
    told = ", ".join(f"{counts.get(verdict, 0)} {verdict}" for verdict in MARKS)
    worst = frame.loc[_distance(frame).idxmax()]
    return theme.describe(
        figure,
        f"{len(frame)} figures of the synthetic shop beside those of real shops: {told}. Farthest "
        f"from its tolerance: {worst['group']}, {worst['figure']}, {worst['reached_text']} for "
        f"{worst['target_text']}.",
    )


def _places(frame: pd.DataFrame) -> dict[str, tuple[int, float, float]]:
    """Stack the groups in two columns, the next one where there is more room: column and span."""
    filled = [0.0, 0.0]
    places = {}
    for group, rows in frame.groupby("group", sort=False):
        column = int(filled[1] < filled[0])
        bottom = filled[column] + HEAD + ROW * len(rows) + FOOT
        places[str(group)] = (column, filled[column], bottom)
        filled[column] = bottom
    return places


def _distance(frame: pd.DataFrame) -> pd.Series:
    """Distance of each figure from its target, in tolerances; what is not known is far away."""
    distance = (frame["reached"] - frame["target"]).abs() / frame["tolerance"]
    return distance.fillna(np.inf)


def _draw_group(axes: Axes, group: str, rows: pd.DataFrame) -> None:
    places = np.arange(len(rows))
    target = numbers(rows["target"])
    band = numbers(rows["tolerance"]) / target
    axes.barh(places, 2 * band, left=1 - band, height=0.66, color=theme.GRID)
    axes.axvline(1, color=MUTED, linewidth=0.8)
    ratio = np.clip(numbers(rows["reached"]) / target, LOW, HIGH)
    for verdict, (mark, colour) in MARKS.items():
        mine = (rows["verdict"] == verdict).to_numpy()
        spots = axes.scatter(ratio[mine], places[mine], s=28, marker=mark, color=colour)
        spots.set(zorder=3, clip_on=False, linewidth=0)
    axes.set_yticks(places, list(rows["figure"]), size=8.5, color=INK)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlim(LOW, HIGH)
    axes.xaxis.set_major_locator(MultipleLocator(0.25))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.tick_params(axis="x", labelsize=7.5, length=0, pad=1)
    axes.grid(False)
    axes.spines[["left", "bottom"]].set_visible(False)
    inch = 1 / (axes.get_position().width * theme.WIDTH)
    columns = (("target", rows["target_text"]), ("reached", rows["reached_text"]))
    for offset, (header, texts) in zip(VALUES, columns, strict=True):
        left = 1 + offset * inch
        _cell(axes, left, -1.0, header, MUTED)
        for place, text in zip(places, texts, strict=True):
            _cell(axes, left, float(place), text, INK)
    axes.text(
        -(COLUMNS[0][0] - theme.TEXT_LEFT) * inch,
        -1.0,
        group,
        transform=axes.get_yaxis_transform(),
        size=10.5,
        weight="bold",
        va="center_baseline",
    )


def _cell(axes: Axes, left: float, place: float, text: str, colour: str) -> None:
    axes.text(
        left,
        place,
        text,
        transform=axes.get_yaxis_transform(),
        ha="right",
        va="center_baseline",
        size=8.5,
        color=colour,
    )
