"""The ceiling keeps its word: its chances come true as often as they say, row for row."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray

from jobs.proof import ceiling
from jobs.proof.ceiling import CLAIRVOYANT, ORACLE, foretell
from jobs.propensity.features import Sample
from jobs.propensity.targets import Target
from jobs.shop.behaviour import generate_sessions
from jobs.shop.sessions import ORDER, Sessions
from jobs.shop.users import Users, generate_users
from jobs.shop.world import World
from tests.shop_worlds import eventful_world

Floats = NDArray[np.float64]
OBSERVED_FROM = 20  # the log begins where the warm-up ends
DAYS = (26, 30)
PURCHASE, CHURN = Target("purchase", 7), Target("churn", 14)
TARGETS = [PURCHASE, CHURN]


@dataclasses.dataclass
class Shop:
    world: World
    users: Users
    sessions: Sessions

    def came(self, target: Target, day: int) -> NDArray[np.bool_]:
        """Label of every user at a day."""
        sessions = self.sessions
        ahead = (sessions.day >= day) & (sessions.day < day + target.horizon_days)
        is_order = sessions.outcome >= ORDER
        chosen = ahead & is_order if target.kind == "purchase" else ahead
        happened = np.bincount(sessions.user[chosen], minlength=len(self.users.key)) > 0
        return happened if target.kind == "purchase" else ~happened

    def sample(self, target: Target) -> Sample:
        """Every user known at each day, in order of user and date."""
        rows = [(user, day) for day in DAYS for user in np.flatnonzero(self.known(day))]
        rows.sort(key=lambda row: (self.users.user_id[row[0]], row[1]))
        user, day = np.array(rows).T
        labels = {one: self.came(target, one) for one in DAYS}
        epoch = np.datetime64(self.world.warmup_start, "D")
        return Sample(
            user_id=self.users.user_id[user],
            as_of=epoch + day,
            label=np.array([labels[d][u] for u, d in zip(user, day, strict=True)], float),
            matrix=np.zeros((len(user), 0)),
            segments={},
        )

    def known(self, day: int) -> NDArray[np.bool_]:
        return self.users.signup_day < day


@pytest.fixture(scope="module")
def shop() -> Shop:
    world = eventful_world(12_000, days=26)
    users = generate_users(world, 0, world.user_count)
    return Shop(world, users, generate_sessions(world, users, 0, len(world.activity)))


@pytest.fixture(scope="module", params=TARGETS, ids=lambda target: target.name)
def told(request: pytest.FixtureRequest, shop: Shop) -> tuple[Target, Sample, dict[str, Floats]]:
    target: Target = request.param
    sample = shop.sample(target)
    return target, sample, foretell(shop.world, sample, target, OBSERVED_FROM)


def taken(sample: Sample, rows: NDArray[np.int64]) -> Sample:
    return Sample(
        sample.user_id[rows], sample.as_of[rows], sample.label[rows], sample.matrix[rows], {}
    )


def excess(chance: Floats, label: Floats) -> float:
    """How far the log-loss lies from the entropy, in standard errors of their difference."""
    loss = -np.log(np.where(label == 1, chance, 1 - chance))
    entropy = -(chance * np.log(chance) + (1 - chance) * np.log(1 - chance))
    variance = chance * (1 - chance) * np.log(chance / (1 - chance)) ** 2
    return float((loss - entropy).sum() / np.sqrt(variance.sum()))


def test_chances_come_true_as_often_as_they_say(
    told: tuple[Target, Sample, dict[str, Floats]],
) -> None:
    _, sample, found = told
    assert list(found) == [ORACLE, CLAIRVOYANT]
    for chance in found.values():
        assert len(chance) == len(sample) > 10_000
        assert ((chance > 0) & (chance < 1)).all()
        # One date: rows of a user on two dates are not independent.
        for day in np.unique(sample.as_of):
            at = sample.as_of == day
            spread = np.sqrt((chance[at] * (1 - chance[at])).sum())
            assert abs(sample.label[at].sum() - chance[at].sum()) < 4 * spread
            assert abs(excess(chance[at], sample.label[at])) < 4


def test_chances_that_are_off_would_be_found(
    told: tuple[Target, Sample, dict[str, Floats]],
) -> None:
    """Half as much again in odds, or another row's chance, does not pass for the truth."""
    _, sample, found = told
    chance = found[ORACLE]
    odds = 1.5 * chance / (1 - chance)
    assert abs(excess(odds / (1 + odds), sample.label)) > 4
    mixed = np.random.default_rng(1).permutation(chance)
    assert abs(excess(mixed, sample.label)) > 4


def test_who_knows_more_does_better(told: tuple[Target, Sample, dict[str, Floats]]) -> None:
    _, sample, found = told
    losses = {
        name: -np.log(np.where(sample.label == 1, chance, 1 - chance)).mean()
        for name, chance in found.items()
    }
    share = sample.label.mean()
    knows_nothing = -(share * np.log(share) + (1 - share) * np.log(1 - share))
    assert losses[CLAIRVOYANT] < losses[ORACLE] < knows_nothing


def test_order_and_choice_of_rows_do_not_matter(
    shop: Shop, told: tuple[Target, Sample, dict[str, Floats]], monkeypatch: pytest.MonkeyPatch
) -> None:
    target, sample, found = told
    rows = np.random.default_rng(2).permutation(len(sample))[:3_000]
    assert len(np.unique(sample.user_id[rows])) < len(rows), "some users come twice"
    for size in (ceiling._BLOCK_USERS, 700):
        monkeypatch.setattr(ceiling, "_BLOCK_USERS", size)
        again = foretell(shop.world, taken(sample, rows), target, OBSERVED_FROM)
        for name, chance in again.items():
            np.testing.assert_allclose(chance, found[name][rows], rtol=1e-12, err_msg=name)


def test_what_the_log_does_not_show_is_not_known(shop: Shop) -> None:
    """The oracle of a log that begins later knows less; the clairvoyant does not read it."""
    sample = shop.sample(PURCHASE)
    one, other = (foretell(shop.world, sample, PURCHASE, first) for first in (0, OBSERVED_FROM))
    assert np.mean(one[ORACLE] != other[ORACLE]) > 0.3
    np.testing.assert_array_equal(one[CLAIRVOYANT], other[CLAIRVOYANT])


def test_rows_of_strangers_are_refused(shop: Shop) -> None:
    sample = shop.sample(PURCHASE)
    strange = dataclasses.replace(sample, user_id=sample.user_id + (1 << 40))
    unborn = dataclasses.replace(sample, as_of=sample.as_of - 25)
    for wrong in (strange, unborn):
        with pytest.raises(ValueError, match="not of this world"):
            foretell(shop.world, wrong, PURCHASE, 0)
