"""What the model is worth beside others, and what it leans on: from a frame to a Figure."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from jobs.reporting import theme
from jobs.reporting.formats import number_tick, numbers, percent
from jobs.reporting.model_words import NO_MODEL, WORDS, single, source, title
from jobs.reporting.theme import BLUE, INK, MUTED, ORANGE

OURS = "gbt"
NAMES = {
    OURS: "This model",
    "champion": "Model that served before",
    "recency": "Rule: recency",
    "frequency": "Rule: frequency",
    "bgnbd": "BG/NBD",
    "logistic": "Logistic regression",
    "random_forest": "Random forest",
    "xgboost": "XGBoost",
    "history_oracle": "Ceiling: history oracle",
    "clairvoyant": "Ceiling: clairvoyant",
}
CEILINGS = ("history_oracle", "clairvoyant")
MOST_FEATURES = 15
VALUE_AT, INTERVAL_AT = 1.04, 1.15  # left ends of the columns beside the peers, in axes widths
ROW, HEAD = 0.29, 2.2  # inches of a row, and of all that is above and below the rows


@theme.themed
def model_peers(frame: pd.DataFrame, as_of: date | None, kind: str = "purchase") -> Figure:
    """Draw the average precision of the model and of everyone judged on the same rows."""
    judged = frame[frame["metric"] == "average_precision"].sort_values(
        ["value", "model"], ascending=[False, True]
    )
    knows = judged["model"].isin(CEILINGS).any()
    known = "Ceilings know how the synthetic shop works. " if knows else ""
    figure = theme.sheet(
        f"{title(frame, kind)}: average precision (PR-AUC) of model and peers",
        source(frame),
        as_of,
        "All judged on the same rows. Bars: 95 % intervals from resampled users; they overlap more "
        f"than the models differ, since all err on the same users. {known}Dashed: users taken at "
        "random.",
        height=HEAD + ROW * max(len(judged), 6),
    )
    if judged.empty:
        return theme.message(figure, NO_MODEL)
    axes = theme.panel(figure, left=2.1, right=2.3, top=1.05)
    values, low, high = (numbers(judged[name]) for name in ("value", "low", "high"))
    models = [str(model) for model in judged["model"]]
    for place, model in enumerate(models):
        is_ceiling = model in CEILINGS
        colour = ORANGE if is_ceiling else BLUE if model == OURS else MUTED
        if np.isfinite(low[place]):
            axes.hlines(place, low[place], high[place], color=colour, linewidth=1.6)
        axes.plot(
            values[place],
            place,
            "D" if is_ceiling else "o",
            color=colour,
            markersize=8 if model == OURS else 6,
            markerfacecolor="white" if is_ceiling else colour,
        )
    named_rows(axes, [NAMES.get(model, model) for model in models])
    base = single(frame, "base_rate")
    highest = float(np.nanmax([*values, *high, base, 0.01]))
    value_scale(axes, 0, min(1.0, 1.08 * highest))
    axes.set_xlabel("Average precision")
    if np.isfinite(base):
        axes.axvline(base, color=INK, linestyle=(0, (4, 3)), linewidth=1.2)
        axes.annotate(
            f"Base rate {percent(base)}",
            (base, 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 4),
            textcoords="offset points",
            ha="left" if base < highest / 2 else "right",
            size=9.5,
        )
    for left, text in ((VALUE_AT, "PR-AUC"), (INTERVAL_AT, "95 % interval")):
        axes.text(left, 1.03, text, transform=axes.transAxes, size=9.5, color=MUTED)
    for place, ends in enumerate(zip(low, high, strict=True)):
        beside(axes, VALUE_AT, place, f"{values[place]:.3f}", models[place] == OURS)
        interval = f"{ends[0]:.3f} to {ends[1]:.3f}" if np.isfinite(ends[0]) else "none"
        beside(axes, INTERVAL_AT, place, interval, models[place] == OURS)
    told = "; ".join(
        f"{NAMES.get(model, model)} {value:.3f}"
        for model, value in zip(models, values, strict=True)
    )
    rate = f", where {percent(base)} of all users {WORDS[kind].do}" if np.isfinite(base) else ""
    return theme.describe(figure, f"Average precision{rate}: {told}.")


@theme.themed
def feature_importance(frame: pd.DataFrame, as_of: date | None, kind: str = "purchase") -> Figure:
    """Draw what the ranking loses without each feature beside how far it moves a margin."""
    lost = of_metric(frame, "permutation_importance").head(MOST_FEATURES)
    moved = of_metric(frame, "shap_importance").reindex(lost.index)
    figure = theme.sheet(
        f"{title(frame, kind)}: what the model leans on",
        source(frame),
        as_of,
        f"The {MOST_FEATURES} features whose loss is largest. Left: average precision lost when a "
        "feature's values are dealt out anew among the users. Right: mean distance by which it "
        "moves a margin (mean |SHAP|). Features that say the same share what they are worth.",
        height=HEAD + ROW * max(len(lost), 6),
    )
    if lost.empty:
        return theme.message(figure, NO_MODEL)
    panels = (
        (
            theme.panel(figure, left=2.75, right=3.85, top=1.05),
            lost,
            "Average precision lost",
            BLUE,
        ),
        (theme.panel(figure, left=6.65, right=0.45, top=1.05), moved, "Mean |SHAP|", MUTED),
    )
    for axes, values, label, colour in panels:
        axes.barh(np.arange(len(values)), values, height=0.62, color=colour)
        named_rows(axes, [str(name) for name in values.index])
        ends = [*values.to_numpy(dtype=float), 0.0]
        value_scale(axes, 1.08 * np.nanmin(ends), 1.08 * np.nanmax(ends) or 1.0)
        axes.axvline(0, color=MUTED, linewidth=0.8)
        axes.set_xlabel(label)
    panels[1][0].set_yticklabels([])
    told = "; ".join(f"{name} {value:.4f}" for name, value in lost.head(5).items())
    return theme.describe(
        figure, f"Features by the average precision lost without them, the first five: {told}."
    )


def of_metric(frame: pd.DataFrame, metric: str) -> pd.Series:
    """Values of a metric by feature, the largest first, of equal ones by name."""
    rows = frame[frame["metric"] == metric]
    names = rows["segment"].astype(str).str.removeprefix("feature=")
    values = pd.Series(numbers(rows["value"]), index=list(names), dtype=float)
    return values.sort_index().sort_values(ascending=False, kind="stable")


def named_rows(axes: Axes, names: list[str]) -> None:
    """Name the rows of a chart from top to bottom."""
    axes.set_yticks(np.arange(len(names)), names, color=INK)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x")
    axes.spines["left"].set_visible(False)


def value_scale(axes: Axes, low: float, high: float) -> None:
    """Scale and label the horizontal axis."""
    axes.set_xlim(low, high)
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: fine_tick(value)))


def fine_tick(value: float) -> str:
    """Write a number without needless zeros, also one far below 1."""
    return number_tick(value) if abs(value) >= 0.1 or value == 0 else f"{value:.4f}".rstrip("0")


def beside(axes: Axes, left: float, place: float, text: str, is_bold: bool) -> None:
    """Write a number to the right of a row, `left` in axes widths."""
    axes.text(
        left,
        place,
        text,
        transform=axes.get_yaxis_transform(),
        va="center",
        size=9.5,
        weight="bold" if is_bold else "normal",
    )
