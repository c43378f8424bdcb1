"""The frames of the charts: the right rows of the stored tables, sorted, and nothing invented."""

from __future__ import annotations

import io
from datetime import date, timedelta
from decimal import Decimal

import pandas as pd
import pytest

from jobs.core.progress import Progress
from jobs.reporting import frames
from jobs.reporting.pack import CHARTS, write_pack
from tests.stored_tables import StoredTables

DAY = date(2024, 3, 1)
ALL = {"country": "all", "channel": "all"}


@pytest.fixture
def shop(spark):
    """Stored tables by name; add rows as dictionaries, columns not named are NULL."""
    return StoredTables(spark)


def activity(day, dau, **changes):
    complete = {"is_wau_7_complete": True, "is_mau_28_complete": False}
    row = {"metric_date": day, "dau": dau, "wau_7": 2 * dau, "mau_28": 3 * dau}
    return ALL | row | complete | changes


def cohort(unit, day, period, size, retained, **changes):
    row = {"cohort_unit": unit, "period_unit": unit, "cohort_date": day}
    row |= {"period": period, "cohort_size": size}
    found = {
        "retained": retained,
        "retention_rate": None if retained is None else retained / size,
        "is_complete": retained is not None,
    }
    return ALL | row | found | changes


def entries(day, viewers, carters, buyers, **changes):
    row = {"entry_date": day, "is_mature": True}
    counts = {"mature_viewers": viewers, "mature_carters": carters, "mature_buyers": buyers}
    return ALL | row | counts | changes


def test_active_users_takes_the_whole_shop_in_order_of_days(shop):
    shop.add(
        "active_users_daily",
        activity(DAY + timedelta(days=1), 20),
        activity(DAY, 10, stickiness=0.5),
        activity(DAY, 4, country="DE"),
        activity(DAY, 6, channel="seo"),
    )

    actual = frames.active_users(shop.read)

    assert actual["metric_date"].dt.date.tolist() == [DAY, DAY + timedelta(days=1)]
    assert actual["dau"].tolist() == [10, 20]
    assert actual["mau_28"].tolist() == [30, 60]
    assert actual["stickiness"].isna().tolist() == [False, True]
    assert frames.as_of(shop.read) == date(2024, 3, 2)


def test_as_of_an_empty_table_is_none(shop):
    shop.add("active_users_daily")

    assert frames.as_of(shop.read) is None
    assert frames.active_users(shop.read).empty


def test_revenue_keeps_the_cents(shop):
    day = ALL | {"metric_date": DAY, "orders": 3, "days_observed_7d": 1}
    shop.add("revenue_daily", day | {"revenue": Decimal("90071992547409.93")})

    actual = frames.revenue(shop.read)

    assert actual["revenue"].tolist() == [Decimal("90071992547409.93")]
    assert actual["revenue_7d_mean"].isna().all()


def test_weekly_retention_keeps_unfinished_cells_and_the_newest_cohorts_with_users(shop):
    mondays = [date(2024, 1, 1) + timedelta(weeks=week) for week in range(28)]
    shop.add("retention_cohorts", *[cohort("week", monday, 0, 10, 9) for monday in mondays])
    shop.add(
        "retention_cohorts",
        cohort("week", mondays[-1], 1, 10, None),
        cohort("week", mondays[-1] + timedelta(weeks=1), 0, 0, None),
        cohort("day", mondays[-1], 0, 5, 5),
        cohort("week", mondays[-1], 0, 3, 3, country="DE"),
    )

    actual = frames.retention_weekly(shop.read)

    assert actual["cohort_date"].drop_duplicates().dt.date.tolist() == mondays[2:]
    assert len(actual) == 27
    unfinished = actual.iloc[-1]
    assert unfinished["period"] == 1
    assert unfinished["retained"] is pd.NA and not unfinished["is_complete"]


