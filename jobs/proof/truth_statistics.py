"""How far chance may carry a figure from its expectation, and findings that say so."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from jobs.proof.findings import Finding

Floats = NDArray[np.float64]

# One figure is allowed four standard errors: chance alone goes beyond once in 16,000.
LIMIT = 4.0
# Below this the normal law is no guide to a count.
FEW = 30.0
# Where a standard error is taken from the rows themselves, it needs more of them to be one.
FEW_FOR_SPREAD = 100.0


def limit_of(comparisons: int) -> float:
    """The limit for the worst of many figures: Bonferroni, so that all together err as one would.

    With alpha = P(|Z| > 4), each of n is allowed alpha / n.
    """
    alpha = 2 * stats.norm.sf(LIMIT)
    return float(stats.norm.isf(alpha / (2 * max(comparisons, 1))))


def surprise(
    observed: Floats, mean: Floats, sd: Floats, skewness: Floats, is_count: bool
) -> Floats:
    """How unlikely figures are, as the z with the same tail under the normal law.

    A day's orders, and their revenue even more, are skewed: a Pearson III law with the first three
    moments gives their tails also where the expectation is small.

    Parameters
    ----------
    observed, mean, sd, skewness : arrays
        Where `sd` is 0 anything but the mean is infinitely unlikely.
    is_count : bool
        A count is moved half a unit towards its mean, since the law that stands for it is smooth.

    Returns
    -------
    array
        Negative below the median of the law.
    """
    away = observed - mean
    if is_count:
        away = np.sign(away) * np.maximum(np.abs(away) - 0.5, 0.0)
    certain = sd <= 0
    scaled = np.divide(away, sd, out=np.zeros_like(away), where=~certain)
    above, below = stats.pearson3.sf(scaled, skewness), stats.pearson3.cdf(scaled, skewness)
    tail = np.maximum(np.minimum(above, below), np.finfo(float).tiny)
    z = np.where(above < below, 1.0, -1.0) * stats.norm.isf(np.minimum(tail, 0.5))
    return np.where(certain, np.where(away == 0, 0.0, np.copysign(np.inf, away)), z)


def worst(
    name: str, labels: Sequence[str], table: tuple[Floats, Floats, Floats, Floats]
) -> Finding:
    """Make the finding on the least likely of several figures.

    Parameters
    ----------
    name : str
    labels : sequence of str
        What each figure is of.
    table : tuple of arrays
        Expectation, its standard deviation, observation, and z of each.

    Returns
    -------
    Finding
    """
    mean, sd, observed, z = table
    at = int(np.abs(z).argmax())
    limit = limit_of(len(z))
    return Finding(
        f"truth: {name}, worst of {len(z)} ({labels[at]}), |z| < {limit:.1f}",
        f"{mean[at]:,.1f} +- {sd[at]:,.1f}",
        f"{observed[at]:,.1f} (z {z[at]:+.1f})",
        bool(abs(z[at]) < limit),
    )


def single(
    name: str,
    expected: float,
    observed: float,
    z: float,
    is_share: bool = False,
    digits: int = 2,
) -> Finding:
    """Make the finding on one figure, a number or a share."""
    shown = "{:.3%}" if is_share else f"{{:,.{digits}f}}"
    return Finding(
        f"truth: {name}, |z| < {LIMIT:.0f}",
        shown.format(expected),
        f"{shown.format(observed)} (z {z:+.1f})",
        bool(abs(z) < LIMIT),
    )


def too_few(name: str) -> Finding:
    """Say that a figure cannot be judged; that is no failure."""
    return Finding(f"truth: {name}", "too few to tell", "not compared", True)


def ratio_z(ratio: float, sums: tuple[float, float], squares: tuple[float, float, float]) -> float:
    """Z of a ratio of two sums over independent users against the ratio expected.

    With residuals r_u = x_u - ratio n_u of expectation 0, z = sum r / sqrt(sum r^2).

    Parameters
    ----------
    ratio : float
        Expected.
    sums : tuple
        Sums of x and n.
    squares : tuple
        Sums of x^2, x n and n^2.
    """
    spread = squares[0] - 2 * ratio * squares[1] + ratio**2 * squares[2]
    return float((sums[0] - ratio * sums[1]) / np.sqrt(spread)) if spread > 0 else 0.0
