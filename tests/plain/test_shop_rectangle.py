"""Rectangles of the synthetic shop: any slice alone, and rows that make sense together."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from jobs.core.errors import UsageError
from jobs.shop.behaviour import generate_sessions
from jobs.shop.events import Rectangle, generate_orders, generate_rectangle
from jobs.shop.layout import ADD_TO_CART, PURCHASE, VIEW
from jobs.shop.sessions import CARRIED_ORDER, CART, ORDER
from jobs.shop.users import generate_users
from jobs.shop.world import World
from tests.shop_worlds import MICROS_PER_DAY, columns, rows_by, settings, small_world

HALF_HOUR = 30 * 60 * 1_000_000


@pytest.fixture(scope="module")
def world() -> World:
    return small_world()


@pytest.fixture(scope="module")
def whole(world: World) -> Rectangle:
    return generate_rectangle(world, 0, world.user_count, world.warmup_start, world.until)


@pytest.fixture(scope="module")
def busy() -> tuple[World, Rectangle]:
    """A shop whose users come back again and again on one day."""
    shop = settings(warmup_days=30, behaviour={"mission_sessions": 9, "mission_sessions_cap": 20})
    world = small_world(users=2000, shop=shop)
    return world, generate_rectangle(world, 0, world.user_count, world.warmup_start, world.until)


def together(pieces: list[Rectangle], part: str, key: str) -> dict[str, np.ndarray]:
    arrays = [columns(getattr(piece, part)) for piece in pieces]
    merged = {name: np.concatenate([array[name] for array in arrays]) for name in arrays[0]}
    order = np.argsort(merged[key])
    return {name: values[order] for name, values in merged.items()}


@pytest.mark.parametrize(
    ("user_cuts", "day_cuts"),
    [
        ((0.0, 1.0), tuple(range(71))),  # day by day
        ((0.0, 1.0), (0, 1, 33, 70)),
        ((0.0, 0.0004, 0.3, 0.99, 1.0), (0, 70)),
        ((0.0, 0.5, 0.51, 1.0), (0, 29, 30, 31, 70)),
    ],
)
def test_pieces_equal_the_whole(world: World, whole: Rectangle, user_cuts, day_cuts) -> None:
    users = [round(cut * world.user_count) for cut in user_cuts]
    days = [world.warmup_start + timedelta(days=cut) for cut in day_cuts]
    pieces = [
        generate_rectangle(world, user_from, user_to, day_from, day_to)
        for user_from, user_to in zip(users, users[1:], strict=False)
        for day_from, day_to in zip(days, days[1:], strict=False)
    ]
    for part, key in (("events", "event_id"), ("orders", "order_id")):
        expected = rows_by(getattr(whole, part), key)
        for name, values in together(pieces, part, key).items():
            np.testing.assert_array_equal(values, expected[name], err_msg=f"{part}.{name}")


def test_a_later_end_of_the_world_leaves_the_rows_alone(whole: Rectangle) -> None:
    longer = small_world(until=date(2024, 8, 1))
    users = longer.user_numbers(longer.warmup_start, date(2024, 2, 10))
    again = generate_rectangle(
        longer, users.start, users.stop, longer.warmup_start, date(2024, 2, 10)
    )
    for part in ("events", "orders"):
        for name, values in columns(getattr(again, part)).items():
            np.testing.assert_array_equal(values, columns(getattr(whole, part))[name])


def test_orders_alone_equal_the_orders_of_the_rectangle(busy) -> None:
    world, rectangle = busy
    first, last = world.first_date, world.first_date + timedelta(days=20)
    expected = generate_rectangle(world, 100, 1500, first, last).orders
    for name, values in columns(generate_orders(world, 100, 1500, first, last)).items():
        np.testing.assert_array_equal(values, columns(expected)[name])
    assert len(expected.order_id) > 100


def test_nobody_and_no_day_give_no_rows(world: World) -> None:
    first = world.first_date
    for users, days in (((5, 5), (first, world.until)), ((0, 50), (first, first))):
        rectangle = generate_rectangle(world, *users, *days)
        assert len(rectangle.events.event_id) == len(rectangle.orders.order_id) == 0
    # Whoever signs up last is not there on the first day.
    last = world.user_count - 1
    alone = generate_rectangle(world, last, last + 1, world.warmup_start, first)
    assert len(alone.events.event_id) == 0


def test_another_seed_is_another_shop(whole: Rectangle) -> None:
    other = small_world(seed=43)
    rows = generate_rectangle(other, 0, other.user_count, other.warmup_start, other.until)
    same = np.isin(rows.events.ts, whole.events.ts).mean()
    assert same < 0.001


def test_ids_are_unique_and_hold_what_they_were_made_of(whole: Rectangle, busy) -> None:
    for rectangle in (whole, busy[1]):
        events = rectangle.events
        assert len(np.unique(events.event_id)) == len(events.event_id)
        assert events.event_id.max() < 2**53
        np.testing.assert_array_equal(events.event_id >> 25, events.user_id)
        days = (events.event_id >> 13) & 4095
        np.testing.assert_array_equal(days + 18_262, events.ts // MICROS_PER_DAY)


def test_orders_are_the_purchases(whole: Rectangle) -> None:
    events, orders = whole.events, whole.orders
    purchase = events.event_type == PURCHASE
    np.testing.assert_array_equal(events.event_id[purchase], orders.order_id)
    for name in ("user_id", "ts", "ingest_ts"):
        np.testing.assert_array_equal(getattr(events, name)[purchase], getattr(orders, name))
    np.testing.assert_array_equal(events.value[purchase], orders.amount_cents / 100)
    assert orders.amount_cents.min() > 0
    assert np.isnan(events.value[events.event_type == VIEW]).all()
    assert (events.value[events.event_type == ADD_TO_CART] > 0).all()


def test_sessions_make_sense(busy) -> None:
    events = busy[1].events
    session = events.event_id >> 8
    same = session[1:] == session[:-1]
    step = np.diff(events.ts)
    assert (step[same] > 0).all() and (step[same] < HALF_HOUR).all()
    assert (events.event_type[np.append(True, ~same)] == VIEW).all()
    purchase = np.flatnonzero(events.event_type == PURCHASE)
    assert (~same[purchase[purchase < len(same)]]).all()  # the purchase ends its session
    # A cart bought at once shows the price of its order.
    cart = np.flatnonzero(events.event_type == ADD_TO_CART)
    bought = {s: v for s, v in zip(session[purchase], events.value[purchase], strict=True)}
    pairs = [(events.value[row], bought[session[row]]) for row in cart if session[row] in bought]
    assert len(pairs) > 100 and all(cart_value == paid for cart_value, paid in pairs)


def test_sessions_are_apart_and_never_cross_midnight(busy) -> None:
    events = busy[1].events
    session, day = events.event_id >> 8, events.ts // MICROS_PER_DAY
    starts = np.flatnonzero(np.append(True, session[1:] != session[:-1]))
    ends = np.append(starts[1:], len(session)) - 1
    np.testing.assert_array_equal(day[starts], day[ends])
    same_day = (events.user_id[starts[1:]] == events.user_id[starts[:-1]]) & (
        day[starts[1:]] == day[starts[:-1]]
    )
    apart = events.ts[starts[1:]] - events.ts[ends[:-1]]
    assert (apart[same_day] > HALF_HOUR).all()
    assert same_day.sum() > 5000
    # File statistics are kept to the millisecond: the last one of a day stays free.
    assert (events.ts % MICROS_PER_DAY).max() < MICROS_PER_DAY - 2000
    late = (events.ts[ends] % MICROS_PER_DAY) / MICROS_PER_DAY > 0.98
    assert late.mean() < 0.02  # no heap before midnight either


def test_a_day_too_full_is_refused() -> None:
    shop = settings(
        warmup_days=0,
        behaviour={"dormant_sessions": 20_000},
        sessions={"pause_median_seconds": 600},
    )
    world = small_world(users=200, days=2, shop=shop)
    with pytest.raises(UsageError, match="do not fit into 24 hours"):
        generate_rectangle(world, 0, 100, world.first_date, world.until)


def test_nothing_happens_before_signup_or_after_leaving(world: World, whole: Rectangle) -> None:
    users = generate_users(world, 0, world.user_count)
    order = np.argsort(users.user_id)
    row = order[np.searchsorted(users.user_id[order], whole.events.user_id)]
    day = whole.events.ts // MICROS_PER_DAY - world.first_epoch_day
    assert (day >= users.signup_day[row]).all()
    assert (day <= users.last_day[row]).all()
    # Everybody who signs up visits that day.
    assert len(np.unique(row[day == users.signup_day[row]])) == world.user_count


def test_no_order_without_a_cart(world: World) -> None:
    users = generate_users(world, 0, world.user_count)
    sessions = generate_sessions(world, users, 0, world.day(world.until))
    left_open: dict[int, bool] = {}
    carried = 0
    key = sessions.user * 1000 + sessions.day
    for start, end in zip(*_runs(key), strict=True):
        outcomes, user = sessions.outcome[start:end], int(sessions.user[start])
        if (outcomes == CARRIED_ORDER).any():
            carried += 1
            assert left_open.get(user), "an order without a cart left open on an earlier day"
        if (outcomes >= ORDER).any():
            left_open[user] = False
        elif (outcomes == CART).any():
            left_open[user] = True
    assert carried > 50


def test_further_orders_of_a_day_are_rare_but_their_carts_remain() -> None:
    rare, all_stand = (
        small_world(users=20_000, shop=settings(warmup_days=30, behaviour={"repeat_order": share}))
        for share in (0.15, 1.0)
    )
    counts = {}
    for name, world in (("rare", rare), ("all", all_stand)):
        users = generate_users(world, 0, world.user_count)
        sessions = generate_sessions(world, users, 30, 70)
        ordered = sessions.outcome >= ORDER
        buyer_days = len(np.unique((sessions.user * 1000 + sessions.day)[ordered]))
        carts = np.isin(sessions.outcome, (CART, ORDER)).sum()
        counts[name] = (buyer_days, ordered.sum() - buyer_days, carts)
    assert counts["rare"][0] == counts["all"][0]
    assert counts["rare"][2] == counts["all"][2]
    standing = counts["rare"][1] / counts["all"][1]
    error = np.sqrt(0.15 * 0.85 / counts["all"][1])
    assert abs(standing - 0.15) < 4 * error
    assert counts["all"][1] > 150


def _runs(key: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    starts = np.flatnonzero(np.append(True, key[1:] != key[:-1]))
    return starts, np.append(starts[1:], len(key))
