"""What a synthetic shop shows against what its process must give on average.

Every z is the distance from the expectation in standard errors, or for skewed figures the z of
equal tail. One figure may lie 4 away, P(|Z| > 4) = 6 in 100,000; the worst of n figures as far as
has P(|Z| > limit) = that / n (Bonferroni), 5.1 for 180 days. Days share their users, so days are
judged one by one and never summed up as if they were independent; sums over days take their
standard error from the spread of users' totals in the rows.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from jobs.core.building.flow import calendar
from jobs.proof.findings import Finding
from jobs.proof.truth_cohorts import (
    funnel_eves,
    funnel_findings,
    retention_findings,
    session_findings,
)
from jobs.proof.truth_observed import COUNTED, SILVER, Observed, observed, silver_is_as_made
from jobs.proof.truth_outlooks import check_outlooks
from jobs.proof.truth_statistics import (
    FEW,
    FEW_FOR_SPREAD,
    surprise,
    too_few,
    worst,
)
from jobs.shop.stored import stored_world
from jobs.shop.truth.daily import TABLE, daily_rows
from jobs.shop.world import World

if TYPE_CHECKING:
    import pandas as pd

    from jobs.core.entry import Run
    from jobs.shop.truth.expectation import Expectation


def check_truth(run: Run, known: set[str]) -> list[Finding]:
    """Compare a synthetic shop's rows with the expectation of its process.

    Parameters
    ----------
    run : Run
    known : set of str
        The stored tables.

    Returns
    -------
    list of Finding
        Empty for a team's own log, and before the truth was stored.

    Raises
    ------
    UsageError
        The settings are others than those the shop was made with.
    """
    world = stored_world(run.warehouse, run.config) if TABLE in known else None
    if world is None:
        return []
    missing = sorted(set(SILVER) - known)
    if missing and silver_is_as_made(run, world):
        return [Finding("truth: days", "both sides", f"no {missing[0]}", False, "warn")]
    # The compiler behind these takes a while to start, and few runs are synthetic.
    from jobs.shop.truth.expectation import expectation

    first, last = calendar(run.warehouse)
    end = last + timedelta(days=1)
    expected = expectation(world, mass_of=funnel_eves(world.day(first), world.day(end)))
    with observed(run, world, first, end) as seen:
        return [
            _stored(run, expected),
            *compare(seen, expected),
            *check_outlooks(seen, world),
        ]


def compare(seen: Observed, expected: Expectation) -> list[Finding]:
    """Compare days, segments, retention and funnel with their expectation.

    Parameters
    ----------
    seen : Observed
    expected : Expectation
        With the mass on the `funnel_eves` of the days seen.

    Returns
    -------
    list of Finding
    """
    world = expected.world
    start, stop = world.day(seen.first), world.day(seen.end)
    return [
        *_days(seen.per_day(), expected, start, stop),
        *_segments(seen, expected, start, stop),
        *retention_findings(seen, world, start, stop),
        *funnel_findings(seen, expected, start, stop),
    ]


def _stored(run: Run, expected: Expectation) -> Finding:
    """truth_daily holds this shop's expectations, reckoned anew."""
    keys = ["metric_date", "country", "channel"]
    world = expected.world
    rows = daily_rows(expected, world.first_date, world.until)
    anew = rows.to_pandas().set_index(keys).sort_index()
    table = run.warehouse.read(TABLE).select(*rows.schema.names)
    stored = table.toPandas().set_index(keys).sort_index()
    rows_differ = len(stored) != len(anew) or not stored.index.equals(anew.index)
    off = len(anew) if rows_differ else int((~np.isclose(stored, anew[stored.columns])).sum())
    return Finding("truth: truth_daily, figures unlike those made anew", "0", str(off), off == 0)


def _days(totals: pd.DataFrame, expected: Expectation, start: int, stop: int) -> list[Finding]:
    from jobs.shop.truth.recursion import MEASURES, ORDERS

    mean, sd, skewness = (table[start:stop] for table in expected.whole_shop())
    dates = [expected.world.warmup_start + timedelta(days=day) for day in range(start, stop)]
    # A day without any row is a day of zeros.
    totals = totals.set_index("day").reindex(dates, fill_value=0)
    findings = []
    for name in COUNTED:
        column = MEASURES.index(name)
        is_money = name == "revenue"
        # A handful of order values has a longer tail than any three moments tell.
        told = mean[:, ORDERS] >= FEW if is_money else np.ones(len(dates), dtype=bool)
        if not told.any():
            findings.append(too_few(f"{name} per day"))
            continue
        seen = totals[name].to_numpy(dtype=float)[told]
        expects, spread, skew = (array[told, column] for array in (mean, sd, skewness))
        z = surprise(seen, expects, spread, skew, is_count=not is_money)
        labels = [str(date) for date, is_told in zip(dates, told, strict=True) if is_told]
        findings.append(worst(f"{name} per day", labels, (expects, spread, seen, z)))
    return findings


def _segments(seen: Observed, expected: Expectation, start: int, stop: int) -> list[Finding]:
    """Countries x channels over all days; cells with few orders are put together into one."""
    from jobs.shop.truth.recursion import MEASURES, ORDERS

    world = expected.world
    names = world.segments
    cells = [(c, h) for c in names.country_names.tolist() for h in names.channel_names.tolist()]
    sums = seen.per_segment().set_index(["country", "channel"]).reindex(cells, fill_value=0)
    users = int(world.first_user[stop])
    mean = expected.mean[start:stop].sum(axis=0).reshape(len(cells), -1)
    is_small = mean[:, ORDERS] < FEW_FOR_SPREAD
    findings = [_signups(seen, world, cells, users)]
    for name in COUNTED:
        columns = [
            mean[:, MEASURES.index(name)],
            sums[name].to_numpy(dtype=float),
            sums[f"{name}_{name}"].to_numpy(dtype=float),
        ]
        merged = np.array([np.append(col[~is_small], col[is_small].sum()) for col in columns])
        labels = [" ".join(cell) for cell, small in zip(cells, is_small, strict=True) if not small]
        labels.append("small cells together")
        enough = merged[0] > 0
        enough[-1] &= mean[is_small, ORDERS].sum() >= FEW_FOR_SPREAD
        if not enough.any():
            findings.append(too_few(f"{name} by country x channel"))
            continue
        expects, total, squares = merged[:, enough]
        sd = np.sqrt(np.maximum(squares - total**2 / users, 1.0))
        labels = [label for label, is_told in zip(labels, enough, strict=True) if is_told]
        z = (total - expects) / sd
        findings.append(worst(f"{name} by country x channel", labels, (expects, sd, total, z)))
    findings += session_findings(sums.sum(), mean.sum(axis=0))
    return findings


def _signups(seen: Observed, world: World, cells: list[tuple[str, str]], users: int) -> Finding:
    counts = seen.signups().set_index(["country", "channel"])["users"]
    found = counts.reindex(cells, fill_value=0).to_numpy(dtype=float)
    share = world.segments.shares.ravel()
    variance = users * share * (1 - share)
    sd = np.sqrt(variance)
    z = surprise(found, users * share, sd, (1 - 2 * share) / sd, is_count=True)
    labels = [" ".join(cell) for cell in cells]
    return worst("signups by country x channel", labels, (users * share, sd, found, z))
