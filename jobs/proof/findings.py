"""One line of evidence, as every part of `verify` gives it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """What was compared, both figures, and whether they agree."""

    name: str
    expected: str
    found: str
    passed: bool
    severity: str = "fail"

    @property
    def failed(self) -> bool:
        """True where the warehouse must not be trusted."""
        return not self.passed and self.severity == "fail"
