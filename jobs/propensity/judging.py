"""The trees beside their peers: every figure of model_metrics, from rows on the driver."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from jobs.propensity import bootstrap, decisions, evaluation
from jobs.propensity.calibration import Calibration, fit_calibration
from jobs.propensity.scores import EVERYONE, OURS, Metric, Scores
from jobs.propensity.trees import Trees, margins

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from jobs.propensity.features import Sample
    from jobs.propensity.peers import Scorer
    from jobs.propensity.settings import PropensitySettings, TargetSettings

    Floats = NDArray[np.float64]

    # From the keys of rows to the probability that someone who knows the process gives them.
    Ceiling = Callable[[Sample], dict[str, Floats]]


@dataclass(frozen=True, eq=False)
class Contestant:
    """A model on the test slice: what it ranks by, and its calibrated probability."""

    score: Floats
    probability: Floats


@dataclass(frozen=True)
class Judged:
    """All rows of model_metrics of one training, and what the gates read."""

    metrics: list[Metric]
    threshold: float

    def figure(self, metric: str, model: str = OURS, split: str = "test") -> Metric:
        """Find a single figure over everyone."""
        for found in self.metrics:
            named = (found.metric, found.model, found.split, found.segment, found.point)
            if named == (metric, model, split, EVERYONE, 0):
                return found
        raise KeyError(f"no {metric} of {model} on {split}")

    @property
    def models(self) -> tuple[str, ...]:
        """Everyone judged on the test slice, the trees first."""
        return tuple(dict.fromkeys(m.model for m in self.metrics if m.split == "test"))


def judge(
    samples: dict[str, Sample],
    trees: Trees,
    calibration: Calibration,
    peers: dict[str, Scorer],
    settings: PropensitySettings,
    own: TargetSettings,
    ceiling: Ceiling | None = None,
    margin_shift: float = 0.0,
) -> Judged:
    """Judge trees and peers on the calibration and the test slice.

    Parameters
    ----------
    samples
        Rows by slice: calibrate and test.
    peers
        Scores of the others; each is calibrated on the calibration slice first.
    ceiling
        Gives the probabilities of those who know the process, where there is one.
    margin_shift
        What the margins lack before they are read as probabilities without calibration.
    """
    calibrate, test = samples["calibrate"], samples["test"]
    found: list[Metric] = []
    ours = {}
    for name, sample in (("calibrate", calibrate), ("test", test)):
        margin = margins(trees, sample.matrix)
        ours[name] = Contestant(margin, calibration.probability(margin))
    threshold = decisions.choose_threshold(ours["calibrate"].probability, own.decision)
    for name, sample in (("calibrate", calibrate), ("test", test)):
        scores = Scores.of(sample.label, ours[name].score, ours[name].probability)
        found += evaluation.evaluate(name, scores, threshold, own.decision, margin_shift)
    contestants = {OURS: ours["test"]}
    in_order = Scores(test.label, ours["test"].score, ours["test"].probability)
    found += evaluation.by_segment("test", test.segments, test.label, in_order)
    for name, scorer in peers.items():
        fitted = fit_calibration(scorer(calibrate.matrix), calibrate.label)
        score = scorer(test.matrix)
        # A rule may point the wrong way on this log; then it is judged as it points.
        contestants[name] = Contestant(score, fitted.probability(score))
    if ceiling is not None:
        for name, probability in ceiling(test).items():
            contestants[name] = Contestant(probability, probability)
    for name, who in contestants.items():
        if name != OURS:
            scores = Scores.of(test.label, who.score, who.probability)
            found += [replace(m, model=name) for m in evaluation.single_figures("test", scores)]
    intervals = _intervals(test, contestants, settings, own, threshold)
    return Judged([*_with_intervals(found, intervals), *_differences(intervals)], threshold)


# By model, segment and figure, its values over the resamples.
Resampled = dict[tuple[str, str, str], "Floats"]


def _intervals(
    test: Sample,
    contestants: dict[str, Contestant],
    settings: PropensitySettings,
    own: TargetSettings,
    threshold: float,
) -> Resampled:
    every = np.arange(len(test.label))
    ranked = {(name, EVERYONE): (every, _ranked(test, who)) for name, who in contestants.items()}
    for column, named in test.segments.items():
        for value in sorted(set(named)):
            rows_of = np.flatnonzero(named == value)
            if not 0 < test.label[rows_of].sum() < len(rows_of):
                continue  # no figure to give an interval to
            part = _ranked(test, contestants[OURS], rows_of)
            ranked[OURS, f"{column}={value}"] = (rows_of, part)
    selected = (contestants[OURS].probability >= threshold).astype(np.float64)
    caught = selected * test.label
    found: dict[tuple[str, str, str], list[float]] = {}
    draws = bootstrap.draws(test.user_id, settings.resamples, own.boosting.seed)
    for weight in draws:
        for (name, segment), (rows_of, one) in ranked.items():
            values = one.figures(weight[rows_of])
            for figure, value in zip(bootstrap.FIGURES, values, strict=True):
                found.setdefault((name, segment, figure), []).append(float(value))
        hits = weight @ caught
        for figure, among in (("precision", selected), ("recall", test.label)):
            value = hits / total if (total := weight @ among) else np.nan
            found.setdefault((OURS, EVERYONE, figure), []).append(float(value))
    return {key: np.array(values) for key, values in found.items()}


def _ranked(
    test: Sample, who: Contestant, rows_of: NDArray[np.int64] | slice = slice(None)
) -> bootstrap.Ranked:
    """Rows of a contestant, all or some, ready to be judged under many weights."""
    return bootstrap.Ranked(test.label[rows_of], who.score[rows_of], who.probability[rows_of])


def _with_intervals(found: list[Metric], resampled: Resampled) -> list[Metric]:
    dressed = []
    for metric in found:
        values = resampled.get((metric.model, metric.segment, metric.metric))
        if metric.split == "test" and values is not None:
            low, high = bootstrap.interval(values)
            metric = replace(metric, low=low, high=high)
        dressed.append(metric)
    return dressed


def _differences(resampled: Resampled) -> list[Metric]:
    """The trees minus each other model, with the interval of the pairs.

    The value is the mean over the resamples, so that it lies within its interval.
    """
    found = []
    for model in dict.fromkeys(name for name, _, _ in resampled if name != OURS):
        ours, theirs = (
            {figure: resampled[name, EVERYONE, figure] for figure in bootstrap.FIGURES}
            for name in (OURS, model)
        )
        pairs = {
            f"{figure}_gain": ours[figure] - theirs[figure]
            for figure in ("average_precision", "roc_auc", "log_loss")
        }
        figure = "average_precision"
        pairs[f"{figure}_ratio"] = ours[figure] / theirs[figure]
        for name, values in pairs.items():
            low, high = bootstrap.interval(values)
            mean = float(np.nanmean(values))
            found.append(Metric("test", name, mean, low=low, high=high, model=model))
    return found
