"""The three measurements of `bench model`, from settings to page."""

from __future__ import annotations

from pathlib import Path

from jobs.core.progress import Progress
from jobs.proof.bench.model.flow import ModelBench
from jobs.proof.bench.model.report import render_ablation, render_demands, render_speed
from jobs.proof.bench.request import Rules

SIZES = (100_000, 400_000, 1_000_000)


def compare(rules: Rules, sizes: list[int], folder: Path, progress: Progress) -> str:
    """Fit beside a peer at each size (SIZES where none are named); returns the page."""
    bench = ModelBench(rules, folder, progress)
    return render_speed([bench.speed(size) for size in sizes or SIZES])


def demands(rules: Rules, seeds: list[int], folder: Path, progress: Progress) -> str:
    """Train on the default shops of some seeds; returns what is asked and what was reached."""
    bench = ModelBench(rules, folder, progress)
    return render_demands({seed: bench.demands(seed) for seed in seeds})


def ablation(rules: Rules, seed: int, folder: Path, progress: Progress) -> str:
    """Change one setting of the trees at a time on the default shop of a seed; returns the page."""
    return render_ablation(seed, ModelBench(rules, folder, progress).ablation(seed))
