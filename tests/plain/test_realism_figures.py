"""Figures of shops: what they find in CDNOW is the target, and by hand they say what they mean."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from jobs.proof.realism_figures import order_figures, traffic_figures
from jobs.proof.realism_targets import read_targets


def cdnow_orders() -> pd.DataFrame:
    """The log inside the installed package, which is not imported: it wants older libraries."""
    spec = importlib.util.find_spec("lifetimes")
    assert spec is not None and spec.origin is not None, "install the extra dev"
    path = Path(spec.origin).parent / "datasets" / "CDNOW_master.txt"
    names = ["user_id", "date", "cds", "amount"]
    log = pd.read_csv(path, sep=r"\s+", skiprows=1, names=names)
    days = pd.to_datetime(log["date"].astype(str)) - pd.Timestamp("1970-01-01")
    return log.assign(day=days.dt.days)[["user_id", "day", "amount"]]


def orders(*rows: tuple[int, int, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["user_id", "day", "amount"])


def test_the_targets_are_what_the_same_measurement_finds_in_the_cdnow_log() -> None:
    found = order_figures(cdnow_orders())
    stated = {target.name: target for target in read_targets().figures if target.source == "CDNOW"}
    assert stated.keys() == found.keys()
    for name, target in stated.items():
        # Stated with three digits or more.
        assert target.target == pytest.approx(found[name], rel=0.0045), name


def test_order_figures_by_hand() -> None:
    found = order_figures(
        orders(
            (1, 100, 10.0),
            (2, 100, 20.0),
            (2, 100, 5.0),  # the same day: no gap, no further buying day
            (2, 104, 25.0),
            (3, 90, 0.0),  # given away: an order, but without a logarithm
            (3, 120, 40.0),  # day 30 after the first: month 1
            (3, 149, 100.0),  # day 59: still month 1
            (4, 95, 1.0),
            (4, 155, 9.0),  # day 60: month 2
        )
    )
    assert found["one_time_buyers"] == 1 / 4
    assert found["order_2_after_1"] == 3 / 4
    assert found["order_3_after_2"] == 1 / 3
    assert np.isnan(found["order_5_after_4"])
    assert found["gap_p50"] == np.median([4, 30, 29, 60])
    assert found["same_day_repeats"] == pytest.approx(1 / 9)
    assert found["value_mean"] == pytest.approx(210 / 9) and found["value_median"] == 10
    paid = np.log([10, 20, 5, 25, 40, 100, 1, 9])
    assert found["value_log_sd"] == pytest.approx(paid.std(ddof=1))
    assert found["active_month_1"] == 1 / 4 and found["active_month_2"] == 1 / 4
    assert found["active_month_3"] == 0


def test_top_buyers_are_those_who_spend_most() -> None:
    spent = [901.0, *[1.0] * 99]
    found = order_figures(orders(*((user, user, spent[user]) for user in range(100))))
    assert found["top_1_revenue"] == pytest.approx(0.901)
    assert found["top_10_revenue"] == pytest.approx(0.910)


def year_of_traffic(per_day: np.ndarray) -> pd.DataFrame:
    days = pd.date_range("2024-07-01", periods=len(per_day))
    hours = {"DE": 21, "US": 19}
    frames = [
        pd.DataFrame({"country": name, "day": days, "hour": hour, "sessions": per_day})
        for name, hour in hours.items()
    ]
    frames.append(frames[0].assign(hour=9, sessions=per_day / 2))
    traffic = pd.concat(frames, ignore_index=True)
    sessions = traffic["sessions"]
    return traffic.assign(views=9.0 * sessions, carts=0.5 * sessions, orders=0.1 * sessions)


def test_traffic_figures_see_the_calendar_through_growth() -> None:
    days = pd.date_range("2024-07-01", periods=365)
    per_day = 1000 * np.exp(0.002 * np.arange(365))  # doubles within the year
    per_day *= np.where(days.weekday == 6, 1.3, 1.0)
    per_day *= np.where(np.isin(days.month, (11, 12)), 1.2, 1.0)
    found = traffic_figures(year_of_traffic(per_day))
    mean = (6 + 1.3) / 7
    assert found["weekday_high"] == pytest.approx(1.3 / mean, abs=0.01)
    assert found["weekday_low"] == pytest.approx(1 / mean, abs=0.01)
    assert found["season_months"] == pytest.approx(1.2, abs=0.01)
    assert found["busiest_hour"] in (19, 21)
    assert found["view_share"] == pytest.approx(9 / 9.6)
    assert found["orders_per_session"] == pytest.approx(0.1)
    assert found["orders_per_cart"] == pytest.approx(0.2)


def test_a_peak_in_one_week_is_found() -> None:
    per_day = np.full(365, 1000.0)
    per_day[150:157] = 1600  # 28 November to 4 December
    found = traffic_figures(year_of_traffic(per_day))
    assert found["season_week"] == pytest.approx(1.6)
    assert found["season_months"] == pytest.approx(1 + 0.6 * 7 / 61)


def test_one_country_that_shops_in_the_morning_is_noticed() -> None:
    traffic = year_of_traffic(np.full(365, 1000.0))
    assert traffic_figures(traffic)["busiest_hour"] != 9
    traffic.loc[(traffic["country"] == "DE") & (traffic["hour"] == 9), "sessions"] *= 3
    assert traffic_figures(traffic)["busiest_hour"] == 9
