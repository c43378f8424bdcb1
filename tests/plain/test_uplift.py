"""Qini by truth and by outcomes, and estimates of an uplift that is known."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from jobs.core.errors import ContractError, UsageError
from jobs.proof.uplift import estimate as module
from jobs.proof.uplift import report
from jobs.proof.uplift.estimate import estimate
from jobs.proof.uplift.flow import BY_CHANNEL, LOT, PROPENSITY, TRUTH, TWO_MODELS, judge
from jobs.proof.uplift.qini import SHARES, Ranking, resampled
from jobs.proof.uplift.trial import Trial, require_effect
from jobs.reporting.uplift_chart import uplift


def trial(users: int = 4_000, seed: int = 1) -> Trial:
    """Users of two channels: on one a contact adds a fifth to the chance, on the other nothing."""
    random = np.random.default_rng(seed)
    reached = random.random(users) < 0.5
    readiness = random.random(users)
    contacted = (random.random(users) < 0.5).astype(float)
    uplift = np.where(reached, 0.2, 0.0)
    ordered = random.random(users) < 0.1 + 0.4 * readiness + contacted * uplift
    return Trial(
        first=date(2024, 3, 18),
        days=14,
        user_id=np.arange(users),
        matrix=np.column_stack([readiness, random.random(users)]),
        channel=np.where(reached, "ads", "seo").astype(object),
        contacted=contacted,
        ordered=ordered.astype(float),
        true_uplift=uplift,
    )


def test_the_curve_of_the_truth_adds_up_the_uplifts_of_those_contacted() -> None:
    one = trial(400)
    curve = Ranking(one, one.true_uplift).by_truth(np.ones(400))
    total = one.true_uplift.sum()
    assert curve.added[-1] == pytest.approx(1_000 * total / 400)
    # Half of the users are moved at all, so the upper half holds everything.
    assert curve.at(0.6) == pytest.approx(curve.added[-1])
    assert curve.at(0.1) == pytest.approx(1_000 * 0.2 * 40 / 400)
    assert Ranking(one, -one.true_uplift).by_truth(np.ones(400)).at(0.1) == 0


def test_by_outcomes_the_rates_of_the_arms_are_compared_within_those_contacted() -> None:
    small = Trial(
        first=date(2024, 3, 18),
        days=14,
        user_id=np.arange(8),
        matrix=np.zeros((8, 1)),
        channel=np.full(8, "ads", dtype=object),
        contacted=np.array([1, 0, 1, 0, 1, 0, 1, 0.0]),
        ordered=np.array([1, 0, 1, 1, 0, 1, 0, 0.0]),
        true_uplift=np.zeros(8),
    )
    curve = Ranking(small, -np.arange(8.0)).by_outcomes(np.ones(8))
    # Among the first four both contacted ordered, and one of the two held out.
    assert curve.at(0.5) == pytest.approx(1_000 * 0.5 * (1.0 - 0.5))
    assert curve.added[-1] == pytest.approx(1_000 * (0.5 - 0.5))


def test_a_ranking_by_lot_has_no_qini_and_the_best_has_the_most() -> None:
    one = trial(20_000)
    ones = np.ones(20_000)
    lot = Ranking(one, np.random.default_rng(5).random(20_000)).by_truth(ones).qini
    best = Ranking(one, one.true_uplift).by_truth(ones).qini
    # Half of the users with an uplift of .2, found first: the mean over the shares is a quarter of
    # the height at one half, 100 less 50.
    assert best == pytest.approx(25, rel=0.05)
    assert abs(lot) < 1.0


def test_weights_count_users_as_often_as_they_were_drawn() -> None:
    one = trial(300)
    weight = np.random.default_rng(2).integers(0, 3, 300).astype(float)
    rows = np.repeat(np.arange(300), weight.astype(int))
    repeated = Trial(
        one.first,
        one.days,
        rows,
        one.matrix[rows],
        one.channel[rows],
        one.contacted[rows],
        one.ordered[rows],
        one.true_uplift[rows],
    )
    score = one.matrix[:, 0]
    for kind in ("by_truth", "by_outcomes"):
        weighted = getattr(Ranking(one, score), kind)(weight).added
        plain = getattr(Ranking(repeated, score[rows]), kind)(np.ones(len(rows))).added
        # A share may end within the copies of one user, where a weight goes on to the last copy.
        assert np.abs(weighted - plain).max() < 1_000 * 3 / len(rows)
        assert weighted[-1] == pytest.approx(plain[-1])


def test_both_estimates_find_whom_a_contact_moves_and_propensity_does_not() -> None:
    one = trial(20_000)
    found = estimate(one, seed=3)
    ones = np.ones(len(one))
    best = Ranking(one, one.true_uplift).by_truth(ones).qini
    reached = one.channel == "ads"
    assert found.by_channel[reached].mean() == pytest.approx(0.2, abs=0.03)
    assert found.by_channel[~reached].mean() == pytest.approx(0.0, abs=0.03)
    assert Ranking(one, found.by_channel).by_truth(ones).qini > 0.9 * best
    # The channel is no column of the matrix, so the two models cannot know of it.
    assert abs(Ranking(one, found.two_models).by_truth(ones).qini) < 0.1 * best
    told = Trial(**{**vars(one), "matrix": np.column_stack([one.matrix, reached])})
    assert Ranking(one, estimate(told, 3).two_models).by_truth(ones).qini > 0.9 * best
    assert abs(Ranking(one, found.propensity).by_truth(ones).qini) < 0.1 * best


@pytest.mark.parametrize("arm", [0.0, 1.0])
def test_nobody_is_ranked_by_models_that_saw_them(
    arm: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = trial(1_000)
    user = int(np.argmax(one.contacted == arm))
    flipped = one.ordered.copy()
    flipped[user] = 1 - flipped[user]
    other = Trial(**{**vars(one), "ordered": flipped})
    # Parts are dealt out by who ordered: they must stay what they were.
    monkeypatch.setattr(module, "_parts", lambda trial, _: np.arange(len(trial)) % module.PARTS)
    before, after = estimate(one, seed=3), estimate(other, seed=3)
    for name in ("two_models", "by_channel", "propensity"):
        changed = getattr(before, name) != getattr(after, name)
        assert not changed[user]
        assert changed.any()


def test_gains_are_of_pairs_and_hold_their_value() -> None:
    one = trial(2_000)
    scores = {
        TWO_MODELS: one.true_uplift + np.random.default_rng(8).normal(0, 0.1, 2_000),
        PROPENSITY: one.matrix[:, 0],
        TRUTH: one.true_uplift,
    }
    rankings = {name: Ranking(one, score) for name, score in scores.items()}
    figures, gains = resampled(one, rankings, PROPENSITY, 100, seed=1)
    assert set(gains) == {TWO_MODELS, TRUTH}
    own, base = figures[TRUTH]["true_qini"], figures[PROPENSITY]["true_qini"]
    gain = gains[TRUTH]["true_qini"]
    assert gain.value == pytest.approx(own.value - base.value)
    assert gain.low < gain.value < gain.high
    assert len(SHARES) == 100


def test_buyers_and_others_of_either_arm_are_dealt_out_evenly() -> None:
    one = trial(997)
    part = module._parts(one, 5)
    assert np.bincount(part).min() >= 199
    for arm in (0.0, 1.0):
        for ordered in (0.0, 1.0):
            own = np.bincount(part[(one.contacted == arm) & (one.ordered == ordered)])
            assert own.max() - own.min() <= 1
    assert np.any(part != module._parts(one, 6))


def test_what_cannot_be_estimated_is_refused() -> None:
    one = trial(400)
    few = one.ordered * 0
    few[np.flatnonzero(one.contacted == 1)[0]] = 1
    with pytest.raises(ContractError, match="users contacted 1 ordered"):
        require_effect(Trial(**{**vars(one), "ordered": few}))
    with pytest.raises(UsageError, match="changes nobody's chance"):
        require_effect(Trial(**{**vars(one), "true_uplift": one.true_uplift * 0}))
    require_effect(one)


def test_page_verdict_and_chart_speak_of_all_rankings() -> None:
    one = trial(4_000)
    found = judge(one, seed=3, resamples=20)
    names = [TWO_MODELS, BY_CHANNEL, PROPENSITY, LOT, TRUTH]
    assert list(found.curves) == names
    page = report.render(found)
    for name in names:
        assert any(line.startswith(name) for line in page.splitlines())
    told = report.verdict(found)
    assert "propensity alone reaches" in told
    assert f"{BY_CHANNEL} {100 * found.share_found(BY_CHANNEL):.0f} % (more)" in told
    assert found.true_effect == pytest.approx(one.true_uplift.mean())
    assert abs(found.z) < 4
    frame = report.as_frame(found)
    assert len(frame) == len(names) * len(SHARES)
    figure = uplift(frame, found.first, told)
    assert [len(axes.lines) for axes in figure.axes] == [5, 5]
    assert "where 30 % are contacted" in figure.get_label()
