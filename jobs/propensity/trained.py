"""What came of a training, to be told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Trained:
    """A model, whether it was fitted now and whether it serves, and its figures on the test slice.

    Parameters
    ----------
    failed
        The gates it failed, in words.
    """

    model_version: str
    is_new: bool
    serves: bool
    failed: tuple[str, ...]
    figures: dict[str, float]

    @property
    def state(self) -> str:
        """What became of it, to follow its name."""
        told = "" if self.is_new else " (trained before)"
        return told if self.serves else f"{told} (does not serve)"

    @property
    def headline(self) -> str:
        """The figures to read first, in one line."""
        names = {"average_precision": "PR-AUC", "roc_auc": "ROC-AUC", "log_loss": "log-loss"}
        parts = [f"{label} {self.figures[name]:.4f}" for name, label in names.items()]
        return ", ".join([*parts, f"base rate {100 * self.figures['base_rate']:.2f} %"])
