"""Settings of the propensity model: the section `propensity` of conf/base.yaml."""

from __future__ import annotations

from typing import Annotated, Any

import pydantic
from pydantic.dataclasses import dataclass as validated

from jobs.core.config import first_problem
from jobs.core.errors import UsageError

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


def read_settings(section: dict[str, Any]) -> PropensitySettings:
    """Check the section `propensity` of the configuration.

    Raises
    ------
    UsageError
        A setting is missing, unknown or out of range.
    """
    try:
        return PropensitySettings(**section)
    except pydantic.ValidationError as error:
        raise UsageError(f"propensity.{first_problem(error)}") from error
    except TypeError as error:
        raise UsageError(f"propensity: {error}") from error
