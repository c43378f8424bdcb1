"""Settings of the synthetic shop: the `shop` section of conf/base.yaml, checked.

What each number means and where it comes from stands beside it in conf/base.yaml.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

from pydantic import ConfigDict, Field, model_validator
from pydantic.dataclasses import dataclass

from jobs.core.config import BASE_FILE, Config
from jobs.core.validation import checked
from jobs.shop.dirt_settings import DirtSettings
from jobs.shop.incident_settings import IncidentSettings

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Chance = Annotated[float, Field(ge=0, le=1)]
Share = Annotated[float, Field(gt=0, le=1)]
PerState = Annotated[tuple[Chance, ...], Field(min_length=3, max_length=3)]

_STRICT = ConfigDict(extra="forbid")
_SHARE_TOLERANCE = 1e-9


@dataclass(frozen=True, config=_STRICT)
class Peak:
    """A yearly bump of activity, bell-shaped around a day of the year."""

    day_of_year: Annotated[int, Field(ge=0, le=365)]
    height: Positive
    sd_days: Positive


@dataclass(frozen=True, config=_STRICT)
class CalendarSettings:
    """What lifts or lowers the activity of everybody on a day."""

    weekdays: Annotated[tuple[Positive, ...], Field(min_length=7, max_length=7)]
    season_amplitude: Annotated[float, Field(ge=0, lt=1)]
    season_day_of_year: Annotated[int, Field(ge=0, le=365)]
    peaks: tuple[Peak, ...]


@dataclass(frozen=True, config=_STRICT)
class MixtureSettings:
    """How users differ: a law for each trait, cut into slices at the given quantiles."""

    rate_shape: Positive
    rate_quantiles: tuple[Chance, ...]
    leave_alpha: Positive
    leave_beta: Positive
    leave_quantiles: tuple[Chance, ...]
    conversion_shape: Positive
    conversion_quantiles: tuple[Chance, ...]

    @model_validator(mode="after")
    def _quantiles_cover_everybody(self) -> MixtureSettings:
        for name in ("rate_quantiles", "leave_quantiles", "conversion_quantiles"):
            edges = getattr(self, name)
            rising = all(low < high for low, high in pairwise(edges))
            if len(edges) < 2 or edges[0] != 0 or edges[-1] != 1 or not rising:
                raise ValueError(f"{name} must rise from 0 to 1")
        return self


@dataclass(frozen=True, config=_STRICT)
class BehaviourSettings:
    """Missions, visits and decisions; tuples are per state: dormant, mission, open cart."""

    starts_in_mission: Chance
    mission_start: Chance
    mission_start_cap: Chance
    mission_end: Annotated[float, Field(gt=0, le=1)]
    mission_after_order: Chance
    dormant_sessions: Positive
    mission_sessions: Positive
    mission_sessions_cap: Positive
    sessions_per_day_cap: Annotated[int, Field(ge=1, le=31)]  # five bits of the event_id
    cart_or_order: PerState
    order_share: PerState
    carried_order: Chance
    chance_cap: Annotated[float, Field(gt=0, lt=1)]
    repeat_order: Chance

    @model_validator(mode="after")
    def _actions_fit_into_one_draw(self) -> BehaviourSettings:
        if self.mission_start_cap + self.mission_end > 1:
            raise ValueError("mission_start_cap and mission_end together exceed 1")
        return self


@dataclass(frozen=True, config=_STRICT)
class OrderSettings:
    """What a basket is worth: a lognormal between users and one within a user."""

    log_value: Annotated[float, Field(ge=-10, le=10)]
    log_value_sd_between: Annotated[float, Field(ge=0, le=3)]
    log_value_sd_within: Annotated[float, Field(ge=0, le=3)]
    log_value_per_log_rate: Annotated[float, Field(ge=-1, le=1)]
    log_rate_cap: Annotated[float, Field(ge=0, le=5)]


@dataclass(frozen=True, config=_STRICT)
class SessionSettings:
    """Shape of one session: pages, pauses, hour of the day, delay of its records."""

    views_mean: Annotated[float, Field(gt=1, le=20)]
    pause_median_seconds: Positive
    pause_log_sd: Positive
    # Below the 30 minutes at which a session ends, or sessions would fall apart.
    pause_cap_minutes: Annotated[float, Field(gt=0, le=29)]
    ingest_median_seconds: Positive
    ingest_log_sd: Positive
    hour_weights: Annotated[tuple[Positive, ...], Field(min_length=24, max_length=24)]


@dataclass(frozen=True, config=_STRICT)
class CountrySettings:
    """Share of the signups, clock, effects, and channel shares of one country."""

    share: Share
    utc_offset_hours: Annotated[int, Field(ge=-12, le=14)]
    conversion: Positive
    amount: Positive
    channels: dict[str, Share]


@dataclass(frozen=True, config=_STRICT)
class ChannelSettings:
    """Effects of one acquisition channel."""

    rate: Positive
    conversion: Positive


@dataclass(frozen=True, config=_STRICT)
class ShopSettings:
    """All settings of the synthetic shop."""

    first_date: date
    warmup_days: Annotated[int, Field(ge=0)]
    growth_per_day: Annotated[float, Field(ge=-0.1, le=0.1)]
    calendar: CalendarSettings
    incidents: IncidentSettings
    dirt: DirtSettings
    mixture: MixtureSettings
    behaviour: BehaviourSettings
    orders: OrderSettings
    sessions: SessionSettings
    countries: Annotated[dict[str, CountrySettings], Field(min_length=1)]
    channels: Annotated[dict[str, ChannelSettings], Field(min_length=1)]

    @model_validator(mode="after")
    def _shares_add_up(self) -> ShopSettings:
        if abs(sum(country.share for country in self.countries.values()) - 1) > _SHARE_TOLERANCE:
            raise ValueError("the shares of the countries must add up to 1")
        for name, country in self.countries.items():
            if set(country.channels) != set(self.channels):
                raise ValueError(f"countries.{name}.channels must name every channel once")
            if abs(sum(country.channels.values()) - 1) > _SHARE_TOLERANCE:
                raise ValueError(f"the channel shares of country {name} must add up to 1")
        campaign = self.incidents.campaign
        if campaign is not None and set(campaign.conversion) != set(self.channels):
            raise ValueError("incidents.campaign.conversion must name every channel once")
        # "all" marks the totals in the metric tables.
        if "all" in (*self.countries, *self.channels):
            raise ValueError("no country and no channel may be called 'all'")
        return self


def shop_settings(raw: Mapping[str, Any], source: Path = BASE_FILE) -> ShopSettings:
    """Check the `shop` section of the configuration.

    Parameters
    ----------
    raw : mapping
        As read from YAML.
    source : Path
        The settings file to name where a key is refused.

    Returns
    -------
    ShopSettings

    Raises
    ------
    UsageError
        One line naming the file and the first key that is missing, unknown or out of range.
    """
    return checked(ShopSettings, dict(raw), "shop", source)


def shop_of(config: Config) -> ShopSettings:
    """Settings of the shop that a run asks for; see `shop_settings` for the error."""
    return shop_settings(config.shop, config.source)
