"""Does the synthetic shop look like real ones? Target against reached, figure by figure."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pandas as pd

from jobs.core.errors import ContractError, UsageError
from jobs.proof.realism_figures import order_figures, traffic_figures
from jobs.proof.realism_sample import (
    cohort_window,
    sampled_orders,
    sampled_traffic,
    traffic_window,
)
from jobs.proof.realism_targets import RealismSettings, Target, read_targets
from jobs.shop.settings import shop_of

if TYPE_CHECKING:
    from jobs.core.entry import Run

OK, KNOWN_MISS, FAIL = "ok", "known miss", "FAIL"
_WIDTH = 100
_SCALES = {"share": 100, "days": 1, "money": 1, "factor": 1, "hour": 1}
_SUFFIXES = {"share": " %", "days": " d", "money": "", "factor": "", "hour": " h"}
_DIGITS = {"share": 1, "days": 0, "money": 1, "factor": 2, "hour": 0}


@dataclass(frozen=True)
class Comparison:
    """One figure: what real shops have and what the sample has."""

    target: Target
    reached: float

    @property
    def verdict(self) -> str:
        """`OK`, `KNOWN_MISS` or `FAIL`; a figure that could not be measured fails."""
        # Rounded, so that a figure on the edge, such as whole days, does not hang on the last bit.
        if round(abs(self.reached - self.target.target), 9) <= self.target.tolerance:
            return OK
        miss = self.target.known_miss
        if miss is not None and miss.low <= self.reached <= miss.high:
            return KNOWN_MISS
        return FAIL


@dataclass(frozen=True)
class Realism:
    """All figures, what the sample was, and the texts that explain the table."""

    settings: RealismSettings
    comparisons: list[Comparison]
    sample: str
    last_day: date

    @property
    def verdict(self) -> str:
        """How many figures are within their tolerance, in a few words."""
        verdicts = [comparison.verdict for comparison in self.comparisons]
        parts = [f"{verdicts.count(OK)} of {len(verdicts)} figures within their tolerance"]
        missed = verdicts.count(KNOWN_MISS)
        if missed:
            parts.append(f"{missed} known miss{'es' if missed > 1 else ''}")
        if verdicts.count(FAIL):
            parts.append(f"{verdicts.count(FAIL)} FAILED")
        return ", ".join(parts)


def measure(run: Run) -> Realism:
    """Make a sample of the shop that the settings describe, and compare it with real shops.

    The warehouse is not read: the sample is the same whatever it holds.
    """
    targets = read_targets()
    shop = shop_of(run.config)
    with run.progress.step("realism: a cohort of buyers") as step:
        cohort = cohort_window(shop, targets.sample, run.config.seed)
        orders = sampled_orders(run.spark, cohort)
        step.rows = len(orders)
    with run.progress.step("realism: a year of traffic") as step:
        year = traffic_window(shop, targets.sample, run.config.seed)
        traffic = sampled_traffic(run.spark, year)
        step.rows = int(traffic[["views", "carts", "orders"]].to_numpy().sum())
    if orders.empty or traffic.empty:
        raise UsageError("conf/realism.yaml: the sample is too small, nobody does anything in it")
    sample = (
        f"Seed {run.config.seed}, no incidents. {orders['user_id'].nunique():,} users whose first "
        f"order lies from {cohort.first} to {cohort.end} (exclusive), followed to "
        f"{cohort.world.until}; all {step.rows:,} events from {year.first} to {year.end}."
    )
    reached = order_figures(orders) | traffic_figures(traffic)
    last_day = max(cohort.world.until, year.end) - timedelta(days=1)
    return Realism(targets, compare(targets, reached), sample, last_day)


def compare(targets: RealismSettings, reached: dict[str, float]) -> list[Comparison]:
    """Pair each figure with its target, in the order of the targets.

    Raises
    ------
    UsageError
        A figure has no target, or a target names no figure.
    """
    unpaired = sorted(reached.keys() ^ {target.name for target in targets.figures})
    if unpaired:
        raise UsageError(f"conf/realism.yaml: {unpaired[0]} is not both a target and a figure")
    return [Comparison(target, reached[target.name]) for target in targets.figures]


def require(realism: Realism) -> None:
    """Refuse a shop that does not look like real ones.

    Raises
    ------
    ContractError
        The message names the first figure outside its tolerance that is no known miss, or that
        misses by more than is known.
    """
    for comparison in realism.comparisons:
        if comparison.verdict == FAIL:
            target = comparison.target
            raise ContractError(
                f"{realism.verdict}; first failure: {target.group}, {target.label}: "
                f"{in_unit(target, comparison.reached)} for {in_unit(target, target.target)}"
            )


def as_frame(realism: Realism) -> pd.DataFrame:
    """Put the comparisons into a table, one row per figure, numbers as they are."""
    rows = [
        {
            "group": target.group,
            "figure": target.label,
            "name": target.name,
            "unit": target.unit,
            "target": target.target,
            "reached": comparison.reached,
            "target_text": in_unit(target, target.target),
            "reached_text": in_unit(target, comparison.reached),
            "tolerance": target.tolerance,
            "verdict": comparison.verdict,
            "why_missed": why_missed(comparison),
            "tolerance_reason": realism.settings.reasons[target.reason],
            "source": realism.settings.sources[target.source],
        }
        for comparison in realism.comparisons
        for target in [comparison.target]
    ]
    return pd.DataFrame(rows)


def render(realism: Realism) -> str:
    """Write target against reached as an aligned table, with what explains it below."""
    lines = textwrap.wrap(realism.sample, _WIDTH)
    width = max(len(target.label) for target in realism.settings.figures) + 2
    head = f"{'target':>9}  {'reached':>9}  {'tolerance':>18}  {'verdict':<10}  source"
    notes: list[str] = []
    group = ""
    for comparison in realism.comparisons:
        target = comparison.target
        if target.group != group:
            group = target.group
            lines += ["", f"{group:<{width}}  {head}"]
        cells = (
            f"{in_unit(target, target.target):>9}  {in_unit(target, comparison.reached):>9}  "
            f"{in_unit(target, target.tolerance, '± ') + ' ' + target.reason:>18}"
        )
        verdict = comparison.verdict
        if verdict == KNOWN_MISS:
            notes.append(f"{group}, {target.label}: {why_missed(comparison)}")
        lines.append(f"  {target.label:<{width - 2}}  {cells}  {verdict:<10}  {target.source}")
    lines += _legend("Known misses", notes)
    lines += _legend("Tolerances", [f"{k}: {v}" for k, v in realism.settings.reasons.items()])
    lines += _legend("Sources", [f"{k}: {v}" for k, v in realism.settings.sources.items()])
    return "\n".join([*lines, "", realism.verdict])


def in_unit(target: Target, value: float, sign: str = "") -> str:
    """Write a value in the unit of its figure; a tolerance with as many digits as it needs."""
    scaled = value * _SCALES[target.unit]
    digits = _DIGITS[target.unit]
    # A share of a few hundredths, and a tolerance below what the unit shows, need a digit more.
    if target.unit == "share" and abs(target.target) < 0.1 or sign and digits < 2:
        digits += 1
    return f"{sign}{scaled:.{digits}f}{_SUFFIXES[target.unit]}"


def why_missed(comparison: Comparison) -> str:
    """Reason of a known miss; empty where the figure is reached, or misses for no known one."""
    miss = comparison.target.known_miss
    return miss.why if miss is not None and comparison.verdict == KNOWN_MISS else ""


def _legend(title: str, entries: list[str]) -> list[str]:
    lines = ["", f"{title}:"]
    for entry in entries:
        lines += textwrap.wrap(entry, _WIDTH, initial_indent="  ", subsequent_indent="    ")
    return lines if entries else []
