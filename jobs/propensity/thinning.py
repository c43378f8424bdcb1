"""Which of many training rows are fitted on, and what the margins then lack."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from jobs.propensity.features import KEY, LABEL

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from jobs.propensity.settings import PropensitySettings, TargetSettings

_PLACES = 1_000_000


@dataclass(frozen=True)
class SliceSize:
    """Rows of a slice and how many of them have the label 1."""

    rows: int
    positives: int


@dataclass(frozen=True)
class Thinning:
    """Which share of the training rows of each class is kept: all of a small slice.

    Parameters
    ----------
    positives, negatives
        Shares, above 0 and at most 1.
    """

    positives: float
    negatives: float

    @classmethod
    def to(cls, size: SliceSize, most: int) -> Thinning:
        """Keep about `most` rows: those of the rarer class first, up to half of them."""
        rare = min(size.positives, size.rows - size.positives)
        common = size.rows - rare
        kept_rare = min(rare, max(most // 2, most - common))
        shares = kept_rare / rare, min(1.0, (most - kept_rare) / common)
        return cls(*(shares if rare == size.positives else shares[::-1]))

    @classmethod
    def per_row(cls, size: SliceSize, kept: int | None) -> Thinning:
        """Keep the rarer class, and so many rows of the other for each of its; all where None."""
        rarer = min(size.positives, size.rows - size.positives)
        return cls.to(size, size.rows if kept is None else (1 + kept) * rarer)

    @property
    def is_whole(self) -> bool:
        """Whether every row is kept."""
        return self.positives == self.negatives == 1

    @property
    def margin_shift(self) -> float:
        """What to add to a margin for the odds of the whole slice; half a logit, as the margin."""
        return math.log(self.negatives / self.positives) / 2

    def rows(self, size: SliceSize) -> int:
        """About how many rows are kept."""
        negatives = size.rows - size.positives
        return round(self.positives * size.positives + self.negatives * negatives)

    def keep(self, frame: DataFrame) -> DataFrame:
        """Draw the rows by a hash of their key, so the same ones in any order and any run."""
        if self.is_whole:
            return frame
        share = F.when(F.col(LABEL) == 1, self.positives).otherwise(self.negatives)
        place = F.pmod(F.xxhash64(F.lit("trained"), *KEY), F.lit(_PLACES))
        return frame.where(place < share * _PLACES)


def leaf_rows(size: SliceSize, settings: PropensitySettings, own: TargetSettings) -> int:
    """Rows a leaf needs at least, of those that are fitted on."""
    kept = Thinning.to(size, settings.max_train_rows).rows(size)
    return own.boosting.min_instances_for(kept)
