"""Settings of what happens to the shop: `shop.incidents` of conf/base.yaml, each of known effect.

What each number means and where it comes from stands beside it in conf/base.yaml.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

_STRICT = ConfigDict(extra="forbid")
Factor = Annotated[float, Field(gt=0, allow_inf_nan=False)]
PartShare = Annotated[float, Field(gt=0, lt=1)]


@dataclass(frozen=True, config=_STRICT)
class Stretch:
    """Whole UTC days: `first` and the ones after it, `days` in all."""

    first: date
    days: Annotated[int, Field(ge=1, le=4096)]

    @property
    def end(self) -> date:
        """The day after the last one."""
        return self.first + timedelta(days=self.days)

    def covers(self, when: date) -> bool:
        """True on the days of the stretch."""
        return self.first <= when < self.end


@dataclass(frozen=True, config=_STRICT)
class Traffic(Stretch):
    """A factor on everybody's visits and on signups: a promotion above 1, an outage below."""

    visits: Factor


@dataclass(frozen=True, config=_STRICT)
class CheckoutOutage(Stretch):
    """Only this share of the orders goes through; of the others the filled cart is left."""

    completed: Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True, config=_STRICT)
class Campaign(Stretch):
    """A randomised campaign: of those signed up before it, a share is contacted.

    `conversion` is the factor on the chances of the contacted, by acquisition channel.
    """

    treated_share: PartShare
    conversion: dict[str, Factor]


@dataclass(frozen=True, config=_STRICT)
class PriceTest(Stretch):
    """A randomised price test: a share of all users sees other prices and converts otherwise."""

    treated_share: PartShare
    price: Factor
    conversion: Factor


@dataclass(frozen=True, config=_STRICT)
class Drift:
    """From a day on, for good, people behave otherwise; signups do not change."""

    first: date
    visits: Factor
    conversion: Factor
    amount: Factor


@dataclass(frozen=True, config=_STRICT)
class TrackingOutage(Stretch):
    """A share of the sessions leaves no event behind; orders are recorded all the same."""

    lost: Annotated[float, Field(gt=0, le=1)]


@dataclass(frozen=True, config=_STRICT)
class BotWave(Stretch):
    """So many times the usual number of bots."""

    factor: Factor


@dataclass(frozen=True, config=_STRICT)
class IncidentSettings:
    """Everything that happens to the shop; the last two touch only what is recorded."""

    traffic: tuple[Traffic, ...]
    checkout_outages: tuple[CheckoutOutage, ...]
    campaign: Campaign | None
    price_test: PriceTest | None
    drifts: tuple[Drift, ...]
    tracking_outages: tuple[TrackingOutage, ...]
    bot_waves: tuple[BotWave, ...]
