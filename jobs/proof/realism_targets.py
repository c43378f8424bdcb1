"""What real shops look like: the targets, tolerances and sources of conf/realism.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
import yaml
from pydantic import Field, TypeAdapter, model_validator
from pydantic.dataclasses import dataclass as validated

from jobs.core.config import PROJECT_ROOT
from jobs.core.errors import UsageError
from jobs.core.validation import first_problem

TARGETS_FILE = PROJECT_ROOT / "conf" / "realism.yaml"

_STRICT = pydantic.ConfigDict(extra="forbid")
Text = Annotated[str, Field(min_length=1)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Unit = Literal["share", "days", "money", "factor", "hour"]


@validated(frozen=True, config=_STRICT)
class SampleSettings:
    """Users who sign up in the two shops that are sampled."""

    cohort_users: Annotated[int, Field(gt=0)]
    traffic_users: Annotated[int, Field(gt=0)]


@validated(frozen=True, config=_STRICT)
class KnownMiss:
    """Why the process does not reach a figure, and the bounds within which it misses it."""

    low: Number
    high: Number
    why: Text

    @model_validator(mode="after")
    def _has_room(self) -> KnownMiss:
        if self.low >= self.high:
            raise ValueError("low must be below high")
        return self


@validated(frozen=True, config=_STRICT)
class Target:
    """One figure of real shops; `name` as in realism_figures, `tolerance` to both sides."""

    name: Text
    label: Text
    group: Text
    unit: Unit
    target: Number
    tolerance: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    reason: Text
    source: Text
    known_miss: KnownMiss | None = None


@validated(frozen=True, config=_STRICT)
class RealismSettings:
    """The whole of conf/realism.yaml."""

    sample: SampleSettings
    sources: dict[str, Text]
    reasons: dict[str, Text]
    figures: Annotated[tuple[Target, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _names_are_known(self) -> RealismSettings:
        names = [figure.name for figure in self.figures]
        if len(set(names)) < len(names):
            raise ValueError("a figure is named twice")
        for figure in self.figures:
            if figure.source not in self.sources or figure.reason not in self.reasons:
                raise ValueError(f"{figure.name} names an unknown source or reason")
        return self


def read_targets(path: Path = TARGETS_FILE) -> RealismSettings:
    """Read and check the targets.

    Raises
    ------
    UsageError
        The file cannot be read, or says something it should not.
    """
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        return TypeAdapter(RealismSettings).validate_python(content)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}") from error
    except yaml.YAMLError as error:
        raise UsageError(f"{path} is not YAML: {str(error).splitlines()[0]}") from error
    except pydantic.ValidationError as error:
        raise UsageError(f"{path}: {first_problem(error)}") from error
