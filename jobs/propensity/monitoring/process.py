"""A shop small enough to draw a thousand of its days in seconds; only `selftest` uses it.

Days differ by weekday and by more than Poisson chance, features have sentinels, flags, names, heavy
values and long tails as user_snapshots has, and each probability is exactly right, so that what the
checks say of a day can be held against what is so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import expit

from jobs.propensity.monitoring.drift import MISSING
from jobs.propensity.monitoring.outcomes import Scored

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

AS_OF = date(2024, 6, 1)
USERS, REFERENCE_USERS = 3_000, 9_000
THRESHOLD = 0.12
COUNTRIES = ("DE", "FR", "GB", "US", "NL", "unknown")
_SHARES = (0.35, 0.25, 0.2, 0.12, 0.075, 0.005)
_CHANNELS, _CHANNEL_SHARES = ("ads", "direct", "seo", "social"), (0.3, 0.25, 0.3, 0.15)
_DAY = {"events": 20_000.0, "orders": 400.0, "users": 4_000.0}
_WEEKDAYS = np.array([1.0, 1.02, 0.98, 1.0, 1.1, 1.2, 1.15])
# Standard deviation of what a day has beyond its weekday, as a share.
_DAY_SD = 0.04
_SILENCE_SECONDS = 30.0
_REJECTED = 0.003


@dataclass(frozen=True)
class Change:
    """What is planted into days; without arguments nothing is.

    Parameters
    ----------
    moved
        Share of all users who are of FR instead of DE.
    unknown
        Share of all users whose country is lost.
    arrived
        Share of a day's events that come.
    bought
        Factor on orders, and on the chance to buy of each user.
    """

    moved: float = 0.0
    unknown: float = 0.0
    arrived: float = 1.0
    bought: float = 1.0


NOTHING = Change()


def users(draw: np.random.Generator, count: int, change: Change = NOTHING) -> pd.DataFrame:
    """Draw features of users, their margin and probability, as of one date."""
    shares = np.array(_SHARES) + change.moved * np.array([-1, 1, 0, 0, 0, 0])
    country = np.array(COUNTRIES, object)[draw.choice(len(COUNTRIES), count, p=shares)]
    country[draw.random(count) < change.unknown] = "unknown"
    rate = draw.gamma(0.8, 2.5, count)
    ordered = draw.random(count) < 0.4
    frame = pd.DataFrame(
        {
            "country": country,
            "channel": np.array(_CHANNELS, object)[draw.choice(4, count, p=_CHANNEL_SHARES)],
            "active_days_30d": 1 + draw.poisson(rate),
            "views_7d": draw.poisson(draw.gamma(1.0, 3.0, count)),
            "orders_30d": draw.poisson(0.15, count),
            "days_since_last_active": draw.geometric(0.12, count).clip(max=30),
            "days_since_last_order": np.where(ordered, draw.geometric(0.03, count), MISSING),
            "revenue_30d": np.where(ordered, draw.lognormal(3.3, 0.8, count), 0.0),
            "recency_to_active_gap": draw.exponential(1.5, count),
            "has_open_cart": draw.random(count) < 0.03,
        }
    )
    margin = (
        -3.6
        + 0.12 * frame["active_days_30d"]
        + 0.9 * frame["orders_30d"]
        + 1.2 * frame["has_open_cart"]
        - 0.03 * frame["days_since_last_active"]
        + 0.2 * draw.normal(size=count)
    ).to_numpy(np.float64)
    return frame.assign(margin=margin, probability=expit(margin))


def scored(draw: np.random.Generator, probability: Floats, bought: float = 1.0) -> Scored:
    """Draw labels; their chance is the probability times a factor that nobody was told of."""
    label = (draw.random(len(probability)) < bought * probability).astype(np.float64)
    return Scored(probability, probability >= THRESHOLD, label)


def arrivals(
    draw: np.random.Generator, weeks: int, change: Change = NOTHING, changed: int = 0
) -> pd.DataFrame:
    """Draw rows of arrivals_daily, the weeks before a day and the day.

    Parameters
    ----------
    changed
        Number of days, the last among them, that the change is planted into.
    """
    days = 7 * weeks + 1
    level = _WEEKDAYS[np.arange(days) % 7] * np.exp(_DAY_SD * draw.normal(size=days))
    is_changed = np.arange(days) >= days - changed
    factors = {"events": change.arrived, "users": 1.0, "orders": change.bought}
    frame = pd.DataFrame(
        {
            name: draw.poisson(mean * level * np.where(is_changed, factors[name], 1.0))
            for name, mean in _DAY.items()
        }
    )
    judged = frame["events"] + frame["orders"]
    rejected = draw.poisson(_REJECTED * judged * np.exp(0.1 * draw.normal(size=days)))
    first = AS_OF - timedelta(days=days)
    return frame.assign(
        metric_date=[first + timedelta(days=place) for place in range(days)],
        silent_seconds=draw.exponential(_SILENCE_SECONDS, days),
        rejected=rejected,
        judged=judged + rejected,
    )
