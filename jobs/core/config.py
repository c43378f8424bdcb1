"""Settings: conf/base.yaml is complete, an overlay file holds only what differs."""

from __future__ import annotations

import itertools
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

import pydantic
import yaml
from pydantic import AfterValidator, Field
from pydantic.dataclasses import dataclass as validated

from jobs.core.errors import UsageError
from jobs.core.queries import Value
from jobs.core.validation import checked

PROJECT_ROOT = Path(__file__).resolve().parents[2]
BASE_FILE = PROJECT_ROOT / "conf" / "base.yaml"

# Sections whose keys are names chosen by the user, so an overlay may add to them.
OPEN_SECTIONS = ("scales",)


Positive = Annotated[int, Field(gt=0)]
NotNegative = Annotated[int, Field(ge=0)]


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("no such time zone; a name like Europe/Berlin is wanted")
    return name


def _rising(numbers: tuple[int, ...]) -> tuple[int, ...]:
    if any(first >= second for first, second in itertools.pairwise(numbers)):
        raise ValueError("each number must be above the one before")
    return numbers


@validated(frozen=True, config=pydantic.ConfigDict(extra="forbid"))
class MetricSettings:
    """Parameters of the silver and gold queries; each is a `${name}` in the SQL."""

    tz: Annotated[str, AfterValidator(_known_zone)]
    earliest_date: date
    max_clock_ahead_hours: NotNegative
    event_types: tuple[str, ...]
    active_event_types: tuple[str, ...]
    session_gap_minutes: Positive
    max_events_per_user_day: Positive
    funnel_step_1: str
    funnel_step_2: str
    funnel_step_3: str
    funnel_window_days: Positive
    funnel_order: Literal["ordered", "strict", "any_order"]
    funnel_entry: Literal["first_entry", "best_chain"]
    funnel_unit: Literal["user", "session", "attempt"]
    funnel_window_from: Literal["first_step", "previous_step"]
    funnel_edge: Literal["inclusive", "exclusive"]
    funnel_ties: Literal["step_order", "strict_increase"]
    funnel_range: Literal["day", "period"]
    retention_cohort_date: Literal["signup_date", "first_active_date"]
    retention_max_days: NotNegative
    retention_max_weeks: NotNegative
    retention_max_months: NotNegative
    ltv_horizon_days: Annotated[
        tuple[NotNegative, ...], Field(min_length=1), AfterValidator(_rising)
    ]
    rfm_lookback_days: Positive
    sketch_lg_k: Annotated[int, Field(ge=4, le=21)]

    @pydantic.model_validator(mode="after")
    def _every_type_is_accepted(self) -> MetricSettings:
        # Silver turns away events of other types, so these would be zeros without a word.
        steps = [f"funnel_step_{number}" for number in (1, 2, 3)]
        named = {name: (getattr(self, name),) for name in steps}
        for name, types in (named | {"active_event_types": self.active_event_types}).items():
            if unknown := [each for each in types if each not in self.event_types]:
                accepted = ", ".join(self.event_types)
                raise ValueError(
                    f"{name}: {unknown[0]} is not among the event_types ({accepted}): name one of "
                    "these, or add it to them"
                )
        if len({getattr(self, name) for name in steps}) < len(steps):
            raise ValueError(f"{', '.join(steps)}: each must be another event type")
        return self

    @pydantic.model_validator(mode="after")
    def _funnel_is_defined(self) -> MetricSettings:
        if self.funnel_order == "any_order" and self.funnel_window_from == "previous_step":
            raise ValueError("funnel_order any_order has no previous step to count a window from")
        if self.funnel_unit == "attempt" and self.funnel_entry == "best_chain":
            raise ValueError("funnel_unit attempt needs funnel_entry first_entry: none is chosen")
        if self.funnel_unit != "user" and self.funnel_range == "period":
            raise ValueError("funnel_range period is for funnel_unit user only")
        return self

    def parameters(self) -> dict[str, Value]:
        """Every `${name}` that the queries take from the settings, those that follow included."""
        return asdict(self) | {
            "retention_reach_days": self.retention_reach_days,
            "ltv_reach_days": self.ltv_reach_days,
        }

    @property
    def retention_reach_days(self) -> int:
        """Dates from the first one of a cohort to the end of its last period, at most."""
        return max(
            # A period of 24 hours ends a date later, or two where clocks go forward.
            self.retention_max_days + 2,
            30,  # the last bracket
            7 * self.retention_max_weeks + 12,
            31 * self.retention_max_months + 30,
        )

    @property
    def ltv_reach_days(self) -> int:
        """Dates from the first one of a cohort to the end of its last horizon, at most."""
        return max(self.ltv_horizon_days) + 30

    @property
    def funnel_days_ahead(self) -> int | None:
        """Dates after its own that an entry reads; None if an entry depends on earlier dates."""
        if self.funnel_unit == "attempt" or self.funnel_range == "period":
            return None
        windows = 2 if self.funnel_window_from == "previous_step" else 1
        # One more: where the clocks go forward, the window ends on the date after.
        return windows * self.funnel_window_days + 1


