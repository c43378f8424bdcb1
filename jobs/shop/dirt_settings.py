"""Settings of what goes wrong between the shop and its log: `shop.dirt` of conf/base.yaml.

What each number means and where it comes from stands beside it in conf/base.yaml.
"""

from __future__ import annotations

import dataclasses
from itertools import pairwise
from typing import Annotated

from pydantic import ConfigDict, Field, model_validator
from pydantic.dataclasses import dataclass

from jobs.shop.ids import POSITION_BITS, SESSION_BITS

_STRICT = ConfigDict(extra="forbid")
FaultShare = Annotated[float, Field(ge=0, le=0.5)]
Minutes = Annotated[float, Field(gt=0, le=1440)]
Seconds = Annotated[float, Field(gt=0, le=3600)]
Days = Annotated[float, Field(gt=0, le=3650)]
Views = Annotated[int, Field(ge=1, le=1 << (SESSION_BITS + POSITION_BITS))]

# Leaves the start of a bot's visit room within its day.
_LONGEST_VISIT_SECONDS = 80_000


@dataclass(frozen=True, config=_STRICT)
class OrderFaults:
    """Share of the orders with each kind of fault; an order has one at most."""

    duplicate_exact: FaultShare
    duplicate_altered: FaultShare
    late: FaultShare
    clock_ahead: FaultShare
    clock_reset: FaultShare
    clock_skew: FaultShare
    unknown_user: FaultShare

    @model_validator(mode="after")
    def _one_draw_decides(self) -> OrderFaults:
        if sum(dataclasses.asdict(self).values()) > 1:
            raise ValueError("the shares of the faults add up to more than 1")
        return self


@dataclass(frozen=True, config=_STRICT)
class EventFaults(OrderFaults):
    """Share of the events with each kind of fault; an event has one at most."""

    duplicate_burst: FaultShare
    # Of the events that another one of the session follows soon enough.
    out_of_order: FaultShare


@dataclass(frozen=True, config=_STRICT)
class BotSettings:
    """Scripts that look at page after page on somebody's account and never fill a cart."""

    per_1000_users: Annotated[float, Field(ge=0, le=10)]
    views: tuple[Views, Views]
    pause_seconds: tuple[Seconds, Seconds]

    @model_validator(mode="after")
    def _fits_into_a_day(self) -> BotSettings:
        for name, (low, high) in (("views", self.views), ("pause_seconds", self.pause_seconds)):
            if low > high:
                raise ValueError(f"{name}: the first must not exceed the second")
        if self.views[1] * self.pause_seconds[1] > _LONGEST_VISIT_SECONDS:
            raise ValueError("so many views with such pauses do not fit into a day")
        return self


@dataclass(frozen=True, config=_STRICT)
class DirtSettings:
    """Everything that goes wrong on the way from the shop to its log."""

    events: EventFaults
    orders: OrderFaults
    repeat_minutes: Minutes
    burst_sends_max: Annotated[int, Field(ge=2, le=512)]
    altered_share: Annotated[float, Field(gt=0, lt=1)]
    late_hours: tuple[tuple[Annotated[float, Field(ge=0, le=1)], Days], ...]
    # Together with the wait for the successor it must stay below what counts as late.
    out_of_order_minutes: Annotated[float, Field(gt=0, le=4.5)]
    clock_ahead_days: tuple[Days, Days]
    clock_reset_days: Days
    clock_skew_minutes: Annotated[float, Field(gt=0, le=9)]
    null_country: FaultShare
    bots: BotSettings

    @model_validator(mode="after")
    def _laws_are_laws(self) -> DirtSettings:
        chances = [chance for chance, _ in self.late_hours]
        hours = [delay for _, delay in self.late_hours]
        rising = all(low < high for law in (chances, hours) for low, high in pairwise(law))
        if len(chances) < 2 or chances[0] != 0 or chances[-1] != 1 or not rising:
            raise ValueError("late_hours must rise, in share from 0 to 1, and in hours")
        if self.clock_ahead_days[0] > self.clock_ahead_days[1]:
            raise ValueError("clock_ahead_days: the first must not exceed the second")
        return self
