"""Faults of the rows of a dirty shop: as set, labelled without a gap, and the same in any slice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from jobs.shop.dirt.arrow import lost_countries
from jobs.shop.dirt.labels import FAULTS
from jobs.shop.dirt.recorded import recorded_orders, recorded_rectangle
from jobs.shop.events import Events, Orders
from jobs.shop.ids import MAX_USERS
from jobs.shop.users import generate_users
from tests.dirty_shops import EVENT_SHARES, ORDER_SHARES, OUTAGE, Twins, labelled, make_twins
from tests.shop_worlds import MICROS_PER_DAY, columns, small_world

SECOND = 1_000_000
MINUTE, HOUR = 60 * SECOND, 3600 * SECOND
ID = {"bronze_events": "event_id", "bronze_orders": "order_id"}


@pytest.fixture(scope="module")
def twins() -> Twins:
    return make_twins()


def rows_of(rectangle: Any, table: str) -> Any:
    return rectangle.events if table == "bronze_events" else rectangle.orders


def in_order(arrays: dict[str, np.ndarray], *keys: str) -> dict[str, np.ndarray]:
    order = np.lexsort([arrays[key] for key in reversed(keys)])
    return {name: values[order] for name, values in arrays.items()}


def arrivals(twins: Twins, table: str, kind: str) -> tuple[np.ndarray, ...]:
    """Of the rows labelled with a kind: true rows, first arrivals and further arrivals.

    The first two have a row per label; the third is a list of arrays, one per label.
    """
    labels, key = twins.dirty.labels, ID[table]
    ids = labels.row_id[labelled(twins.dirty, table, kind)]
    clean, dirty = columns(rows_of(twins.clean, table)), columns(rows_of(twins.dirty, table))
    dirty = in_order(dirty, key, "ingest_ts")
    order = np.argsort(clean[key])
    place = order[np.searchsorted(clean[key][order], ids)]
    first = np.searchsorted(dirty[key], ids)
    end = np.searchsorted(dirty[key], ids, side="right")
    assert len(ids) > 20, kind
    return (
        {name: values[place] for name, values in clean.items()},
        {name: values[first] for name, values in dirty.items()},
        {
            name: [v[a + 1 : b] for a, b in zip(first, end, strict=True)]
            for name, v in dirty.items()
        },
    )


@pytest.mark.parametrize(
    ("user_cuts", "day_cuts"),
    [((0.0, 1.0), tuple(range(0, 71, 5))), ((0.0, 0.0004, 0.3, 1.0), (0, 50, 51, 70))],
)
def test_pieces_equal_the_whole(twins: Twins, user_cuts: Any, day_cuts: Any) -> None:
    world = twins.world
    users = [round(cut * world.user_count) for cut in user_cuts]
    days = [world.warmup_start + timedelta(days=cut) for cut in day_cuts]
    pieces = [
        recorded_rectangle(world, user_from, user_to, day_from, day_to)
        for user_from, user_to in zip(users, users[1:], strict=False)
        for day_from, day_to in zip(days, days[1:], strict=False)
    ]
    keys = {"events": ("event_id", "ingest_ts"), "orders": ("order_id", "ingest_ts")}
    for part, key in {**keys, "labels": ("table", "row_id")}.items():
        parts = [columns(getattr(piece, part)) for piece in pieces]
        merged = {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}
        expected = in_order(columns(getattr(twins.dirty, part)), *key)
        for name, values in in_order(merged, *key).items():
            np.testing.assert_array_equal(values, expected[name], err_msg=f"{part}.{name}")


def test_orders_alone_equal_those_of_the_rectangle(twins: Twins) -> None:
    world = twins.world
    alone = recorded_orders(world, 0, world.user_count, world.warmup_start, world.until)
    for name, values in columns(alone).items():
        np.testing.assert_array_equal(values, columns(twins.dirty.orders)[name])


@pytest.mark.parametrize("table", ["bronze_events", "bronze_orders"])
def test_labels_undo_every_fault(twins: Twins, table: str) -> None:
    labels, key = twins.dirty.labels, ID[table]
    of_table = labelled(twins.dirty, table)
    extra = labels.row_id[labelled(twins.dirty, table, "bot")]
    gone = labels.row_id[labelled(twins.dirty, table, "tracking_outage")]
    delayed = labels.row_id[labelled(twins.dirty, table, "late", "out_of_order")]
    found = in_order(columns(rows_of(twins.dirty, table)), key, "ingest_ts")
    first = np.append(True, found[key][1:] != found[key][:-1])
    keep = first & ~np.isin(found[key], extra)
    found = {name: values[keep] for name, values in found.items()}
    order = np.argsort(labels.row_id[of_table])
    ids = labels.row_id[of_table][order]
    place = np.minimum(np.searchsorted(ids, found[key]), len(ids) - 1)
    has_label = ids[place] == found[key]
    for name in ("user_id", "ts"):
        truth = getattr(labels, name)[of_table][order][place]
        found[name] = np.where(has_label, truth, found[name])
    clean = in_order(columns(rows_of(twins.clean, table)), key)
    there = ~np.isin(clean[key], gone)
    np.testing.assert_array_equal(clean[key][there], found[key])
    prompt = ~np.isin(found[key], delayed)
    for name, values in found.items():
        where = prompt if name == "ingest_ts" else slice(None)
        np.testing.assert_array_equal(clean[name][there][where], values[where], err_msg=name)
    copies = labels.copies[of_table].sum()
    assert len(clean[key]) + copies == len(rows_of(twins.dirty, table).ts)
    assert len(np.unique(ids)) == len(ids)


def test_a_clean_shop_has_no_faults(twins: Twins) -> None:
    world = small_world(users=4000, shop=twins.world.settings)
    assert world.world_id != twins.world.world_id
    whole = recorded_rectangle(world, 0, world.user_count, world.warmup_start, world.until)
    assert len(whole.labels.row_id) == 0
    for part in ("events", "orders"):
        for name, values in columns(getattr(whole, part)).items():
            np.testing.assert_array_equal(values, columns(getattr(twins.clean, part))[name])
    assert not lost_countries(world, np.arange(1000)).any()


@pytest.mark.parametrize("table", ["bronze_events", "bronze_orders"])
def test_shares_are_as_set(twins: Twins, table: str) -> None:
    shares = EVENT_SHARES if table == "bronze_events" else ORDER_SHARES
    rows: Events | Orders = rows_of(twins.clean, table)
    lost = labelled(twins.dirty, table, "tracking_outage").sum()
    for kind in FAULTS:
        could = len(rows.ts) - lost
        if kind == "out_of_order":
            session = twins.clean.events.event_id >> 8
            soon = np.diff(twins.clean.events.ts) <= 4 * MINUTE
            could = ((session[1:] == session[:-1]) & soon).sum() * could / len(rows.ts)
        share = shares.get(kind, 0.0)
        found = labelled(twins.dirty, table, kind).sum()
        assert abs(found - share * could) <= 4 * np.sqrt(could * share * (1 - share)), kind


def test_unknown_countries_are_as_many_as_set(twins: Twins) -> None:
    users = generate_users(twins.world, 0, twins.world.user_count)
    share = lost_countries(twins.world, users.user_id).mean()
    assert abs(share - 0.1) < 4 * np.sqrt(0.1 * 0.9 / twins.world.user_count)


@pytest.mark.parametrize("table", ["bronze_events", "bronze_orders"])
def test_copies_come_later_and_only_altered_ones_differ(twins: Twins, table: str) -> None:
    worth = "value" if table == "bronze_events" else "amount_cents"
    for kind in ("duplicate_exact", "duplicate_burst", "duplicate_altered"):
        if kind == "duplicate_burst" and table == "bronze_orders":
            continue
        true, first, more = arrivals(twins, table, kind)
        for name, values in true.items():
            np.testing.assert_array_equal(values, first[name])
        count = np.array([len(copies) for copies in more["ts"]])
        waits = np.concatenate(more["ingest_ts"]) - np.repeat(first["ingest_ts"], count)
        same = (np.concatenate(more["ts"]) == np.repeat(first["ts"], count)) & (
            (np.concatenate(more[worth]) == np.repeat(first[worth], count))
            | np.isnan(np.repeat(first[worth], count))
        )
        assert (waits > 0).all()
        assert not same.any() if kind == "duplicate_altered" else same.all()
        assert waits.max() <= (SECOND if kind == "duplicate_burst" else HOUR)
        if kind == "duplicate_burst":
            assert count.min() >= 1 and 60 < count.max() <= 77
        else:
            assert (count == 1).all()
            assert (np.concatenate(more["ts"]) < np.concatenate(more["ingest_ts"])).all()


def test_late_rows_follow_the_law_of_the_settings(twins: Twins) -> None:
    true, first, _ = arrivals(twins, "bronze_events", "late")
    hours = (first["ingest_ts"] - true["ts"]) / HOUR
    error = 4 * np.sqrt(0.25 / len(hours))
    for share, until in twins.world.settings.dirt.late_hours:
        assert abs((hours <= until).mean() - share) < error
    np.testing.assert_array_equal(first["ts"], true["ts"])


def test_rows_out_of_order_arrive_after_the_next_but_not_late(twins: Twins) -> None:
    true, first, _ = arrivals(twins, "bronze_events", "out_of_order")
    clean = twins.clean.events
    following = np.searchsorted(np.sort(clean.event_id), true["event_id"]) + 1
    arrived = clean.ingest_ts[np.argsort(clean.event_id)][following]
    assert (first["ingest_ts"] >= arrived + SECOND).all()
    assert (first["ingest_ts"] - true["ts"] < 10 * MINUTE).all()


def test_wrong_clocks_are_wrong_by_as_much_as_set(twins: Twins) -> None:
    for table in ("bronze_events", "bronze_orders"):
        true, first, _ = arrivals(twins, table, "clock_ahead")
        days = (first["ts"] - true["ts"]) / MICROS_PER_DAY
        assert 2 <= days.min() < 5 and 25 < days.max() <= 30
        true, first, _ = arrivals(twins, table, "clock_reset")
        days = first["ts"] / MICROS_PER_DAY
        assert 0 <= days.min() < 5 and 25 < days.max() <= 30
        true, first, _ = arrivals(twins, table, "clock_skew")
        minutes = (first["ts"] - true["ts"]) / MINUTE
        assert 4 < minutes.max() <= 5 and -5 <= minutes.min() < -4 and (minutes != 0).all()
        np.testing.assert_array_equal(first["ts"] // MICROS_PER_DAY, true["ts"] // MICROS_PER_DAY)
        np.testing.assert_array_equal(first["ingest_ts"], true["ingest_ts"])


def test_unknown_users_are_nobody(twins: Twins) -> None:
    for table in ("bronze_events", "bronze_orders"):
        true, first, _ = arrivals(twins, table, "unknown_user")
        assert first["user_id"].min() >= MAX_USERS
        assert (true["user_id"] < MAX_USERS).all()


def test_the_outage_loses_sessions_as_a_whole_and_no_order(twins: Twins) -> None:
    lost = labelled(twins.dirty, "bronze_events", "tracking_outage")
    labels, clean = twins.dirty.labels, twins.clean.events
    first_day = (OUTAGE - twins.world.warmup_start).days + twins.world.first_epoch_day
    on_outage = np.isin(clean.ts // MICROS_PER_DAY, (first_day, first_day + 1))
    sessions = np.unique(clean.event_id[on_outage] >> 8)
    gone = np.unique(labels.row_id[lost] >> 8)
    assert np.isin(gone, sessions).all()
    assert np.isin(clean.event_id >> 8, gone).sum() == lost.sum()
    error = np.sqrt(0.6 * 0.4 / len(sessions))
    assert abs(len(gone) / len(sessions) - 0.6) < 4 * error
    day = twins.clean.orders.ts // MICROS_PER_DAY
    ids = twins.clean.orders.order_id[np.isin(day, (first_day, first_day + 1))]
    assert len(ids) > 20 and np.isin(ids, twins.dirty.orders.order_id).all()