@validated(frozen=True, config=pydantic.ConfigDict(extra="forbid"))
class Scale:
    """A synthetic shop: users expected over warm-up and shown days, days shown, dirty or clean."""

    users: Positive
    days: Positive
    dirt: bool = False


@validated(frozen=True, config=pydantic.ConfigDict(extra="forbid"))
class GenerateSettings:
    """How the rows of a synthetic shop are written; the rows themselves do not depend on it."""

    writer: Literal["files", "spark"]
    rows_per_file: Positive


@dataclass(frozen=True)
class Config:
    """All settings of a run; `shop` and `propensity` are validated by their own packages."""

    seed: int
    generate: GenerateSettings
    shop: dict[str, Any]
    scales: dict[str, Scale]
    metrics: MetricSettings
    propensity: dict[str, Any]
    # The file to look into where a setting is refused.
    source: Path = BASE_FILE


def load_config(overlay: Path | None = None, base: Path = BASE_FILE) -> Config:
    """Read the settings of a run.

    Parameters
    ----------
    overlay
        YAML file holding only the values that differ from conf/base.yaml.
    base
        The complete settings.

    Raises
    ------
    UsageError
        A file cannot be read, or names a setting that conf/base.yaml does not have.
    """
    raw = _read_yaml(base)
    if overlay is not None:
        raw = _merge(raw, _read_yaml(overlay), overlay)
    source = overlay or base
    try:
        return Config(
            seed=_whole("seed", raw["seed"]),
            generate=checked(GenerateSettings, raw["generate"], "generate", source),
            shop=raw["shop"],
            scales={
                name: checked(Scale, size, f"scales.{name}", source)
                for name, size in raw["scales"].items()
            },
            metrics=checked(MetricSettings, raw["metrics"], "metrics", source),
            propensity=raw["propensity"],
            source=source,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{source}: bad or missing setting ({error})") from error


def _whole(name: str, value: object) -> int:
    # True is an int to Python, and int() would cut 1.7 to 1 without a word.
    if type(value) is not int:
        raise ValueError(f"{name} must be a whole number, not {value!r}")
    return value


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read settings file {path}: {error}") from error
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a day that does not exist
        raise UsageError(f"{path} is not YAML: {str(error).splitlines()[0]}") from error
    if not isinstance(content, dict):
        raise UsageError(f"{path}: expected a mapping of settings")
    return content


# What a shop may do without: null takes it out.
OPTIONAL_SECTIONS = {"shop.incidents.campaign", "shop.incidents.price_test"}


def _merge(base: dict[str, Any], overlay: dict[str, Any], source: Path, at: str = "") -> Any:
    """Overlay onto base, refusing keys that base does not know: a typo must not pass silently."""
    merged = dict(base)
    for key, value in overlay.items():
        name = f"{at}{key}"
        if key not in base and at.rstrip(".") not in OPEN_SECTIONS:
            raise UsageError(f"{source}: unknown setting {name}")
        known = base.get(key)
        if isinstance(known, dict) and not (value is None and name in OPTIONAL_SECTIONS):
            if not isinstance(value, dict):
                raise UsageError(f"{source}: {name} must be a mapping")
            merged[key] = _merge(known, value, source, f"{name}.")
        else:
            merged[key] = value
    return merged
