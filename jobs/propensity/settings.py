"""Settings of the propensity model: the section `propensity` of conf/base.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pydantic
from pydantic.dataclasses import dataclass as validated

from jobs.core.config import BASE_FILE, Config
from jobs.core.validation import checked

# The horizon is part of what the target means, so it is in its name and no setting.
TARGET = "purchase_7d"
HORIZON_DAYS = 7
# The longest window of the features; a snapshot needs so much log before it.
WINDOW_DAYS = 30

_STRICT = pydantic.ConfigDict(extra="forbid")
Count = Annotated[int, pydantic.Field(ge=1)]
Share = Annotated[float, pydantic.Field(gt=0, lt=1)]


@validated(frozen=True, config=_STRICT)
class BoostingSettings:
    """Settings of the boosted trees (MLlib's GBTClassifier)."""

    trees: Count
    max_depth: Annotated[int, pydantic.Field(ge=1, le=10)]
    step_size: Annotated[float, pydantic.Field(gt=0, le=1)]
    min_instances_per_node: Count
    max_bins: Annotated[int, pydantic.Field(ge=2)]
    subsampling_rate: Annotated[float, pydantic.Field(gt=0, le=1)]
    partitions: Count
    seed: int

    def min_instances_for(self, rows: int) -> int:
        """Rows a leaf needs at least: the setting, but never more than 1/200 of the training rows.

        Small data would otherwise get no split at all.
        """
        return max(1, min(self.min_instances_per_node, rows // 200))


@validated(frozen=True, config=_STRICT)
class PropensitySettings:
    """Snapshot dates, time split, model and decision."""

    population_days: Count
    snapshot_stride_days: Annotated[int, pydantic.Field(ge=HORIZON_DAYS)]
    max_snapshots: Annotated[int, pydantic.Field(ge=3)]
    calibrate_share: Share
    test_share: Share
    capacity_share: Share
    boosting: BoostingSettings


def read_settings(section: dict[str, Any], source: Path = BASE_FILE) -> PropensitySettings:
    """Check the section `propensity` of the configuration.

    Parameters
    ----------
    section
        As read from YAML.
    source
        The settings file to name where a key is refused.

    Raises
    ------
    UsageError
        One line naming the file and the first key that is missing, unknown or out of range.
    """
    return checked(PropensitySettings, section, "propensity", source)


def settings_of(config: Config) -> PropensitySettings:
    """Settings of the model that a run asks for; see `read_settings` for the error."""
    return read_settings(config.propensity, config.source)
