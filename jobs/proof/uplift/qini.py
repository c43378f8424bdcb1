"""How good a ranking is at finding those whom a contact moves: Qini, by outcomes and by the truth.

Of the users with the highest scores, a share is contacted. By the truth, the orders that this adds
are the sum of their true uplifts. By outcomes (Radcliffe, "Using control groups to target on
predicted lift", 2007), they are the difference of the rates of the two arms among them, times their
number. Either curve less the straight line to its end, averaged over the shares, is the Qini
coefficient: 0 for a ranking by lot.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jobs.propensity import bootstrap

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from jobs.proof.uplift.trial import Trial

    Floats = NDArray[np.float64]

SHARES = np.linspace(0.01, 1.0, 100)


@dataclass(frozen=True, eq=False)
class Curve:
    """Orders added per 1,000 users of all, by the share contacted (SHARES)."""

    added: Floats

    @property
    def qini(self) -> float:
        """Mean distance from the straight line to its end."""
        return float(np.mean(self.added - SHARES * self.added[-1]))

    def at(self, share: float) -> float:
        """Orders added where this share is contacted."""
        return float(self.added[np.argmin(np.abs(SHARES - share))])


class Ranking:
    """Users by falling score, judged under many weights.

    Parameters
    ----------
    score
        One per user of the trial.
    """

    def __init__(self, trial: Trial, score: Floats) -> None:
        self._order = np.argsort(-score, kind="stable")
        self._contacted = trial.contacted[self._order]
        self._ordered = trial.ordered[self._order]
        self._uplift = trial.true_uplift[self._order]

    def by_truth(self, weight: Floats) -> Curve:
        """Curve of the true uplifts, each user counted `weight` times."""
        ranked = weight[self._order]
        places = _places(ranked)
        return Curve(1_000 * np.cumsum(ranked * self._uplift)[places] / ranked.sum())

    def by_outcomes(self, weight: Floats) -> Curve:
        """Curve of what the arms show."""
        ranked = weight[self._order]
        places = _places(ranked)
        rates = []
        for arm in (self._contacted, 1 - self._contacted):
            own = np.cumsum(ranked * arm)[places]
            buyers = np.cumsum(ranked * arm * self._ordered)[places]
            rates.append(np.divide(buyers, own, out=np.zeros_like(own), where=own > 0))
        return Curve(1_000 * SHARES * (rates[0] - rates[1]))


def _places(ranked: Floats) -> NDArray[np.int64]:
    """Last user of each share."""
    total = np.cumsum(ranked)
    return np.minimum(np.searchsorted(total, SHARES * total[-1] * (1 - 1e-12)), len(ranked) - 1)


@dataclass(frozen=True)
class Figure:
    """A number and the ends of its interval, by resampled users."""

    value: float
    low: float
    high: float


def resampled(
    trial: Trial, rankings: dict[str, Ranking], held_against: str, resamples: int, seed: int
) -> tuple[dict[str, dict[str, Figure]], dict[str, dict[str, Figure]]]:
    """Figures of every ranking, and each less the one that it is held against, by pairs.

    Returns
    -------
    tuple of dict
        By ranking and figure: true_qini, observed_qini, true_10, observed_10, true_30, observed_30
        (orders added per 1,000 users of all, where 10 and 30 % are contacted).
    """
    ones = np.ones(len(trial))
    weights = [ones, *bootstrap.draws(trial.user_id, resamples, seed)]
    drawn = {
        name: [_figures(ranking, weight) for weight in weights]
        for name, ranking in rankings.items()
    }
    values = {name: _columns(rows) for name, rows in drawn.items()}
    figures = {
        name: {key: _figure(column) for key, column in columns.items()}
        for name, columns in values.items()
    }
    gains = {
        name: {key: _figure(column - values[held_against][key]) for key, column in columns.items()}
        for name, columns in values.items()
        if name != held_against
    }
    return figures, gains


def _figures(ranking: Ranking, weight: Floats) -> dict[str, float]:
    curves = {"true": ranking.by_truth(weight), "observed": ranking.by_outcomes(weight)}
    found: dict[str, float] = {}
    for name, curve in curves.items():
        found |= {f"{name}_qini": curve.qini}
        found |= {f"{name}_{share}": curve.at(share / 100) for share in (10, 30)}
    return found


def _columns(rows: list[dict[str, float]]) -> dict[str, Floats]:
    return {key: np.array([row[key] for row in rows]) for key in rows[0]}


def _figure(column: Floats) -> Figure:
    return Figure(float(column[0]), *bootstrap.interval(column[1:]))
