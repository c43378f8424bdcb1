"""Features at T are a function of what had happened and arrived by T, labels of what came after."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession

from jobs.propensity.purchase_rhythm import fit_rhythm
from tests.feature_reckoning import reckon, unknown_at
from tests.random_log import FIRST_DATE, RandomLog, money, random_log
from tests.snapshot_queries import ACTIVE, KEY, labels, snapshots, snapshots_at

DATES = tuple(FIRST_DATE + timedelta(days=d) for d in (31, 38, 45))
LAST_DATE = FIRST_DATE + timedelta(days=59)
TARGETS = [("purchase", 7), ("churn", 14)]


def with_garbage(log: RandomLog, as_of: date, offset: pd.Timedelta) -> RandomLog:
    """The log with every row unknown at T moved, retyped and multiplied.

    The garbage happens at T + offset or later and arrives before T, so that only the first clock
    can keep it out; a second copy happens before T and arrives after it, for the second clock.
    """
    draw = np.random.default_rng(1)
    midnight = pd.Timestamp(as_of)

    def garbled(rows: pd.DataFrame, date_column: str) -> pd.DataFrame:
        unknown = unknown_at(rows, as_of)
        future = rows[unknown].copy()
        spread = pd.to_timedelta(draw.integers(0, 5, len(future)), unit="h")
        future["ts"] = midnight + offset + spread
        future["ingest_ts"] = midnight - pd.Timedelta(1, "h")
        late = rows[unknown].copy()
        late["ts"] = midnight - pd.Timedelta(3, "h")
        late["ingest_ts"] = midnight + pd.Timedelta(1, "us")
        for copy in (future, late):
            copy[date_column] = copy["ts"].dt.date
        return pd.concat([rows[~unknown], future, late], ignore_index=True)

    events = garbled(log.fact_events, "event_date")
    orders = garbled(log.fact_orders, "order_date")
    moved = unknown_at(events, as_of)
    events.loc[moved, "event_type"] = draw.choice(["view", "add_to_cart"], int(moved.sum()))
    orders.loc[unknown_at(orders, as_of), "amount"] = money(99_999_999)
    return RandomLog(events, orders, log.dim_users.assign(last_active_date=date(2030, 1, 1)))


def differing_cells(left: pd.DataFrame, right: pd.DataFrame) -> int:
    """Cells that differ, a row that only one side has counting with all its cells."""
    both = left.merge(right, on=KEY, how="outer", indicator=True, suffixes=("", "_other"))
    lonely = int((both["_merge"] != "both").sum()) * len(left.columns)
    paired = both[both["_merge"] == "both"]
    features = [c for c in left.columns if c not in KEY]
    unequal = sum(int((paired[c] != paired[f"{c}_other"]).sum()) for c in features)
    return lonely + unequal


@pytest.fixture(scope="module")
def log() -> RandomLog:
    return random_log(seed=5, users=150, days=60)


@pytest.fixture(scope="module")
def long_log() -> RandomLog:
    """Longer than the longest window, with users who left and users who signed up in it."""
    log = random_log(seed=7, users=150, days=110)
    users = log.dim_users.copy()
    position = np.arange(len(users))
    # Of a third the rows of the last hundred days go; a third sign up in the log, before its rows.
    gone = set(users.loc[position % 3 == 0, "user_id"])
    born = {user: FIRST_DATE + timedelta(days=2) for user in users["user_id"][position % 3 == 1]}
    users["signup_date"] = [
        born.get(user, day)
        for user, day in zip(users["user_id"], users["signup_date"], strict=True)
    ]
    kept = []
    for rows in (log.fact_events, log.fact_orders):
        early = rows["ts"] < pd.Timestamp(FIRST_DATE) + pd.Timedelta(12, "D")
        new = rows["user_id"].map(born).map(pd.Timestamp)
        stays = (early | ~rows["user_id"].isin(gone)) & ~(rows["ts"] < new)
        kept.append(rows[stays].reset_index(drop=True))
    return RandomLog(*kept, users)


@pytest.fixture(scope="module")
def truth(spark: SparkSession, log: RandomLog) -> pd.DataFrame:
    return snapshots(spark, log, DATES[0], DATES[-1] + timedelta(days=1))


@pytest.mark.parametrize("as_of", DATES[::2])
def test_garbage_in_the_future_changes_no_cell(
    spark: SparkSession, log: RandomLog, truth: pd.DataFrame, as_of: date
) -> None:
    expected = truth[truth["as_of"] == as_of]
    assert len(expected) > 50
    assert unknown_at(log.fact_events, as_of).sum() > 100
    garbled = with_garbage(log, as_of, offset=pd.Timedelta(0))
    assert differing_cells(expected, snapshots_at(spark, garbled, as_of)) == 0


def test_garbage_a_microsecond_before_is_seen(
    spark: SparkSession, log: RandomLog, truth: pd.DataFrame
) -> None:
    as_of = DATES[0]
    garbled = with_garbage(log, as_of, offset=pd.Timedelta(-1, "us"))
    expected = truth[truth["as_of"] == as_of]
    assert differing_cells(expected, snapshots_at(spark, garbled, as_of)) > 100


def test_late_rows_leave_the_past_as_it_was_written(
    spark: SparkSession, log: RandomLog, truth: pd.DataFrame
) -> None:
    as_of = DATES[1]
    events, orders = log.fact_events, log.fact_orders
    arrived = RandomLog(
        events[events["ingest_ts"] <= pd.Timestamp(as_of)],
        orders[orders["ingest_ts"] <= pd.Timestamp(as_of)],
        log.dim_users,
    )
    late = (events["ts"] < pd.Timestamp(as_of)) & (events["ingest_ts"] > pd.Timestamp(as_of))
    assert late.sum() > 5
    expected = truth[truth["as_of"] == as_of]
    assert differing_cells(expected, snapshots_at(spark, arrived, as_of)) == 0
    # Had the late rows come in time, they would have been seen.
    in_time = events.assign(ingest_ts=events["ingest_ts"].where(~late, events["ts"]))
    punctual = RandomLog(in_time, orders, log.dim_users)
    assert differing_cells(expected, snapshots_at(spark, punctual, as_of)) > late.sum()


def test_one_date_alone_equals_the_range_at_once(
    spark: SparkSession, log: RandomLog, truth: pd.DataFrame
) -> None:
    alone = pd.concat([snapshots_at(spark, log, as_of) for as_of in DATES], ignore_index=True)
    assert sorted(truth["as_of"].unique()) == list(DATES)
    assert differing_cells(truth, alone) == 0


@pytest.mark.parametrize("active_types", [ACTIVE, ("view",)], ids=["all types", "views"])
@pytest.mark.parametrize("population", ["active", "customers"])
def test_features_agree_with_a_second_reckoning(
    spark: SparkSession, long_log: RandomLog, active_types: tuple[str, ...], population: str
) -> None:
    """Every column, counted user by user from the rows known at T."""
    for as_of in (FIRST_DATE + timedelta(days=105), FIRST_DATE + timedelta(days=3)):
        options = {"active_event_types": active_types, "population": population}
        found = snapshots_at(spark, long_log, as_of, **options)
        wanted = reckon(long_log, as_of, active_types, population)
        assert set(found.columns) == set(wanted.columns)
        for column in found:
            one, other = found[column], wanted[column]
            if one.dtype == np.float64:
                np.testing.assert_allclose(one, other.astype(float), 1e-12, 1e-12, err_msg=column)
            else:
                assert one.tolist() == other.tolist(), column


def test_the_second_reckoning_meets_what_is_rare(long_log: RandomLog) -> None:
    """What the features tell apart is among its users."""
    rows = reckon(long_log, FIRST_DATE + timedelta(days=105), ("view",), "customers")
    assert (rows["days_since_last_active"] > 90).any()
    assert (rows["days_since_second_last_active"] == 9999).any()
    assert (rows["active_days_90d"] < rows["active_days_lifetime"]).any()
    assert (rows["orders_lifetime"] > rows["order_days_lifetime"]).any()
    assert (rows["observed_days"] < rows["tenure_days"]).any()
    for name in ("has_open_cart", "is_order_gap_missing"):
        assert set(rows[name]) == {True, False}


@pytest.mark.parametrize(("kind", "horizon_days"), TARGETS)
def test_labels_are_what_came_true_and_nothing_else(
    spark: SparkSession, log: RandomLog, truth: pd.DataFrame, kind: str, horizon_days: int
) -> None:
    found = labels_of(spark, log, truth, kind, horizon_days)
    is_active = kind == "churn"
    rows = log.fact_orders.rename(columns={"order_date": "event_date"})
    rows = pd.concat([rows, log.fact_events]) if is_active else rows
    dates = {user: set(own["event_date"]) for user, own in rows.groupby("user_id")}
    due = truth[truth["as_of"] + timedelta(days=horizon_days - 1) <= LAST_DATE]
    wanted = {}
    for user, as_of in zip(due["user_id"], due["as_of"], strict=True):
        days = (as_of + timedelta(days=ahead) for ahead in range(horizon_days))
        wanted[user, as_of] = int(any(day in dates.get(user, ()) for day in days) != is_active)
    assert found == wanted
    assert 20 < sum(wanted.values()) < len(wanted) - 20


@pytest.mark.parametrize(("kind", "horizon_days"), TARGETS)
def test_garbage_outside_the_horizon_changes_no_label(
    spark: SparkSession, log: RandomLog, truth: pd.DataFrame, kind: str, horizon_days: int
) -> None:
    as_of = DATES[1]
    rows = truth[truth["as_of"] == as_of]
    expected = labels_of(spark, log, rows, kind, horizon_days)
    begin, end = (pd.Timestamp(as_of) + pd.Timedelta(n, "D") for n in (0, horizon_days))
    tick = pd.Timedelta(1, "us")
    for moment, is_seen in [
        (begin - tick, False),
        (begin, True),
        (end - tick, True),
        (end, False),
    ]:
        found = labels_of(spark, all_active_at(log, moment), rows, kind, horizon_days)
        assert (found != expected) == is_seen, moment


def all_active_at(log: RandomLog, moment: pd.Timestamp) -> RandomLog:
    """The log with an event and an order of every user at one moment."""
    users = log.dim_users["user_id"]
    added = []
    for rows, date_column in ((log.fact_events, "event_date"), (log.fact_orders, "order_date")):
        more = rows.iloc[[0] * len(users)].assign(user_id=users.to_numpy(), ts=moment)
        more[date_column] = moment.date()
        added.append(pd.concat([rows, more], ignore_index=True))
    return RandomLog(*added, log.dim_users)


def labels_of(
    spark: SparkSession, log: RandomLog, rows: pd.DataFrame, kind: str, horizon_days: int
) -> dict[tuple[int, date], int]:
    """Labels of given snapshots from a log."""
    spark.createDataFrame(rows[KEY]).createOrReplaceTempView("user_snapshots")
    found = labels(spark, log, kind, horizon_days, LAST_DATE).toPandas()
    return dict(
        zip(zip(found["user_id"], found["as_of"], strict=True), found["label"], strict=True)
    )


def test_the_rhythm_of_customers_does_not_see_garbage_either(
    spark: SparkSession, long_log: RandomLog
) -> None:
    as_of = FIRST_DATE + timedelta(days=80)

    def fitted(log: RandomLog) -> tuple[float, ...]:
        orders = log.frame(spark, "fact_orders")
        model = fit_rhythm(orders, f"TIMESTAMP'{as_of}'", as_of).model
        return model.r, model.alpha, model.a, model.b

    wanted = fitted(long_log)
    assert fitted(with_garbage(long_log, as_of, pd.Timedelta(0))) == wanted
    assert fitted(with_garbage(long_log, as_of, pd.Timedelta(-1, "us"))) != wanted
