"""How well values fit the law they should follow."""

from __future__ import annotations

import numpy as np
from scipy import stats

# A correct shop fails a test once in 100,000 runs of other seeds.
UNLIKELY = 1e-5


def assert_uniform(values: np.ndarray, rows: int) -> None:
    """Hold values against the uniform law; fewer than `rows` could not tell it from others."""
    assert len(values) > rows, "too few rows to judge"
    assert stats.kstest(values, "uniform").pvalue > UNLIKELY


def spread(below: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """Uniform numbers from a count: P(less) plus a random part of P(equal)."""
    return below + np.random.default_rng(7).random(len(below)) * chance


def assert_uncorrelated(left: np.ndarray, right: np.ndarray, what: str = "") -> None:
    """Hold the correlation of two columns against none."""
    z = np.corrcoef(left, right)[0, 1] * np.sqrt(len(left))
    assert abs(z) < stats.norm.isf(UNLIKELY / 2), what
