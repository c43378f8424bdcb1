"""What BG/NBD expects of customers, against integrals, special cases and drawn customers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import beta

from jobs.core.errors import ContractError
from jobs.propensity.bgnbd.histories import Histories
from jobs.propensity.bgnbd.model import NAMES, BgNbd
from tests.bgnbd_customers import simulated

CDNOW = BgNbd(0.243, 4.414, 0.793, 2.426)
# First day, no repeat, one, the last purchase just now and long ago, and a great many.
EDGES = Histories.of(
    [0, 0, 1, 1, 2, 30, 30, 5_000],
    [0, 0, 9, 1, 30.43, 700, 40, 5_000],
    [0, 300, 9, 700, 38.86, 700, 700, 5_000],
)


def test_the_customer_that_the_authors_work_out() -> None:
    # Their note on BG/NBD in a spreadsheet: customer 1 of CDNOW, the 39 weeks to come.
    customer = Histories.of([2], [30.43], [38.86])
    assert CDNOW.purchases_within(customer, 39)[0] == pytest.approx(1.226, abs=5e-4)
    assert CDNOW.alive(customer)[0] == pytest.approx(0.7266, abs=5e-5)


MODELS = [
    CDNOW,
    BgNbd(0.25, 30, 1.0, 2.5),  # 0/0 in the closed form
    BgNbd(0.25, 30, 1 + 1e-9, 2.5),
    BgNbd(0.25, 0.1, 1.0, 2.5),  # and a horizon of a thousand times the typical wait
    BgNbd(0.25, 30, 0.4, 0.6),  # 0/0 without a repeat purchase
    BgNbd(0.25, 30, 1.0011, 2.5),  # just not
    BgNbd(0.25, 30, 0.4, 0.6012),
    BgNbd(0.05, 500, 0.01, 30),
    BgNbd(12, 900, 40, 0.5),
    BgNbd(400, 100_000, 0.003, 300),
    BgNbd(0.003, 0.5, 350, 200),
    BgNbd(0.00919, 0.775, 0.0667, 231),  # the library gives no number for one of the two forms
]


@pytest.mark.parametrize("horizon", [1.0, 7.0, 365.0])
@pytest.mark.parametrize("model", MODELS)
def test_the_closed_form_is_the_mean_over_what_a_customer_may_be(
    model: BgNbd, horizon: float
) -> None:
    found = model.purchases_within(EDGES, horizon)
    alive = model.alive(EDGES)
    for place, (x, age) in enumerate(zip(EDGES.repeats, EDGES.age, strict=True)):
        shape, rate = model.r + x, model.alpha + age

        # Mean of (1 - exp(-rate p H)) / p over the rate; then over p, at its quantiles.
        def given_chance(p: float, shape: float = shape, rate: float = rate) -> float:
            growth = np.log1p(horizon * p / rate)
            return float(-np.expm1(-shape * growth) / p) if p > 1e-300 else shape * horizon / rate

        chances = beta(model.a, model.b + x)
        mean, _ = quad(lambda u, c=chances: given_chance(c.ppf(u)), 0, 1, limit=500, epsrel=1e-9)
        assert found[place] == pytest.approx(alive[place] * mean, rel=1e-6, abs=1e-12)


def test_chance_to_be_alive_in_special_cases() -> None:
    alive = CDNOW.alive(EDGES)
    assert list(alive[:2]) == [1, 1]  # one may leave only after a repeat purchase
    # Without a silence since: the chance not to have left at the last purchase.
    assert alive[2] == pytest.approx(1 - CDNOW.a / (CDNOW.a + CDNOW.b))
    assert alive[5] == pytest.approx(1 - CDNOW.a / (CDNOW.a + CDNOW.b + 29))
    assert alive[6] < 1e-10
    assert np.all((alive >= 0) & (alive <= 1))


def test_longer_silence_lowers_the_chance_to_be_alive_and_more_so_for_frequent_buyers() -> None:
    age = np.linspace(100, 400, 50)
    rare = CDNOW.alive(Histories(np.full(50, 1.0), np.full(50, 90.0), age))
    frequent = CDNOW.alive(Histories(np.full(50, 20.0), np.full(50, 90.0), age))
    assert np.all(np.diff(rare) < 0) and np.all(np.diff(frequent) < 0)
    assert frequent[0] > rare[0] and frequent[-1] < rare[-1]


@pytest.mark.parametrize("model", MODELS)
def test_chances_and_means_of_all_horizons_fit_together(model: BgNbd) -> None:
    horizons = [0.01, 1, 7, 28, 365]
    buys = np.array([model.buys_within(EDGES, horizon) for horizon in horizons])
    purchases = np.array([model.purchases_within(EDGES, horizon) for horizon in horizons])
    assert np.all(np.isfinite(purchases))
    assert np.all(np.diff(buys, axis=0) >= 0) and np.all(np.diff(purchases, axis=0) >= 0)
    assert np.all(buys <= model.alive(EDGES) + 1e-15)
    # A mean is at least the chance of one, and not much more of who buys seldom.
    assert np.all(purchases >= buys * (1 - 1e-6))
    rate = model.alpha + EDGES.age
    seldom = 0.01 * (model.r + EDGES.repeats + 1) / rate < 1e-4
    assert seldom.any()
    at_once = model.alive(EDGES) * 0.01 * (model.r + EDGES.repeats) / rate
    np.testing.assert_allclose(purchases[0][seldom], at_once[seldom], rtol=1e-4)
    np.testing.assert_allclose(buys[0][seldom], at_once[seldom], rtol=1e-4)
    assert np.all(model.buys_within(EDGES, 0) == 0)
    assert np.all(model.purchases_within(EDGES, 0) == 0)


def test_a_horizon_beyond_what_can_be_computed_is_refused() -> None:
    new = Histories.of([0], [0], [0])
    with pytest.raises(ContractError, match="take a shorter one"):
        MODELS[-1].purchases_within(new, 3_650)


def test_a_new_customer_is_one_of_age_0() -> None:
    ages = np.array([0.0, 1.0, 40.0, 1_000.0])
    new = Histories.of([0], [0], [0])
    wanted = [CDNOW.purchases_within(new, age)[0] for age in ages]
    np.testing.assert_allclose(CDNOW.repeats_by_age(ages), wanted, rtol=1e-14)


@pytest.mark.parametrize(
    "model", [BgNbd(0.3, 30, 0.8, 2.5), BgNbd(1.5, 60, 2.5, 4), BgNbd(0.5, 9, 1, 3)]
)
def test_drawn_customers_do_what_is_expected_of_them(model: BgNbd) -> None:
    age = np.random.default_rng(2).uniform(0, 400, 200_000)
    histories, later, was_alive = simulated(model, age, 28, seed=3)
    x, silence = histories.repeats, histories.age - histories.last
    groups = [x == 0, x == 1, (x > 1) & (x < 5), x >= 5, silence < 30, silence > 150, x >= 0]
    expected = {
        "alive": (model.alive(histories), was_alive),
        "buys": (model.buys_within(histories, 28), later > 0),
        "purchases": (model.purchases_within(histories, 28), later),
    }
    for name, (wanted, happened) in expected.items():
        for number, group in enumerate(groups):
            gap = (happened - wanted)[group]
            assert len(gap) > 1_000
            # 63 means in all three models: one beyond 4 deviations has a chance of 1 in 250.
            limit = 4 * gap.std() / np.sqrt(len(gap))
            assert abs(gap.mean()) <= limit, f"{name} in group {number}"
    assert model.repeats_by_age(age).mean() == pytest.approx(x.mean(), rel=0.05)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [0.0, -1.0, np.inf, np.nan])
def test_parameters_are_positive_numbers(name: str, value: float) -> None:
    values = {"r": 1.0, "alpha": 1.0, "a": 1.0, "b": 1.0} | {name: value}
    with pytest.raises(ValueError, match="must be positive"):
        BgNbd(**values)


IMPOSSIBLE = {
    "a repeat at the first purchase": (1, 0, 9),
    "a last purchase without a repeat": (0, 3, 9),
    "a purchase after what was observed": (1, 10, 9),
    "half a purchase": (0.5, 3, 9),
    "fewer than none": (-1, 3, 9),
    "no age": (0, 0, np.nan),
    "an age without end": (0, 0, np.inf),
    "a negative age": (0, 0, -1),
}


@pytest.mark.parametrize("history", IMPOSSIBLE.values(), ids=IMPOSSIBLE.keys())
def test_a_history_that_no_log_can_give_is_refused(history: tuple[float, float, float]) -> None:
    good = [(2, 5, 9), (0, 0, 0)]
    with pytest.raises(ContractError, match="no such history"):
        Histories.of(*zip(*good, history, strict=True))


def test_distinct_histories_stand_for_all() -> None:
    draw = np.random.default_rng(4)
    x = draw.integers(0, 3, 500).astype(float)
    last = np.where(x > 0, draw.integers(1, 4, 500), 0)
    every = Histories.of(x, last, last + draw.integers(0, 3, 500))
    distinct, place, counts = every.distinct()
    for name in ("repeats", "last", "age"):
        np.testing.assert_array_equal(getattr(distinct, name)[place], getattr(every, name))
    rows = np.column_stack([distinct.repeats, distinct.last, distinct.age])
    assert len(np.unique(rows, axis=0)) == len(distinct) < 60
    np.testing.assert_array_equal(counts, np.bincount(place))
    assert len(every) == counts.sum() == 500
