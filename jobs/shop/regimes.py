"""Regimes: stretches of days on which the chances of everybody stay the same.

Incidents change conversion, checkout and prices from one day to the next, for all users or for one
arm of an experiment. Days on which all of this is equal share a regime, so the tables of chances
are made once per regime, and the expectation of a day needs nothing but its number.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from jobs.shop.hashing import Float64Array, IntArray
from jobs.shop.incident_settings import IncidentSettings

# An arm counts both experiments: contacted by the campaign adds 1, other prices add 2.
CONTACTED, OTHER_PRICE, ARMS = 1, 2, 4


@dataclass(frozen=True, eq=False)
class Regimes:
    """The regimes of a world's days.

    Attributes
    ----------
    of_day : int array, shape (days,)
        Number of the regime each day is in.
    conversion : array, shape (regimes, ARMS, channels)
        Factor on the chances to order or fill a cart.
    completed : array, shape (regimes,)
        Share of the orders that go through the checkout.
    log_amount : array, shape (regimes, ARMS)
        Logarithm of the factor on order values.
    """

    of_day: IntArray
    conversion: Float64Array
    completed: Float64Array
    log_amount: Float64Array

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.completed)


def regimes(
    incidents: IncidentSettings, channels: tuple[str, ...], first: date, days: int
) -> Regimes:
    """Group days by what the incidents do to everybody's chances.

    Parameters
    ----------
    incidents : IncidentSettings
    channels : tuple of str
        In the order of the settings.
    first : date
        Day 0.
    days : int

    Returns
    -------
    Regimes
    """
    found: dict[tuple[bool | float, ...], int] = {}
    tables: list[tuple[Float64Array, float, Float64Array]] = []
    of_day = np.empty(days, dtype=np.int64)
    for day in range(days):
        when = first + timedelta(days=day)
        key = _situation(incidents, when)
        if key not in found:
            found[key] = len(tables)
            tables.append(_tables(incidents, channels, when))
        of_day[day] = found[key]
    conversion, completed, log_amount = zip(*tables, strict=True)
    return Regimes(of_day, np.array(conversion), np.array(completed), np.array(log_amount))


def visit_drift(incidents: IncidentSettings, first: date, days: int) -> Float64Array:
    """Factor of the drifts on the visits of each day, shape (days,)."""
    when = [first + timedelta(days=day) for day in range(days)]
    factors = np.ones(days)
    for drift in incidents.drifts:
        factors[[day >= drift.first for day in when]] *= drift.visits
    return factors


def _situation(incidents: IncidentSettings, when: date) -> tuple[bool | float, ...]:
    """All that distinguishes the chances of one day from those of another."""
    campaign, price_test = incidents.campaign, incidents.price_test
    return (
        campaign is not None and campaign.covers(when),
        price_test is not None and price_test.covers(when),
        _completed(incidents, when),
        *(when >= drift.first for drift in incidents.drifts),
    )


def _tables(
    incidents: IncidentSettings, channels: tuple[str, ...], when: date
) -> tuple[Float64Array, float, Float64Array]:
    conversion = np.ones((ARMS, len(channels)))
    log_amount = np.zeros(ARMS)
    for drift in incidents.drifts:
        if when >= drift.first:
            conversion *= drift.conversion
            log_amount += np.log(drift.amount)
    campaign, price_test = incidents.campaign, incidents.price_test
    if campaign is not None and campaign.covers(when):
        conversion[has(CONTACTED)] *= [campaign.conversion[name] for name in channels]
    if price_test is not None and price_test.covers(when):
        conversion[has(OTHER_PRICE)] *= price_test.conversion
        log_amount[has(OTHER_PRICE)] += np.log(price_test.price)
    return conversion, _completed(incidents, when), log_amount


def has(treatment: int) -> NDArray[np.bool_]:
    """Which of the arms have a treatment, shape (ARMS,)."""
    return (np.arange(ARMS) & treatment) > 0


def _completed(incidents: IncidentSettings, when: date) -> float:
    """Share of the orders that go through; of overlapping outages the worst counts."""
    return min((o.completed for o in incidents.checkout_outages if o.covers(when)), default=1.0)
