"""The retention charts: one pure function each, from a frame of `frames` to a Figure."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, MultipleLocator

from jobs.reporting import theme
from jobs.reporting.formats import numbers, percent, percent_tick, short_number
from jobs.reporting.intervals import wilson
from jobs.reporting.theme import BLUE, MUTED

NAMED_DAYS = (1, 7, 30, 60, 90)


@theme.themed
def retention_heatmap(frame: pd.DataFrame, as_of: date | None) -> Figure:
    """Draw the triangle of weekly cohorts by week since signup."""
    cohorts = frame.drop_duplicates("cohort_date").set_index("cohort_date")["cohort_size"]
    figure = theme.sheet(
        "Retention: % of a weekly signup cohort active in week n",
        "retention_cohorts",
        as_of,
        "Week n: days 7n to 7n + 6 after each user's own signup day. Users: all who signed up in "
        "the week from that Monday. Week 0 holds the signup day and has no colour. Grey: not "
        "complete yet for every user of the cohort.",
        height=1.95 + max(0.25 * len(cohorts), 1.2),
    )
    rates = frame.assign(rate=100 * numbers(frame["retention_rate"]))
    table = rates.pivot(index="cohort_date", columns="period", values="rate").sort_index()
    table = table.loc[:, table.notna().any()]
    if table.empty:
        return theme.message(figure, "No weekly cohort has a complete week yet.")
    axes = theme.panel(figure, left=2.05, right=1.05, top=1.25, bottom=0.7)
    draw_cells(axes, table)
    labels = [f"{day:%-d %b %Y}   {cohort_users(cohorts[day])}" for day in table.index]
    axes.set_yticks(np.arange(len(labels)) + 0.5, labels)
    later = table.drop(columns=0, errors="ignore").to_numpy()
    best = ""
    if np.isfinite(later).any():
        best = f", {np.nanmin(later):.1f} to {np.nanmax(later):.1f} % from week 1 on"
    return theme.describe(
        figure,
        f"Heat map of {len(table)} weekly cohorts, {table.index[0]:%Y-%m-%d} to "
        f"{table.index[-1]:%Y-%m-%d}, by week since signup{best}.",
    )


def cohort_users(size: int) -> str:
    """Size of a cohort, exact as long as it fits before the row."""
    return f"{size:,} users" if size < 10_000 else f"{short_number(size)} users"


def draw_cells(axes: Axes, table: pd.DataFrame) -> None:
    """Colour the cells of a cohort table (percentages) and write each number into its cell."""
    values, periods = table.to_numpy(), table.columns.to_numpy()
    # Nearly everyone is active in the week of signup: it would take up the colour scale.
    coloured = np.ma.masked_invalid(np.where(periods == 0, np.nan, values))
    top = float(coloured.max()) if coloured.count() and coloured.max() > 0 else 1.0
    image = axes.pcolormesh(
        coloured, cmap=theme.HEAT_MAP, vmin=0, vmax=top, edgecolors="white", linewidth=0.6
    )
    axes.invert_yaxis()
    axes.set_facecolor(theme.BLANK)
    size = 8.5 if len(periods) <= 18 else 7.5
    for (row, column), value in np.ndenumerate(values):
        if not np.isfinite(value):
            continue
        shade = "#FFFFFF" if periods[column] == 0 else image.to_rgba(value)
        if periods[column] == 0:
            axes.fill_between([column, column + 1], row, row + 1, color=shade, linewidth=0)
        text = f"{value:.1f}" if 0 < value < 9.95 else f"{value:.0f}"
        place = (column + 0.5, row + 0.5)
        color = theme.text_on(shade)
        axes.text(*place, text, size=size, ha="center", va="center_baseline", color=color)
    axes.set_xticks(np.arange(len(periods)) + 0.5, [str(period) for period in periods])
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    axes.set_xlabel("Week since signup")
    axes.grid(False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    if coloured.count():
        draw_scale(axes, image)


def draw_scale(axes: Axes, image: ScalarMappable) -> None:
    """Put the colour scale to the right of the cells."""
    place = axes.get_position()
    bar = axes.figure.add_axes((place.x1 + 0.02, place.y0, 0.014, place.height))
    axes.figure.colorbar(image, cax=bar).outline.set_visible(False)
    bar.grid(False)
    bar.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    bar.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g} %"))


@theme.themed
def retention_curve(frame: pd.DataFrame, as_of: date | None) -> Figure:
    """Draw the share of users active on day n after signup, and how many users it rests on."""
    figure = theme.sheet(
        "Retention: % of users active on day n after signup",
        "retention_cohorts",
        as_of,
        "All day cohorts complete at day n: users active on day n divided by users of those "
        "cohorts; shaded: 95 % Wilson interval. The later the day, the older and fewer the "
        "cohorts that have reached it. Day 0, the signup day, is not drawn.",
        height=6.4,
    )
    later = frame[frame["period"] > 0]
    if later.empty:
        return theme.message(figure, "No day cohort is complete at day 1 yet.")
    axes = theme.panel(figure, right=1.75, bottom=2.75)
    lower = theme.panel(figure, right=1.75, top=4.2, sharex=axes)
    days, rates = numbers(later["period"]), numbers(later["retention_rate"])
    eligible = numbers(later["eligible"])
    low, high = wilson(rates, eligible)
    axes.fill_between(days, low, high, color=theme.PALE_BLUE, linewidth=0)
    axes.plot(days, rates, color=BLUE, marker="o", markersize=3)
    # Cohorts of a few users have intervals up to 100 %: the band may leave at the top.
    axes.set_ylim(0, 1.3 * max(rates.max(), 0.01))
    axes.set_xlim(0.2, days[-1] + 0.8)
    theme.value_axis(axes, "Active, % of eligible", percent_tick)
    axes.tick_params(labelbottom=False)
    axes.xaxis.grid(False)
    first = frame.loc[frame["period"] == 0, "retention_rate"]
    told = [f"Day 0: {percent(first.iloc[0])}"] if len(first) else []
    told += [
        f"Day {day:.0f}: {percent(rate)}"
        for day, rate in zip(days, rates, strict=True)
        if day in NAMED_DAYS
    ]
    chosen = np.isin(days, NAMED_DAYS)
    axes.plot(days[chosen], rates[chosen], "o", color=BLUE, markersize=8)
    axes.text(
        1.03, 1, "\n".join(told), transform=axes.transAxes, va="top", size=10.5, linespacing=1.7
    )
    lower.bar(days, eligible, width=0.8, color=theme.PALE_INK)
    theme.value_axis(lower, "Eligible users", ticks=3)
    lower.xaxis.set_major_locator(MultipleLocator(7 if days[-1] <= 120 else 28))
    lower.xaxis.grid(False)
    lower.set_xlabel("Day after signup", color=MUTED)
    return theme.describe(
        figure, f"Retention curve from day 1 to day {days[-1]:.0f}. {'; '.join(told)}."
    )
