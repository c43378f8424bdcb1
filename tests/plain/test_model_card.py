"""Every number of a model card is one of the registry or of model_metrics."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from typing import Any

import pandas as pd
import pytest

from jobs.reporting import frames
from jobs.reporting.model_card import model_card, number

VERSION = "purchase_7d-2024-05-01-1a2b3c4d"


def registration(**changes: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "model_version": VERSION,
        "target": "purchase_7d",
        "alias": "champion",
        "reason": "trained",
        "registration": 3,
        "created_at": datetime(2024, 6, 3, tzinfo=UTC),
        "model_sha256": "ab" * 32,
        "horizon_days": 7,
        "population": "active",
        "population_days": 30,
        "capacity_share": 0.1,
        "trees": 85,
        "threshold": 0.09375,
        "parameters": json.dumps(
            {
                "boosting": {"max_trees": 120, "step_size": 0.3, "seed": 20240501},
                "max_rows_judged": 500000,
            }
        ),
        "features": json.dumps(["views_7d", "country"]),
        "calibration_slope": 1.875,
        "calibration_intercept": -0.25,
        "data_hash": "c" * 16,
        "input_versions": json.dumps({"fact_events": 4}),
        "gates": json.dumps(
            [
                {"name": "upper bound of ROC-AUC", "figure": 0.77, "limit": 0.55, "passed": True},
                {"name": "features that see", "figure": 1.0, "limit": 0.0, "passed": False},
            ]
        ),
    }
    for name, days in (("train", (1, 8)), ("calibrate", (15, 22)), ("test", (29, 31))):
        first, last = days
        row[f"first_{name}_as_of"] = date(2024, 5, first)
        row[f"last_{name}_as_of"] = date(2024, 5, last)
    return row | changes


def rows(split: str = "test", **figures: float) -> list[dict[str, Any]]:
    """Rows of model_metrics; a name may end in __model, and a figure have ends."""
    found = []
    for name, value in figures.items():
        metric, _, model = name.partition("__")
        found.append(
            {
                "split": split,
                "metric": metric,
                "model": model or "gbt",
                "segment": "all",
                "point": 0,
                "value": value,
                "rows": 1_000,
                "low": value - 0.00125,
                "high": value + 0.00125,
            }
        )
    return found


def metrics() -> pd.DataFrame:
    own = {"average_precision": 0.13625, "roc_auc": 0.74875, "log_loss": 0.12375, "ece": 0.00375}
    peer = {f"{name}__logistic": value - 0.0625 for name, value in own.items()}
    found = rows(
        **own, **peer, threshold=0.09375, precision=0.1875, confusion_tp=412, brier=0.03125
    )
    for split in ("train", "calibrate", "test"):
        found += rows(split, positives=25, base_rate=0.025)
    parts = rows(positives=12, average_precision=0.15625, roc_auc=0.71875)
    found += [
        row | {"segment": "country=DE"} for row in [*parts, *rows(observed_to_expected=1.0625)]
    ]
    importances = rows(permutation_importance=0.00875, shap_importance=0.03125)
    found += [row | {"segment": "feature=views_7d"} for row in importances]
    frame = pd.DataFrame(found)
    frame.loc[frame["metric"].isin(["brier", "threshold"]), ["low", "high"]] = None
    return frame


def test_every_number_is_one_of_the_tables() -> None:
    row, frame = registration(), metrics()
    known = {number(v) for n in ("value", "low", "high", "rows") for v in frame[n].dropna()}
    known |= {number(v) for v in (1.875, -0.25, 0.77, 0.55, 1.0, 0.0)}
    card = model_card(row, row, frame, {})
    cells = [
        text.strip()
        for line in card.splitlines()
        if line.startswith("|")
        for cell in line.split("|")
        for text in re.split(r" to | \(|\)", cell)
    ]
    shown = {text for text in cells if re.fullmatch(r"-?[\d,]+(\.\d+)?", text)}
    assert shown <= known
    for value in (0.13625, 0.07375, 0.15625, 0.00875, 412, 0.09375):
        assert number(value) in shown
    assert "| PR-AUC | 0.13625 | 0.13500 to 0.13750 |" in card
    assert "| Brier score | 0.03125 |  |" in card
    assert "| Logistic regression | 0.07375 |" in card
    assert "| features that see | 1 | 0 | FAILED |" in card
    assert "slope 1.87500, intercept -0.25000" in card
    assert "85 of those fitted; max_trees 120, step_size 0.3, seed 20240501. 2 features" in card
    assert "selected from 0.09375 on." in card
    assert "Calibrated again" not in card
    assert card.index("| This model |") < card.index("| Logistic regression |")


def test_the_card_says_whether_the_model_serves_and_of_whom_it_speaks() -> None:
    row = registration()
    card = model_card(row, row, metrics(), {"Calibration": "calibration.png"})
    assert "It serves `purchase_7d` (trained, registration 3, 2024-06-03)" in card
    assert "users active in the 30 days before it" in card
    assert "![Calibration](calibration.png)" in card
    other = registration(
        alias="challenger", target="churn_14d", horizon_days=14, population="customers"
    )
    waiting = model_card(other, other, metrics(), {})
    assert "It does not serve `churn_14d`" in waiting
    assert "neither visits nor orders in the 14 days" in waiting
    assert "every user with an order before it" in waiting
    assert "![" not in waiting


def test_a_model_calibrated_again_shows_what_counts_now_and_when_its_figures_are_of() -> None:
    now = registration(
        reason="recalibrated",
        calibration_slope=1.5,
        threshold=0.125,
        first_calibrate_as_of=date(2024, 6, 1),
        last_calibrate_as_of=date(2024, 6, 8),
    )
    card = model_card(now, registration(), metrics(), {})
    assert "slope 1.50000" in card
    assert "selected from 0.12500 on. **Calibrated again** on 2024-06-01 to 2024-06-08" in card
    assert "| calibrate | 2024-05-15 to 2024-05-22 |" in card


class _Rows:
    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self._rows = rows

    def orderBy(self, name: str) -> _Rows:  # noqa: N802  # Spark's name
        return _Rows(sorted(self._rows, key=lambda row: row[name]))

    def collect(self) -> list[_Row]:
        return [_Row(row) for row in self._rows]


class _Row(dict[str, Any]):
    def asDict(self) -> dict[str, Any]:  # noqa: N802  # Spark's name
        return dict(self)


@pytest.mark.parametrize(
    ("aliases", "chosen"),
    [
        (["champion", "challenger"], 1),
        (["champion", "champion"], 2),
        (["challenger", "challenger"], 2),
        (["challenger", "champion"], 2),
    ],
)
def test_the_card_is_of_who_serves_or_else_of_the_newest(aliases: list[str], chosen: int) -> None:
    found = [
        {"target": "purchase_7d", "registration": place, "alias": alias}
        | {"reason": "trained", "model_version": f"v{place}"}
        for place, alias in enumerate(aliases, start=1)
    ]
    other = {"target": "churn_14d", "registration": 8, "alias": "challenger"}
    other |= {"reason": "trained", "model_version": "w"}
    later = other | {"registration": 9, "alias": "champion", "reason": "recalibrated"}
    table = _Rows([later, *found, other])
    registered = frames.registrations(lambda name: table)  # type: ignore[arg-type, return-value]
    assert [row["registration"] for row, _ in registered] == [chosen, 9]
    assert [trained["registration"] for _, trained in registered] == [chosen, 8]
