"""Bots of a dirty shop: as many as set, on accounts of others, and plainly no humans."""

from __future__ import annotations

import numpy as np
import pytest

from jobs.shop.dirt.bots import expected_bots
from jobs.shop.users import generate_users
from jobs.shop.world import World
from tests.dirty_shops import WAVE, Twins, labelled, make_twins
from tests.shop_worlds import MICROS_PER_DAY


@pytest.fixture(scope="module")
def twins() -> Twins:
    bots = {"per_1000_users": 2, "views": [600, 3000], "pause_seconds": [1, 4]}
    return make_twins(users=6000, bots=bots)


def visits(twins: Twins) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """User, day and number of views of each bot."""
    labels = twins.dirty.labels
    chosen = labelled(twins.dirty, "bronze_events", "bot")
    pairs = np.stack([labels.user_id[chosen], labels.ts[chosen] // MICROS_PER_DAY])
    (user, day), views = np.unique(pairs, axis=1, return_counts=True)
    return user, day - twins.world.first_epoch_day, views


def kept_away(world: World, twins: Twins) -> np.ndarray:
    """Share of the accounts whose owner visits, per day: there a bot does not act."""
    events = twins.clean.events
    pairs = np.unique(np.stack([events.user_id, events.ts // MICROS_PER_DAY]), axis=1)
    visitors = np.bincount(pairs[1] - world.first_epoch_day, minlength=len(world.activity))
    newcomers = np.diff(world.first_user)  # they all visit, and no bot knows their account yet
    return (visitors - newcomers) / np.maximum(world.first_user[:-1], 1)


def test_as_many_bots_as_set_and_more_in_the_wave(twins: Twins) -> None:
    world = twins.world
    _, day, _ = visits(twins)
    expected = expected_bots(world, 0, len(world.activity)) * (1 - kept_away(world, twins))
    in_wave = np.zeros(len(expected), dtype=bool)
    start = (WAVE - world.warmup_start).days
    in_wave[start : start + 3] = True
    found = np.bincount(day, minlength=len(expected))
    for chosen in (in_wave, ~in_wave):
        assert expected[chosen].sum() > 50
        # Rounded counts and absent owners vary less than a Poisson law; two bots of one day that
        # pick one account are one, which takes less than one in a hundred.
        assert abs(found[chosen].sum() - expected[chosen].sum()) < 4 * np.sqrt(
            expected[chosen].sum()
        )
    assert found[in_wave].mean() > 4 * found[~in_wave].mean()


def test_a_bot_looks_at_hundreds_of_pages_seconds_apart(twins: Twins) -> None:
    _, _, views = visits(twins)
    assert 600 <= views.min() < 800 and 2800 < views.max() <= 3000
    events = twins.dirty.events
    chosen = np.isin(
        events.event_id,
        twins.dirty.labels.row_id[labelled(twins.dirty, "bronze_events", "bot")],
    )
    order = np.lexsort([events.ts[chosen], events.user_id[chosen]])
    ts, user = events.ts[chosen][order], events.user_id[chosen][order]
    day = ts // MICROS_PER_DAY
    pause = np.diff(ts)[(user[1:] == user[:-1]) & (day[1:] == day[:-1])] / 1e6
    assert 1 <= pause.min() < 1.01 and 3.99 < pause.max() <= 4.0
    assert (events.event_type[chosen] == 0).all() and np.isnan(events.value[chosen]).all()
    assert (events.ingest_ts[chosen] > events.ts[chosen]).all()


def test_a_day_of_a_user_is_a_humans_or_a_bots(twins: Twins) -> None:
    world, clean = twins.world, twins.clean.events
    user, day, _ = visits(twins)
    human = clean.user_id << 12 | (clean.ts // MICROS_PER_DAY - world.first_epoch_day)
    assert not np.isin(user << 12 | day, human).any()
    people = generate_users(world, 0, world.user_count)
    order = np.argsort(people.user_id)
    number = order[np.searchsorted(people.user_id[order], user)]
    assert (people.user_id[number] == user).all()
    assert (people.signup_day[number] < day).all()
    ids = twins.dirty.labels.row_id[labelled(twins.dirty, "bronze_events", "bot")]
    assert len(np.unique(ids)) == len(ids) and not np.isin(ids, clean.event_id).any()
