"""BG/NBD finds the published parameters of CDNOW, and those that customers were drawn from."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from jobs.core.errors import ContractError
from jobs.propensity.bgnbd import fitting
from jobs.propensity.bgnbd.fitting import Fit, fit
from jobs.propensity.bgnbd.histories import Histories
from jobs.propensity.bgnbd.model import NAMES, BgNbd, likelihood_and_gradient
from tests.bgnbd_customers import simulated
from tests.cdnow import datasets

Floats = NDArray[np.float64]


@pytest.fixture(scope="module")
def cdnow() -> Histories:
    """Customers of the 1/10 sample in weeks, rounded as they were published."""
    table = pd.read_csv(datasets() / "cdnow_customers_summary.csv")
    return Histories.of(table["frequency"], table["recency"], table["T"])


@pytest.fixture(scope="module")
def published(cdnow: Histories) -> Fit:
    return fit(cdnow)


def test_the_published_parameters(published: Fit) -> None:
    found = [round(getattr(published.model, name), 3) for name in NAMES]
    assert found == [0.243, 4.414, 0.793, 2.426]
    assert round(published.log_likelihood, 1) == -9582.4
    assert published.customers == 2_357
    assert published.at_limit == ()


def test_another_unit_of_time_is_another_alpha_and_nothing_else(
    cdnow: Histories, published: Fit
) -> None:
    in_days = fit(Histories(cdnow.repeats, 7 * cdnow.last, 7 * cdnow.age))
    model = published.model
    wanted = BgNbd(model.r, 7 * model.alpha, model.a, model.b)
    for name in NAMES:
        assert getattr(in_days.model, name) == pytest.approx(getattr(wanted, name), rel=1e-5)
    assert in_days.log_errors == pytest.approx(published.log_errors, rel=1e-3)
    # Densities of a time seven times as long, one factor per repeat purchase.
    wanted_likelihood = published.log_likelihood - cdnow.repeats.sum() * np.log(7)
    assert in_days.log_likelihood == pytest.approx(wanted_likelihood, rel=1e-9)


def test_the_order_of_customers_does_not_matter(cdnow: Histories, published: Fit) -> None:
    order = np.random.default_rng(1).permutation(len(cdnow))
    shuffled = Histories(cdnow.repeats[order], cdnow.last[order], cdnow.age[order])
    assert fit(shuffled) == published


def test_every_customer_twice_halves_the_variance(cdnow: Histories, published: Fit) -> None:
    twice = fit(Histories(*(np.tile(v, 2) for v in (cdnow.repeats, cdnow.last, cdnow.age))))
    assert twice.model == published.model
    assert twice.log_likelihood == pytest.approx(2 * published.log_likelihood, rel=1e-12)
    wanted = np.array(published.log_errors) / np.sqrt(2)
    assert twice.log_errors == pytest.approx(wanted, rel=1e-6)


TRUTHS = [
    BgNbd(0.25, 30.0, 0.8, 2.5),
    BgNbd(1.5, 60.0, 2.5, 4.0),
    BgNbd(0.6, 10.0, 0.4, 3.0),
]


@pytest.mark.parametrize("truth", TRUTHS)
def test_drawn_customers_give_their_parameters_back(truth: BgNbd) -> None:
    age = np.random.default_rng(5).uniform(50, 700, 60_000)
    histories, _, _ = simulated(truth, age, 0, seed=6)
    found = fit(histories)
    for name in NAMES:
        low, high = found.interval(name, level=0.999)
        assert low < getattr(truth, name) < high
        assert high < 1.6 * low


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    truth, hits = BgNbd(0.5, 20.0, 0.8, 2.5), 0
    age = np.linspace(50, 400, 2_000)
    for seed in range(50):
        histories, _, _ = simulated(truth, age, 0, seed)
        found = fit(histories)
        intervals = {name: found.interval(name, level=0.9) for name in NAMES}
        hits += sum(low < getattr(truth, name) < high for name, (low, high) in intervals.items())
    # Of 200 intervals of 90 %; those of one fit go together, at worst all four.
    deviation = 4 * np.sqrt(50 * 0.9 * 0.1)
    assert 180 - 2 * deviation < hits < 180 + 2 * deviation


@pytest.mark.parametrize("seed", range(12))
def test_small_logs_are_fitted_however_little_they_say(seed: int) -> None:
    draw = np.random.default_rng(seed)
    truth = BgNbd(*np.exp(draw.normal([-0.5, 3.5, 0, 0.8], 1)))
    age = np.floor(draw.uniform(0, 400, draw.choice([5, 30, 300])))
    histories, _, _ = simulated(truth, np.append(age, 400), 0, seed)
    certain = Histories.of([2], [100], [200])
    columns = zip(
        (histories.repeats, histories.last, histories.age),
        (certain.repeats, certain.last, certain.age),
        strict=True,
    )
    every = Histories(*(np.append(one, other) for one, other in columns))
    found = fit(every)
    # No worse than what the customers were drawn from, where that lies within the limits.
    assert found.log_likelihood >= truth.log_likelihood(every).sum()
    for name in found.at_limit:
        assert found.interval(name) == (0, np.inf)


@pytest.mark.parametrize("logs", [[0.3, 1.0, 0.1, 0.4], [-3, 4, 2, -2], [2, 6, -5, 5]])
def test_the_gradient_is_that_of_the_likelihood(logs: list[float]) -> None:
    # First and last day, the day of the last purchase, and many purchases.
    histories = Histories.of(
        [0, 0, 1, 1, 2, 7, 400], [0, 0, 5, 9, 9, 20, 700], [0, 30, 9, 9, 9, 90, 701]
    )
    _, gradient = likelihood_and_gradient(BgNbd(*np.exp(logs)), histories)
    for row, step in zip(gradient, 1e-5 * np.eye(4), strict=True):
        up = BgNbd(*np.exp(logs + step)).log_likelihood(histories)
        down = BgNbd(*np.exp(logs - step)).log_likelihood(histories)
        np.testing.assert_allclose(row, (up - down) / 2e-5, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("customers", [0, 1, 500])
def test_nobody_who_bought_twice_is_nothing_to_learn_from(customers: int) -> None:
    never = np.zeros(customers)
    with pytest.raises(ContractError, match="none of .* customers bought on a second day"):
        fit(Histories(never, never, np.arange(customers, dtype=float)))


def test_where_nobody_leaves_the_chance_to_leave_runs_to_its_limit() -> None:
    draw = np.random.default_rng(8)
    age = np.full(3_000, 300.0)
    repeats = draw.poisson(draw.gamma(2, 1 / 60, 3_000) * age).astype(float)
    # The last of x times spread evenly over the age.
    last = np.where(repeats > 0, age * draw.random(3_000) ** (1 / np.maximum(repeats, 1)), 0)
    found = fit(Histories(repeats, last, age))
    assert set(found.at_limit) <= {"a", "b"} and found.at_limit
    assert found.interval(found.at_limit[0]) == (0, np.inf)
    low, high = found.interval("r")
    assert low < 2 < high
    chance_to_leave = found.model.a / (found.model.a + found.model.b)
    assert chance_to_leave < 0.01
    assert found.model.alive(Histories.of([0, 3], [0, 250], [300, 300])) == pytest.approx(
        1, abs=0.02
    )


def test_one_customer_is_fitted_and_nothing_is_sure() -> None:
    found = fit(Histories.of([1], [3], [10]))
    assert found.at_limit
    assert found.customers == 1


def test_one_customer_who_buys_every_day_for_years_among_others() -> None:
    age = np.full(2_000, 5_000.0)
    usual, _, _ = simulated(BgNbd(0.5, 200.0, 0.8, 2.5), age, 0, seed=9)
    columns = zip((usual.repeats, usual.last, usual.age), (5_000, 5_000, 5_000), strict=True)
    every = Histories(*(np.append(one, other) for one, other in columns))
    found, without = fit(every), fit(usual)
    assert found.at_limit == ()
    assert found.model.r < without.model.r  # rates differ more
    assert found.log_likelihood < without.log_likelihood


def test_customers_who_buy_without_end_are_fitted() -> None:
    repeats, last, age = [200_000, 150_000, 0, 3], [999, 800, 0, 5], [1_000, 1_000, 50, 60]
    found = fit(Histories.of(repeats, last, age))
    assert np.isfinite(found.log_likelihood)
    everyday = np.arange(100)
    found = fit(Histories.of(everyday, everyday, everyday))
    # One rate for all, so the rates have no spread and nobody leaves.
    assert set(found.at_limit) >= {"r", "a", "b"}
    assert found.model.r / found.model.alpha == pytest.approx(1, rel=1e-3)
    assert found.model.buys_within(Histories.of([50], [50], [50]), 7) == pytest.approx(1, abs=2e-3)


def test_a_search_that_found_no_maximum_is_refused(
    cdnow: Histories, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = fitting.minimize

    def given_up(*args: object, options: dict[str, float], **kwargs: object) -> object:
        return search(*args, options=options | {"maxiter": 3}, **kwargs)

    monkeypatch.setattr(fitting, "minimize", given_up)
    with pytest.raises(ContractError, match="was not fitted: the search ended with a slope"):
        fit(cdnow)
