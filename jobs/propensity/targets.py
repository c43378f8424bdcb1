"""What can be predicted of a user: that one buys, or stays away, within so many days.

A target's name says it all, as in purchase_7d and churn_14d, so that a score, a model and a chart
that carry the name cannot mean another horizon.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_NAME = re.compile(r"(purchase|churn)_([1-9]\d{0,2})d")


@dataclass(frozen=True)
class Target:
    """A yes or no about the days from T on, T being as_of 00:00 in the shop's time zone.

    Parameters
    ----------
    kind
        purchase: an order in [T, T + horizon). churn: neither an order nor an event of an active
        type in it.
    horizon_days
        Days of the label, as_of included.
    """

    kind: str
    horizon_days: int

    @classmethod
    def parse(cls, name: str) -> Target:
        """Read a name such as purchase_7d.

        Raises
        ------
        ValueError
            It is none.
        """
        found = _NAME.fullmatch(name)
        if found is None:
            raise ValueError("a target is purchase_<days>d or churn_<days>d, such as purchase_7d")
        return cls(found[1], int(found[2]))

    @property
    def name(self) -> str:
        """For instance purchase_7d."""
        return f"{self.kind}_{self.horizon_days}d"

    @property
    def label_table(self) -> str:
        """View of sql/features that tells what became of a snapshot."""
        return f"{self.kind}_labels"

    @property
    def positives(self) -> str:
        """What to call the users of whom it is true."""
        return "buyers" if self.kind == "purchase" else "users who stay away"
