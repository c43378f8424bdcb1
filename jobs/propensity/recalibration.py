"""A new probability for the same ranking: slope and intercept fitted again on later labels.

Where observed over expected has moved and the ranking holds, this is all that is needed, and it
takes seconds. A recalibrated model is another registration of the same version.
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from pyspark.sql import functions as F

from jobs.core.errors import ContractError
from jobs.propensity import decisions, features, inputs, registry, training
from jobs.propensity.calibration import Calibration, fit_calibration, require_signal
from jobs.propensity.promotion import model_of
from jobs.propensity.registry import CHAMPION, Registry
from jobs.propensity.settings import settings_of, targets_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from jobs.core.entry import Run

    Floats = NDArray[np.float64]


def recalibrate(run: Run, wanted: str) -> dict[str, Any]:
    """Calibrate the model that serves a target on the latest snapshots with labels.

    Returns
    -------
    dict
        The registration as stored; it serves from now on.

    Raises
    ------
    UsageError
        The settings know no such target.
    ContractError
        No model serves it, no snapshots are later than those it is calibrated on, they lack a
        class, or the model no longer ranks them.
    """
    settings = settings_of(run.config)
    (target,) = targets_of(settings, wanted)
    models = Registry(run.warehouse, run.spark)
    serving = models.serving(target.name)
    log = inputs.read_log(run, settings)
    known_until = log.last_date - timedelta(
        days=target.horizon_days - 1 + settings.monitoring.lateness_days
    )
    with run.progress.step(f"recalibrate {target.name}") as step:
        dates = _dates(run, serving, known_until)
        labelled = inputs.labelled_snapshots(run, log, dates, target)
        rows = labelled.count()
        pipeline = registry.load_model(run.warehouse.root, serving)
        chosen = features.drawn(labelled, rows, settings.max_rows_judged)
        scored = training.with_margin(pipeline.transform(chosen))
        table = scored.select(training.MARGIN, F.col(features.LABEL).cast("double")).toArrow()
        margin, label = (table.column(place).to_numpy() for place in range(2))
        # In one order, so that sums of floats repeat to the bit.
        order = np.lexsort((label, margin))
        margin, label = margin[order], label[order]
        fitted = refit(margin, label, target.name)
        step.rows, step.note = len(label), serving["model_version"]
    decision = settings.of(target).decision
    own = {
        "first_calibrate_as_of": min(dates),
        "last_calibrate_as_of": max(dates),
        "calibration_slope": fitted.slope,
        "calibration_intercept": fitted.intercept,
        "capacity_share": decision.capacity_share,
        "threshold": decisions.choose_threshold(fitted.probability(margin), decision),
    }
    return models.append(model_of(serving) | own, CHAMPION, "recalibrated")


def refit(margin: Floats, label: Floats, target: str) -> Calibration:
    """Fit slope and intercept, and refuse what must not serve.

    Raises
    ------
    ContractError
        All labels are alike, or higher margins do not have the label 1 more often.
    """
    if not 0 < label.sum() < len(label):
        raise ContractError(
            f"cannot recalibrate {target}: {int(label.sum())} of {len(label)} labels are 1, and "
            "both kinds are needed; load a longer or larger log"
        )
    fitted = fit_calibration(margin, label)
    require_signal(fitted, f"the model of {target} ranks its latest users", "run train")
    return fitted


def latest_dates(known: list[date], after: date, stride_days: int, count: int) -> tuple[date, ...]:
    """Choose the latest dates, a stride apart, as the calibration slice has them; ascending.

    Parameters
    ----------
    known
        Snapshot dates whose labels are known, in any order.
    after
        First date whose features do not lie within the labels that the trees learned from.
    stride_days
        Least days between two of them: dates closer together share most of their labels.
    count
        So many at most.
    """
    chosen: list[date] = []
    for day in sorted(known, reverse=True):
        far = not chosen or (chosen[-1] - day).days >= stride_days
        if day >= after and far and len(chosen) < count:
            chosen.append(day)
    return tuple(reversed(chosen))


def _dates(run: Run, serving: dict[str, Any], known_until: date) -> tuple[date, ...]:
    stored = run.warehouse.read("user_snapshots").select("as_of").distinct()
    known = [row["as_of"] for row in stored.where(F.col("as_of") <= known_until).collect()]
    stride = json.loads(serving["parameters"])["snapshot_stride_days"]
    slice_days = serving["last_calibrate_as_of"] - serving["first_calibrate_as_of"]
    embargo = timedelta(days=serving["horizon_days"])
    dates = latest_dates(
        known, serving["last_train_as_of"] + embargo, stride, slice_days.days // stride + 1
    )
    if not dates or max(dates) <= serving["last_calibrate_as_of"]:
        raise ContractError(
            f"{serving['model_version']} is calibrated on the latest snapshots with labels already "
            f"({serving['last_calibrate_as_of']}): score days from then on to {known_until} first"
        )
    return dates
