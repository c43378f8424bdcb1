"""From the trial to what is told of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jobs.proof.uplift.estimate import estimate
from jobs.proof.uplift.qini import Curve, Figure, Ranking, resampled
from jobs.proof.uplift.trial import read_trial
from jobs.propensity.settings import settings_of

if TYPE_CHECKING:
    from datetime import date

    from jobs.core.entry import Run
    from jobs.proof.uplift.trial import Trial

TWO_MODELS, BY_CHANNEL, PROPENSITY, LOT, TRUTH = (
    "two-model uplift",
    "uplift by channel",
    "propensity",
    "by lot",
    "true uplift",
)


@dataclass(frozen=True, eq=False)
class Uplift:
    """What a campaign added, and how well each ranking would have found whom it moves.

    Parameters
    ----------
    first, days
        When the campaign ran.
    arms
        Users and buyers by arm: contacted, held out.
    true_effect
        Mean of the true uplifts.
    observed_effect, standard_error
        Difference of the arms' rates.
    figures
        By ranking and figure; see `qini.resampled`.
    gains
        Each ranking less that by propensity, with intervals of the pairs.
    curves
        By ranking: by the truth, and by outcomes.
    """

    first: date
    days: int
    arms: dict[str, tuple[int, int]]
    true_effect: float
    observed_effect: float
    standard_error: float
    figures: dict[str, dict[str, Figure]]
    gains: dict[str, dict[str, Figure]]
    curves: dict[str, tuple[Curve, Curve]]

    @property
    def z(self) -> float:
        """How many standard errors the observed effect is from the true one."""
        return (self.observed_effect - self.true_effect) / self.standard_error

    def share_found(self, ranking: str) -> float:
        """True Qini of a ranking over that of the best, who knows each user's true uplift."""
        return self.figures[ranking]["true_qini"].value / self.figures[TRUTH]["true_qini"].value


def measure(run: Run) -> Uplift:
    """Estimate the uplift of the campaign of a run's shop, and hold it against the truth.

    Raises
    ------
    UsageError, ContractError
        See `trial.read_trial`.
    """
    trial = read_trial(run)
    settings = settings_of(run.config)
    with run.progress.step("uplift: models, intervals") as step:
        step.rows = len(trial)
        return judge(trial, settings.purchase.boosting.seed, settings.resamples)


def judge(trial: Trial, seed: int, resamples: int) -> Uplift:
    """Rank the users of a trial in several ways, and judge each.

    Parameters
    ----------
    seed
        Of parts, lot and resamples.
    """
    guessed = estimate(trial, seed)
    scores = {
        TWO_MODELS: guessed.two_models,
        BY_CHANNEL: guessed.by_channel,
        PROPENSITY: guessed.propensity,
        LOT: np.random.default_rng(seed).random(len(trial)),
        TRUTH: trial.true_uplift,
    }
    rankings = {name: Ranking(trial, score) for name, score in scores.items()}
    figures, gains = resampled(trial, rankings, PROPENSITY, resamples, seed)
    ones = np.ones(len(trial))
    return Uplift(
        first=trial.first,
        days=trial.days,
        arms={"contacted": _arm(trial, 1.0), "held out": _arm(trial, 0.0)},
        true_effect=float(trial.true_uplift.mean()),
        **_effect(trial),
        figures=figures,
        gains=gains,
        curves={
            name: (one.by_truth(ones), one.by_outcomes(ones)) for name, one in rankings.items()
        },
    )


def _arm(trial: Trial, number: float) -> tuple[int, int]:
    own = trial.ordered[trial.contacted == number]
    return len(own), int(own.sum())


def _effect(trial: Trial) -> dict[str, float]:
    arms = [trial.ordered[trial.contacted == number] for number in (1.0, 0.0)]
    rates = [own.mean() for own in arms]
    variance = sum(rate * (1 - rate) / len(own) for rate, own in zip(rates, arms, strict=True))
    return {
        "observed_effect": float(rates[0] - rates[1]),
        "standard_error": float(np.sqrt(variance)),
    }
