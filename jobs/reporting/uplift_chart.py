"""The chart of `uplift`: what a campaign adds by the share contacted, in truth and as seen."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MultipleLocator

from jobs.reporting import theme
from jobs.reporting.formats import numbers
from jobs.reporting.pack import write_pair
from jobs.reporting.theme import BLUE, GREEN, MUTED, ORANGE

NAME = "uplift"
# By line style as well, for whoever does not tell the colours apart; in order of the rankings.
_STYLES = (
    (BLUE, (0, (2, 1))),
    (BLUE, "solid"),
    (ORANGE, (0, (5, 2))),
    (MUTED, (0, (1, 1.5))),
    (GREEN, (0, (6, 1.5, 1, 1.5))),
)
_PANELS = (("added", "By the true uplifts"), ("seen", "As the two arms show it"))


def write_chart(folder: Path, frame: pd.DataFrame, as_of: date, told: str) -> list[Path]:
    """Write <folder>/uplift.png and .csv; the parameters are those of `uplift`.

    Raises
    ------
    StorageError
        A file cannot be written.
    """
    return write_pair(folder, NAME, uplift(frame, as_of, told), frame)


@theme.themed
def uplift(frame: pd.DataFrame, as_of: date, told: str) -> Figure:
    """Draw the orders that a campaign adds over the share of the users contacted.

    Parameters
    ----------
    frame : DataFrame, one row per ranking and share
        ranking, share, added, seen: orders per 1,000 users of all.
    as_of : date
        First day of the campaign.
    told : str
        What to make of it, in a sentence.
    """
    figure = theme.sheet(
        "Uplift of the campaign: orders added per 1,000 users",
        "truth_users, user_snapshots, fact_orders; users of the randomised campaign",
        as_of,
        f"{told} Who is contacted first is the only difference between the lines.",
    )
    half = theme.WIDTH / 2
    places = ((theme.LEFT, half + 0.15), (half + 0.65, theme.RIGHT))
    lines = list(frame.groupby("ranking", sort=False))
    top = max(float(frame[name].max()) for name, _ in _PANELS)
    bottom = min(0.0, *(float(frame[name].min()) for name, _ in _PANELS))
    for (column, title), (left, right) in zip(_PANELS, places, strict=True):
        axes = theme.panel(figure, left=left, right=right, top=1.2, bottom=1.1)
        for (name, rows), (colour, style) in zip(lines, _STYLES, strict=True):
            axes.plot(
                numbers(rows["share"]),
                numbers(rows[column]),
                color=colour,
                linestyle=style,
                label=str(name),
            )
        _frame(axes, title, bottom, top)
    figure.axes[0].legend(loc="lower right")
    ends = ", ".join(
        f"{name} {rows[rows['share'] <= 0.3]['added'].iloc[-1]:.1f}" for name, rows in lines
    )
    return theme.describe(
        figure, f"Orders added per 1,000 users where 30 % are contacted, in truth: {ends}. {told}"
    )


def _frame(axes: Axes, title: str, bottom: float, top: float) -> None:
    axes.set_title(title, size=10.5, loc="left")
    axes.set_xlim(0, 1)
    axes.set_ylim(1.05 * bottom, 1.08 * top)
    axes.set_xlabel("Share of the users contacted")
    axes.xaxis.set_major_locator(MultipleLocator(0.25))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.0f} %"))
