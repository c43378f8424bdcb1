"""What a model must show before it serves, from its figures on the test slice.

A gate holds a bound of an interval against a limit, so that a small log, whose intervals are wide,
fails only what is plainly bad, and a large one nearly everything that is not good.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jobs.propensity.judging import Judged
    from jobs.propensity.leakage import Suspect
    from jobs.propensity.settings import GateSettings

RULES = ("recency", "frequency")


@dataclass(frozen=True)
class Gate:
    """One demand: `figure` lies on the right side of `limit`, or the model does not serve."""

    name: str
    figure: float
    limit: float
    passed: bool

    def told(self) -> str:
        """The gate in words, for one line."""
        return f"{self.name}: {self.figure:.4f}, limit {self.limit:.3g}"


def check_gates(judged: Judged, suspects: list[Suspect], settings: GateSettings) -> list[Gate]:
    """Hold a model to all gates, in the order in which they are shown.

    Parameters
    ----------
    suspects
        Features that seem to see past as_of.
    """
    roc = judged.figure("roc_auc")
    sums = judged.figure("observed_to_expected")
    found = [
        _at_least("upper bound of ROC-AUC", roc.high, settings.roc_auc),
        _at_least(
            "upper bound of observed / expected", sums.high, 1 - settings.observed_to_expected
        ),
        _at_most("lower bound of observed / expected", sums.low, 1 + settings.observed_to_expected),
    ]
    for model in judged.models:
        if model in RULES:
            gain = judged.figure("average_precision_gain", model)
            found.append(_at_least(f"upper bound of PR-AUC over {model}", gain.high, 0.0))
        elif model in ("logistic", "champion"):
            gain = judged.figure("log_loss_gain", model)
            limit = settings.log_loss * judged.figure("log_loss", model).value
            found.append(_at_most(f"lower bound of log-loss over {model}", gain.low, limit))
    named = f" ({', '.join(suspect.feature for suspect in suspects)})" if suspects else ""
    found.append(_at_most(f"features that see past as_of{named}", float(len(suspects)), 0.0))
    return found


def as_rows(gates: list[Gate]) -> list[dict[str, object]]:
    """Gates as they are stored in the registry."""
    return [asdict(gate) for gate in gates]


def _at_least(name: str, figure: float | None, limit: float) -> Gate:
    assert figure is not None  # judged on the test slice, hence with an interval
    return Gate(name, figure, limit, figure >= limit)


def _at_most(name: str, figure: float | None, limit: float) -> Gate:
    assert figure is not None
    return Gate(name, figure, limit, figure <= limit)
