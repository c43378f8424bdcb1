"""The shop's charts: one pure function each, from a frame of `frames` to a Figure."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jobs.reporting import theme
from jobs.reporting.formats import numbers, percent, percent_tick, short_number, span
from jobs.reporting.theme import BLUE, GREEN, INK, MUTED, ORANGE, VERMILLION

NO_DAYS = "No complete day yet: run build for at least one day."
FUNNEL_NAMES = {
    "view": "Viewed",
    "add_to_cart": "Added to cart",
    "purchase": "Purchased",
}


@theme.themed
def active_users(frame: pd.DataFrame, as_of: date | None) -> Figure:
    """Draw DAU, WAU and MAU, and stickiness below."""
    figure = theme.sheet(
        "Active users: distinct users per day, 7 days and 28 days",
        "active_users_daily",
        as_of,
        "Active: at least one view, add to cart, purchase or order in the window, which ends on "
        "the day shown. Dashed: the window reaches back before the first day of the data, so it "
        "still fills up. Stickiness: mean DAU of 28 days as a share of MAU.",
        height=6.4,
    )
    if frame.empty:
        return theme.message(figure, NO_DAYS)
    axes = theme.panel(figure, right=1.5, bottom=2.55)
    lower = theme.panel(figure, right=1.5, top=4.35, sharex=axes)
    days = frame["metric_date"]
    lines = (
        ("DAU", "dau", pd.Series(True, frame.index), BLUE),
        ("WAU (7 days)", "wau_7", frame["is_wau_7_complete"], ORANGE),
        ("MAU (28 days)", "mau_28", frame["is_mau_28_complete"], GREEN),
    )
    ends = []
    for name, column, complete, colour in lines:
        values = numbers(frame[column])
        filling_line(axes, days, values, complete, colour)
        ends.append((values[-1], f"{name}\n{short_number(values[-1])}", colour))
    theme.value_axis(axes, "Users")
    theme.label_ends(axes, ends)
    stickiness = numbers(frame["stickiness"])
    filling_line(lower, days, stickiness, frame["is_mau_28_complete"], VERMILLION)
    theme.value_axis(lower, "Stickiness", percent_tick, ticks=3)
    theme.date_axis(lower, days)
    axes.tick_params(labelbottom=False)
    axes.xaxis.grid(False)
    if np.isfinite(stickiness[-1]):
        theme.label_ends(lower, [(stickiness[-1], percent(stickiness[-1]), VERMILLION)])
    last = ", ".join(f"{text.replace(chr(10), ' ')}" for _, text, _ in ends)
    return theme.describe(figure, f"Lines of active users from {span(days)}. Last day: {last}.")


@theme.themed
def revenue(frame: pd.DataFrame, as_of: date | None) -> Figure:
    """Draw revenue of each day as bars and the rolling 7-day mean as a line."""
    figure = theme.sheet(
        "Revenue per day and mean of the last 7 days, in shop currency",
        "revenue_daily",
        as_of,
        "Revenue: sum of the orders of a day. The line is the revenue of the day and the 6 days "
        "before, divided by 7; it begins once 7 days are observed.",
    )
    if frame.empty:
        return theme.message(figure, NO_DAYS)
    axes = theme.panel(figure, right=1.5)
    days, daily = frame["metric_date"], numbers(frame["revenue"])
    rolling = numbers(frame["revenue_7d_mean"])
    axes.bar(days, daily, width=0.85, color=theme.PALE_SKY)
    axes.plot(days, rolling, color=BLUE)
    theme.value_axis(axes, "Revenue per day")
    theme.date_axis(axes, days)
    ends = [(daily[-1], f"Last day\n{short_number(daily[-1])}", theme.PALE_SKY)]
    if np.isfinite(rolling[-1]):
        ends.append((rolling[-1], f"7-day mean\n{short_number(rolling[-1])}", BLUE))
    theme.label_ends(axes, ends)
    total = short_number(daily.sum())
    return theme.describe(
        figure,
        f"Bars of daily revenue from {span(days)}, {total} in all, with the rolling 7-day mean; "
        f"last day {short_number(daily[-1])}.",
    )


@theme.themed
def funnel(frame: pd.DataFrame, as_of: date | None) -> Figure:
    """Draw the steps from view to purchase as bars, with counts, step and total rates."""
    figure = theme.sheet(
        "Funnel: entries that reach each step, and conversion rates",
        "funnel_daily" if frame.empty else f"funnel_daily  ·  entries of {span_of_funnel(frame)}",
        as_of,
        "Entry: a user's first view of a day. It reaches a step if the steps follow in order "
        "within the funnel window that starts at the view. Only mature entries, whose whole "
        "window lies in the data.",
        height=4.6,
    )
    if frame.empty:
        return theme.message(figure, "No entry is mature yet: the funnel window is still open.")
    entries = numbers(frame["entries"])
    if entries[0] == 0:
        return theme.message(
            figure,
            f"No views from {span_of_funnel(frame)}, so no funnel. A log of orders alone has none.",
        )
    axes = theme.panel(figure, left=1.5, right=3.7, top=1.3, bottom=0.85)
    places = np.arange(len(frame))
    names = [FUNNEL_NAMES[step] for step in frame["step"]]
    axes.barh(places, np.full(len(frame), entries[0]), height=0.62, color=theme.BLANK)
    axes.barh(places, entries, height=0.62, color=BLUE)
    axes.set_yticks(places, names, size=11, color=INK)
    axes.set_ylim(len(frame) - 0.5, -0.5)
    axes.set_xlim(0, entries[0])
    axes.set_xticks([])
    axes.grid(False)
    axes.spines[:].set_visible(False)
    columns = (
        (1.17, "Entries", [f"{count:,.0f}" for count in entries]),
        (1.45, "of step before", rates(frame["step_rate"])),
        (1.70, "of all", rates(frame["total_rate"])),
    )
    for left, header, cells in columns:
        beside(axes, left, -0.62, header, size=9.5, color=MUTED)
        for place, cell in zip(places, cells, strict=True):
            beside(axes, left, float(place), cell, size=12, color=INK)
    told = "; ".join(
        f"{name} {count:,.0f} ({rate or 'none'} of all)"
        for name, count, rate in zip(names, entries, columns[2][2], strict=True)
    )
    return theme.describe(figure, f"Funnel of entries of {span_of_funnel(frame)}. {told}.")


def beside(axes: Axes, left: float, place: float, text: str, **style: Any) -> None:
    """Write a right-aligned cell beside the bars: `left` in axes widths, `place` in rows."""
    axes.text(
        left,
        place,
        text,
        transform=axes.get_yaxis_transform(),
        ha="right",
        va="center_baseline",
        **style,
    )


def rates(column: pd.Series) -> list[str]:
    """Rates as text; empty for the first step and where nothing can be divided."""
    return ["" if np.isnan(rate) else percent(rate) for rate in numbers(column)]


def span_of_funnel(frame: pd.DataFrame) -> str:
    """First and last entry day in words."""
    first, last = frame["first_date"].iloc[0], frame["last_date"].iloc[0]
    return f"{first:%Y-%m-%d} to {last:%Y-%m-%d}"


def filling_line(
    axes: Axes, days: pd.Series, values: np.ndarray, complete: pd.Series, colour: str
) -> None:
    """Draw a rolling measure; dashed while its window still fills up at the start."""
    done = complete.to_numpy(dtype=bool)
    axes.plot(days, np.where(done, values, np.nan), color=colour)
    # The dashed part goes on to the first complete day, so that the line has no gap.
    filling = ~done | np.roll(~done, 1)
    filling[0] = not done[0]
    axes.plot(days, np.where(filling, values, np.nan), color=colour, linestyle=(0, (2, 2)), lw=1.5)
    if len(days) == 1:
        axes.plot(days, values, "o", color=colour)
