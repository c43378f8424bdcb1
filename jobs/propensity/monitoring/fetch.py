"""What `monitor` reads from the tables, brought to the driver as arrays and frames."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from pyspark.sql import functions as F

from jobs.core.queries import Value, render
from jobs.propensity import features, inputs
from jobs.propensity.monitoring.drift import CALENDAR
from jobs.propensity.monitoring.outcomes import Scored

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import DataFrame

    from jobs.core.entry import Run
    from jobs.propensity.inputs import Log
    from jobs.propensity.targets import Target

SCORES = "propensity_scores_daily"
_ARRIVALS = ("fact_events", "fact_orders", "quarantine")


def scored_dates(run: Run, target: Target) -> dict[date, str]:
    """List the dates that have scores of a target, ascending, with the model that made them."""
    scores = run.warehouse.read(SCORES).where(F.col("target") == target.name)
    rows = scores.groupBy("as_of").agg(F.max("model_version").alias("version")).collect()
    return {row["as_of"]: row["version"] for row in sorted(rows, key=lambda row: row["as_of"])}


def arrivals(run: Run, log: Log, as_of: date, weeks: int) -> pd.DataFrame:
    """Rows of arrivals_daily of the day before a date and of so many weeks before, in order."""
    run.warehouse.register(_ARRIVALS)
    first = max(log.first_date, as_of - timedelta(days=7 * weeks + 1))
    days: dict[str, Value] = {"from_date": first, "to_date": as_of}
    query = render(inputs.query_of("arrivals_daily"), log.params | days)
    found = run.spark.sql(query).toArrow().to_pandas()
    return found.sort_values("metric_date", ignore_index=True)


def watched_features() -> tuple[str, ...]:
    """List the features that can drift: all that are not of the calendar."""
    return tuple(name for name in features.feature_columns() if name not in CALENDAR)


def snapshots(run: Run, dates: tuple[date, ...], most: int) -> pd.DataFrame:
    """Users and features of some dates; of more than `most` rows those of a share of the users."""
    stored = inputs.read_snapshots(run, dates).select("user_id", *watched_features())
    return features.drawn(stored, stored.count(), most).toArrow().to_pandas()


def training_dates(registration: dict[str, Any]) -> tuple[date, ...]:
    """List the snapshot dates that a registered model was trained on."""
    stride = json.loads(registration["parameters"])["snapshot_stride_days"]
    first, last = registration["first_train_as_of"], registration["last_train_as_of"]
    return tuple(first + timedelta(days=d) for d in range(0, (last - first).days + 1, stride))


def scores(run: Run, target: Target, dates: tuple[date, ...], most: int) -> pd.DataFrame:
    """Date, user, margin, probability and selection of a target's scores on some dates."""
    stored = _scores(run, target, dates)
    columns = ("as_of", "user_id", "margin", "probability", "is_selected")
    chosen = features.drawn(stored, stored.count(), most).select(*columns)
    return chosen.toArrow().to_pandas()


def scored_and_labelled(
    run: Run, log: Log, target: Target, dates: tuple[date, ...]
) -> dict[date, Scored]:
    """Scores of some dates whose labels are known, with these labels, by date."""
    labels = inputs.labelled_snapshots(run, log, dates, target).select(
        *features.KEY, features.LABEL
    )
    rows = _scores(run, target, dates).join(labels, on=list(features.KEY), how="inner")
    table = rows.select("as_of", "probability", "is_selected", features.LABEL).toArrow().to_pandas()
    return {day: as_scored(part) for day, part in sorted(table.groupby("as_of"))}


def as_scored(frame: pd.DataFrame) -> Scored:
    """Turn rows of a date into arrays, lowest probability first: sums then repeat to the bit."""
    label = frame[features.LABEL].to_numpy(np.float64) if features.LABEL in frame else None
    probability = frame["probability"].to_numpy(np.float64)
    order = np.lexsort((probability,) if label is None else (label, probability))
    return Scored(
        probability[order],
        frame["is_selected"].to_numpy(bool)[order],
        None if label is None else label[order],
    )


def _scores(run: Run, target: Target, dates: tuple[date, ...]) -> DataFrame:
    stored = run.warehouse.read(SCORES)
    return stored.where((F.col("target") == target.name) & F.col("as_of").isin(*dates))
