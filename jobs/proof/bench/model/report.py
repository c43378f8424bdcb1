"""What `bench model` prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jobs.proof.bench.model.flow import FITTED, Speed
from jobs.proof.bench.task import CORES
from jobs.propensity.bootstrap import LEVEL

_SPEED_LEGEND = f"""\
Each contestant is a fresh process on {CORES} cores and reads the same rows. s/tree: median of the
fits after one of a few trees, over its trees. gbt: MLlib with the settings shipped; gbt_sampled:
on all rows of the rarer class and 8 of the other for each; xgboost: as many trees of that depth.
XGBoost's step is 0.1, and all of its trees count; of gbt the best number does. PR-AUC and log-loss:
on the same later rows, calibrated on the same ones. scored/s: rows of the test
slice a second, by the model; exported/s: by the trees as arrays."""
_SPEED_HEADS = ("rows", "s/tree", ": xgboost", "PR-AUC", "log-loss", "scored/s", "exported/s", "MB")
_DEMAND_HEADS = ("figure", f"{LEVEL:.0%} from", "to", "limit")
_SIDES = {"at least": ">=", "at most": "<=", "within": "+-"}
_ABLATION_HEADS = (
    "seconds",
    "trees",
    ": oracle",
    "loss over",
    "PR-AUC +-",
    "from",
    "to",
    "loss +-",
    "from",
    "to",
    "ECE",
)


def render_speed(sizes: Sequence[Speed]) -> str:
    """Lay out who fitted how fast, in order of size."""
    blocks = [_SPEED_LEGEND]
    for size in sizes:
        peer = size.figure("xgboost", "seconds_per_tree")
        lines = [f"{size.rows:,} snapshots to learn from", _row("", _SPEED_HEADS)]
        for name in FITTED:
            own = size.runs[name]
            exported = size.figure(name, "exported_per_second")
            cells = (
                f"{own.result.rows:,}",
                f"{size.figure(name, 'seconds_per_tree'):.4f}",
                f"{size.figure(name, 'seconds_per_tree') / peer:.1f}",
                f"{size.figure(name, 'average_precision'):.4f}",
                f"{size.figure(name, 'log_loss'):.5f}",
                f"{size.figure(name, 'scored_per_second'):,.0f}",
                "-" if exported is None else f"{exported:,.0f}",
                f"{own.peak_memory / 1e6:,.0f}",
            )
            lines.append(_row(name, cells))
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def render_demands(found: Mapping[int, Sequence[Mapping[str, Any]]]) -> str:
    """Lay out what is asked of the models, and what they reached on the shop of each seed."""
    blocks = []
    for seed, rows in found.items():
        lines = [f"seed {seed}", _row("", _DEMAND_HEADS)]
        for row in rows:
            ends = ("" if row[end] is None else _number(row[end]) for end in ("low", "high"))
            limit = f"{_SIDES[row['side']]} {row['limit']:g}"
            cells = (_number(row["figure"]), *ends, limit)
            name = f"{row['target']}: {row['name']}"
            lines.append(f"{_row(name, cells)}  {'met' if row['met'] else 'MISSED'}")
        blocks.append("\n".join(lines))
    every = [row for rows in found.values() for row in rows]
    met = sum(row["met"] for row in every)
    return "\n\n".join([*blocks, f"{met} of {len(every)} met"])


def render_ablation(seed: int, found: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Lay out what one changed setting does to the model of each target."""
    blocks = [
        f"Shop of seed {seed}. : oracle and loss over: PR-AUC over the history oracle's, log-loss\n"
        f"over its own. +-: less the shipped model, with the {LEVEL:.0%} interval of the pairs.\n"
        "Calibrations are other ways from the same trees to a probability."
    ]
    for target, rows in found.items():
        lines = [_row(target, _ABLATION_HEADS)]
        for row in rows:
            cells = (
                f"{row['seconds']:.0f}",
                f"{row['trees']}",
                f"{row['ratio']:.3f}",
                f"{row['excess']:+.2%}",
                *(f"{v:+.4f}" for v in (row["precision_gain"], *row["precision_gain_interval"])),
                *(f"{v:+.5f}" for v in (row["loss_gain"], *row["loss_gain_interval"])),
                f"{row['ece']:.4f}",
            )
            lines.append(_row(row["name"], cells))
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.4f}"


def _row(name: str, cells: Sequence[str]) -> str:
    return f"{name:<42}" + "".join(f" {cell:>10}" for cell in cells)
