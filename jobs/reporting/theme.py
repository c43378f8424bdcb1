"""The look of every chart: colours, type, axes, and the frame around the data.

Colours are Okabe and Ito's, which stay apart for colour-blind readers (Color Universal Design,
2008); text has a contrast of at least 7:1 on white. Nothing here touches matplotlib's global
state or the user's own matplotlibrc.
"""

from __future__ import annotations

import functools
import textwrap
from collections.abc import Callable
from datetime import date
from typing import Any

import matplotlib.style
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.dates import DayLocator, MonthLocator, WeekdayLocator, YearLocator, num2date
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, Locator, MaxNLocator

from jobs.reporting.formats import number_tick, shorten

BLUE, ORANGE, GREEN = "#0072B2", "#E69F00", "#009E73"
VERMILLION = "#D55E00"
PALE_SKY, PALE_BLUE, PALE_INK = "#A9D6F2", "#CFE4F1", "#ABABAB"
INK, MUTED, GRID, BLANK = "#1A1A1A", "#545454", "#E2E2E2", "#EFEFEF"
HEAT_MAP = "viridis"

WIDTH = 10.0  # inches; at this dpi 1600 pixels, so that 10 pt text is 17 px high at 1200
DPI = 160
LEFT, RIGHT = 0.85, 0.3
TOP, BOTTOM = 0.95, 1.05
TEXT_LEFT = 0.25
SOURCE_LENGTH, NOTE_LENGTH = 132, 148

STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",  # ships with matplotlib: the same pixels on every machine
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.labelsize": 9.5,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid.axis": "y",
    "axes.grid": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": 9.5,
    "ytick.labelsize": 9.5,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "legend.fontsize": 9.5,
    "lines.linewidth": 2,
    "lines.solid_capstyle": "round",
    "hatch.linewidth": 0.6,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}


def themed(function: Callable[..., Any]) -> Callable[..., Any]:
    """Run the function under this style, whatever matplotlib is set to outside."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with matplotlib.style.context(["default", STYLE]):
            return function(*args, **kwargs)

    return wrapper


def sheet(title: str, table: str, as_of: date | None, note: str, height: float = 5.6) -> Figure:
    """Make an empty figure with its title, source line and footnote.

    Parameters
    ----------
    title : str
        States the measure and its unit.
    table : str
        Name of the stored table, and what else says where the data is from.
    as_of : date or None
        Last complete day the data covers.
    note : str
        How to read marks that do not explain themselves; wrapped to at most two lines.
    height : float
        Inches.
    """
    figure = Figure(figsize=(WIDTH, height), dpi=DPI)
    FigureCanvasAgg(figure)
    covered = "no data yet" if as_of is None else f"as of {as_of:%Y-%m-%d}"
    left, top = TEXT_LEFT / WIDTH, 1 - 0.2 / height
    figure.text(left, top, shorten(title, 84), size=14, weight="bold", va="top")
    source = shorten(f"{table}  ·  {covered}", SOURCE_LENGTH)
    figure.text(left, top - 0.32 / height, source, size=9.5, color=MUTED, va="top")
    lines = "\n".join(textwrap.wrap(note, NOTE_LENGTH))
    figure.text(left, 0.14 / height, lines, size=8.5, color=MUTED, va="bottom", linespacing=1.3)
    return figure


def panel(
    figure: Figure,
    left: float = LEFT,
    right: float = RIGHT,
    top: float = TOP,
    bottom: float = BOTTOM,
    sharex: Axes | None = None,
) -> Axes:
    """Add axes that leave these margins, in inches, on the four sides of the sheet."""
    height = figure.get_figheight()
    box = (
        left / WIDTH,
        bottom / height,
        (WIDTH - left - right) / WIDTH,
        (height - top - bottom) / height,
    )
    return figure.add_axes(box, sharex=sharex)


def message(figure: Figure, text: str) -> Figure:
    """Say in the middle of the sheet why there is no data; never leave a chart blank."""
    figure.text(0.5, 0.5, textwrap.fill(text, 70), size=13, color=MUTED, ha="center", va="center")
    return describe(figure, text)


def describe(figure: Figure, text: str) -> Figure:
    """Give the figure its text alternative, which the PNG carries as 'Description'."""
    figure.set_label(text)
    return figure


def date_axis(axes: Axes, days: pd.Series) -> None:
    """Label the horizontal axis with days, Mondays, months or years, as the range asks for."""
    first, last = days.iloc[0], days.iloc[-1]
    length = (last - first).days
    pad = pd.Timedelta(days=max(0.6, 0.008 * length))
    axes.set_xlim(first - pad, last + pad)
    locator: Locator
    if length <= 9:
        locator, form = DayLocator(), "%-d %b"
    elif length <= 75:
        locator, form = WeekdayLocator(byweekday=0, interval=1 + length // 50), "%-d %b"
    elif length <= 1100:
        locator, form = MonthLocator(bymonth=range(1, 13, 1 if length <= 400 else 3)), "%b"
    else:
        locator, form = YearLocator(), "%Y"

    def label(value: float, position: int | None) -> str:
        day = num2date(value)
        has_year = form == "%b" and day.month == 1 or form != "%Y" and position == 0
        return f"{day:{form}}\n{day:%Y}" if has_year else f"{day:{form}}"

    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(FuncFormatter(label))
    axes.xaxis.grid(False)


def value_axis(
    axes: Axes, label: str, write: Callable[[float], str] = number_tick, ticks: int = 6
) -> None:
    """Start the vertical axis at zero, so that heights may be compared, and name its unit."""
    top = axes.get_ylim()[1]
    if axes.get_autoscaley_on():
        # The automatic margin is a share of the data's range: nothing for a flat line.
        top = 1.08 * float(axes.dataLim.y1) if axes.has_data() else 1
    axes.set_ylim(0, top if np.isfinite(top) and top > 0 else 1)
    axes.yaxis.set_major_locator(MaxNLocator(ticks, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: write(value)))
    axes.set_ylabel(label)


def label_ends(axes: Axes, ends: list[tuple[float, str, str]]) -> None:
    """Name each line at the right edge; near neighbours are moved apart.

    Parameters
    ----------
    axes : Axes
        With its final limits.
    ends : list of (height, text, colour)
        Height of each line's last point in data units, and the line's colour.
    """
    low, high = axes.get_ylim()
    inches = axes.bbox.height / axes.figure.dpi
    gap = 0.36 / inches
    placed = -gap
    for height, text, colour in sorted(ends):
        placed = max((height - low) / (high - low), placed + gap)
        # The colour is on a dot: as small text it would lack contrast.
        for shift, mark, shade in ((6, "\N{BLACK CIRCLE}", colour), (18, text, INK)):
            axes.annotate(
                mark,
                (1, placed),
                xycoords="axes fraction",
                xytext=(shift, 0),
                textcoords="offset points",
                color=shade,
                va="center",
                size=9.5,
                annotation_clip=False,
            )


def corner_text(axes: Axes, text: str, left: bool = False) -> None:
    """Write the chart's key figures into its upper right (or left) corner, clear of the grid."""
    axes.text(
        0.03 if left else 0.985,
        0.96,
        text,
        transform=axes.transAxes,
        ha="left" if left else "right",
        va="top",
        size=10.5,
        linespacing=1.5,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 3},
    )


def text_on(shade: Any) -> str:
    """Black or white, whichever stands out more on this colour (WCAG contrast ratio)."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in to_rgb(shade)
    )
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return "#000000" if luminance > 0.179 else "#FFFFFF"
