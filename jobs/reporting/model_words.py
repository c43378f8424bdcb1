"""What the model's charts say of a target and its model, read from the rows they draw."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from jobs.reporting.formats import numbers, shorten

NO_MODEL = "No model has been evaluated yet: run train."


@dataclass(frozen=True)
class Words:
    """How to speak of a kind of target: what it is about, and what one or several users do."""

    event: str
    does: str
    do: str


WORDS = {
    "purchase": Words("Purchase", "buys", "buy"),
    "churn": Words("No visit", "stays away", "stay away"),
}


def title(frame: pd.DataFrame, kind: str) -> str:
    """Say what is predicted, as in 'Purchase in 7 days'; without days where no model is known."""
    event = WORDS[kind].event
    if frame.empty:
        return event
    days = str(frame["target"].iloc[0]).rsplit("_", 1)[1].removesuffix("d")
    return f"{event} in {days} day{'' if days == '1' else 's'}"


def source(frame: pd.DataFrame) -> str:
    """Table, model and slice the frame was read from."""
    if frame.empty:
        return "model_metrics"
    first = frame.iloc[0]
    tested = f"{first['first_test_as_of']:%Y-%m-%d} to {first['last_test_as_of']:%Y-%m-%d}"
    version = shorten(str(first["model_version"]), 40)
    return f"model_metrics  ·  {version}  ·  {first['split']} snapshots {tested}"


def single(frame: pd.DataFrame, metric: str) -> float:
    """Value of a metric that is one number; NaN if the frame lacks it."""
    values = numbers(frame.loc[frame["metric"] == metric, "value"])
    return float(values[0]) if len(values) else float("nan")