def test_retention_curve_is_a_ratio_of_sums_over_complete_cohorts(shop):
    shop.add(
        "retention_cohorts",
        cohort("day", DAY, 0, 10, 10),
        cohort("day", DAY, 1, 10, 1),
        cohort("day", DAY + timedelta(days=1), 0, 90, 80),
        cohort("day", DAY + timedelta(days=1), 1, 90, None),
        cohort("week", DAY, 1, 1000, 500),
        cohort("day", DAY, 1, 4, 4, channel="seo"),
    )

    actual = frames.retention_curve(shop.read)

    assert actual["period"].tolist() == [0, 1]
    assert actual["eligible"].tolist() == [100, 10]
    assert actual["retained"].tolist() == [90, 1]
    assert actual["retention_rate"].tolist() == [0.9, 0.1]


def test_funnel_adds_the_newest_28_mature_days(shop):
    shop.add("funnel_daily", *[entries(DAY + timedelta(days=n), 100, 10, 2) for n in range(30)])
    shop.add(
        "funnel_daily",
        entries(DAY + timedelta(days=30), 7, 7, 7, is_mature=False),
        entries(DAY, 50, 5, 1, country="FR"),
    )

    actual = frames.funnel(shop.read)

    assert actual["step"].tolist() == ["view", "add_to_cart", "purchase"]
    assert actual["entries"].tolist() == [2800, 280, 56]
    assert actual["step_rate"].tolist()[1:] == [0.1, 0.2]
    assert actual["step_rate"].isna().tolist() == [True, False, False]
    assert actual["total_rate"].tolist() == [1.0, 0.1, 0.02]
    assert set(actual["first_date"].dt.date) == {DAY + timedelta(days=2)}
    assert set(actual["last_date"].dt.date) == {DAY + timedelta(days=29)}


def test_funnel_without_entries_has_no_rates_and_without_mature_days_no_rows(shop):
    shop.add("funnel_daily", entries(DAY, 0, 0, 0))

    assert frames.funnel(shop.read)[["step_rate", "total_rate"]].isna().all(axis=None)

    shop.rows["funnel_daily"][0]["is_mature"] = False
    assert frames.funnel(shop.read).empty


def test_pack_without_a_model_leaves_its_charts_out_and_says_so(shop, tmp_path):
    shop.add("active_users_daily", activity(DAY, 10))
    day = ALL | {"metric_date": DAY, "orders": 1, "days_observed_7d": 1}
    shop.add("revenue_daily", day | {"revenue": Decimal("12.50")})
    shop.add("retention_cohorts", cohort("week", DAY, 0, 10, 9), cohort("day", DAY, 1, 10, 2))
    shop.add("funnel_daily", entries(DAY, 100, 10, 2))
    (tmp_path / "pr_curve.png").write_bytes(b"of a model that is gone")
    log = io.StringIO()

    paths = write_pack(tmp_path, shop.read, shop.exists, Progress(stream=log))

    drawn = [chart.name for chart in CHARTS if "model_metrics" not in chart.tables]
    assert [path.name for path in paths] == [
        f"{n}.{kind}" for n in drawn for kind in ("png", "csv")
    ]
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    assert (tmp_path / "revenue.csv").read_text() == (
        "metric_date,orders,revenue,revenue_7d_mean,days_observed_7d\n2024-03-01,1,12.50,,1\n"
    )
    assert "left out: there is no table model_registry yet" in log.getvalue()


def test_pack_twice_gives_the_same_bytes(shop, tmp_path):
    for name in {name for chart in CHARTS for name in chart.tables}:
        shop.add(name)
    shop.add("active_users_daily", activity(DAY, 10), activity(DAY + timedelta(days=1), 12))

    first = write_pack(tmp_path / "a", shop.read, shop.exists, Progress(stream=io.StringIO()))
    second = write_pack(tmp_path / "b", shop.read, shop.exists, Progress(stream=io.StringIO()))

    assert len(first) == 2 * len(CHARTS)
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
