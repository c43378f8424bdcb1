"""What is asked of the models is held against their figures, and the pages of `bench model`."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest

from jobs.core.config import load_config
from jobs.core.errors import UsageError
from jobs.proof.bench.model import ablation, report
from jobs.proof.bench.model.demands import ASKED, held_against
from jobs.proof.bench.model.flow import FITTED, Speed
from jobs.proof.bench.runner import Measured
from jobs.proof.bench.task import Result
from jobs.propensity.scores import Metric
from jobs.propensity.settings import settings_of

TARGET = "purchase_7d"


def metrics(**changes: float | tuple[float, float, float]) -> pd.DataFrame:
    """Figures of a model that does all that is asked, but for those named: metric__model.

    A change is a value, or a value with its interval.
    """
    figures: dict[tuple[str, str], tuple[float, float | None, float | None]] = {
        ("positives", "gbt"): (3_200, None, None),
        ("average_precision", "gbt"): (0.093, 0.09, 0.096),
        ("average_precision", "history_oracle"): (0.1, 0.09, 0.11),
        ("average_precision_ratio", "history_oracle"): (0.93, 0.91, 0.95),
        ("roc_auc", "gbt"): (0.740, 0.73, 0.75),
        ("roc_auc", "history_oracle"): (0.750, 0.74, 0.76),
        ("roc_auc_gain", "history_oracle"): (-0.010, -0.012, -0.008),
        ("log_loss", "gbt"): (0.1010, 0.10, 0.11),
        ("log_loss", "history_oracle"): (0.1000, 0.09, 0.11),
        ("log_loss_gain", "history_oracle"): (0.001, 0.0005, 0.0015),
        ("log_loss", "xgboost"): (0.1008, 0.09, 0.11),
        ("log_loss_gain", "xgboost"): (0.0002, -0.0001, 0.0005),
        ("log_loss", "clairvoyant"): (0.08, 0.07, 0.09),
        ("ece", "gbt"): (0.002, None, None),
        ("observed_to_expected", "gbt"): (1.01, 0.98, 1.04),
    }
    for name, value in changes.items():
        metric, model = name.split("__")
        ends = figures.get((metric, model), (0, None, None))[1:]
        figures[metric, model] = value if isinstance(value, tuple) else (value, *ends)
    rows = [
        Metric("test", metric, value, low=low, high=high, model=model, rows=60_000)
        for (metric, model), (value, low, high) in figures.items()
    ]
    parts = [
        Metric("test", metric, 1 + off, low=1 + off - half, high=1 + off + half, segment=segment)
        for segment, off, half in (
            ("country=DE", 0.02, 0.06),
            ("country=IS", 0.3, 0.4),
            ("channel=ads", -0.14, 0.05),
            ("feature=views", 9.0, 0.1),
        )
        for metric in ("observed_to_expected", "average_precision")
    ]
    others = [replace(rows[0], split="calibrate", value=1.0)]
    return pd.DataFrame([asdict(one) for one in [*rows, *parts, *others]])


def missed(frame: pd.DataFrame) -> list[str]:
    return [row["name"] for row in held_against(frame, TARGET) if not row["met"]]


def test_a_model_that_does_all_that_is_asked_meets_everything() -> None:
    found = {row["name"]: row for row in held_against(metrics(), TARGET)}
    assert [row["met"] for row in found.values()] == [True] * 10
    assert found["PR-AUC : oracle"]["figure"] == pytest.approx(0.93)
    assert found["PR-AUC : oracle"]["low"] == pytest.approx(0.91)
    assert found["log-loss over oracle"]["figure"] == pytest.approx(0.01)
    assert found["log-loss over oracle"]["high"] == pytest.approx(0.015)
    assert found["ROC-AUC below oracle"]["low"] == pytest.approx(0.008)
    assert found["ROC-AUC below oracle"]["high"] == pytest.approx(0.012)
    # Iceland is further off, by chance as likely as not.
    segment = found["... worst country or channel"]
    assert segment["figure"] == pytest.approx(-0.14)
    assert segment["low"] == pytest.approx(-0.19)
    assert segment["high"] == pytest.approx(-0.09)


@pytest.mark.parametrize(
    ("change", "value", "name"),
    [
        ("positives__gbt", 2_999, "positives"),
        ("average_precision_ratio__history_oracle", (0.88, 0.86, 0.899), "PR-AUC : oracle"),
        ("roc_auc_gain__history_oracle", (-0.02, -0.03, -0.0121), "ROC-AUC below oracle"),
        ("log_loss_gain__history_oracle", (0.003, 0.00251, 0.005), "log-loss over oracle"),
        ("log_loss_gain__xgboost", (0.0008, 0.00051, 0.001), "log-loss over XGBoost"),
        ("log_loss__logistic", 0.0999, "best log-loss over oracle"),
        ("ece__gbt", 0.0041, "ECE"),
        ("observed_to_expected__gbt", (1.15, 1.101, 1.2), "observed : expected - 1"),
        ("observed_to_expected__gbt", (0.85, 0.8, 0.899), "observed : expected - 1"),
    ],
)
def test_each_demand_is_missed_alone(
    change: str, value: float | tuple[float, float, float], name: str
) -> None:
    assert missed(metrics(**{change: value})) == [name]


def test_a_miss_that_chance_explains_is_none() -> None:
    frame = metrics(
        average_precision__gbt=0.0899,
        average_precision_ratio__history_oracle=(0.899, 0.88, 0.901),
        observed_to_expected__gbt=(1.12, 1.09, 1.15),
    )
    assert missed(frame) == []


def test_a_country_that_is_off_and_a_small_slice_are_missed() -> None:
    frame = metrics()
    sums = (frame["segment"] == "country=DE") & (frame["metric"] == "observed_to_expected")
    frame.loc[sums, ["value", "low", "high"]] = 0.75, 0.7, 0.8
    frame["rows"] = 40_000
    assert missed(frame) == ["rows", "... worst country or channel"]


def test_the_limits_of_each_target_are_its_own() -> None:
    assert ASKED["churn_14d"].ratio > ASKED[TARGET].ratio
    names = [row["limit"] for row in held_against(metrics(), "churn_14d")]
    assert names[2] == 0.985


def test_the_page_of_demands_counts_what_was_met() -> None:
    page = report.render_demands({7: held_against(metrics(ece__gbt=0.5), TARGET)})
    line = next(line for line in page.splitlines() if ": ECE" in line)
    assert line.split() == ["purchase_7d:", "ECE", "0.5000", "<=", "0.004", "MISSED"]
    assert page.endswith("9 of 10 met")


def test_the_page_of_speeds_holds_each_against_xgboost() -> None:
    def run(per_tree: float, **more: float) -> Measured:
        found = {"average_precision": 0.1, "log_loss": 0.2, "scored_per_second": 1e5}
        figures = [found | {"seconds_per_tree": per_tree} | more]
        return Measured(Result(rows=1_000, figures=figures), 2 * 10**9)

    runs = dict(zip(FITTED, (run(0.5, exported_per_second=3e5), run(0.2), run(0.02)), strict=True))
    page = report.render_speed([Speed(1_234, runs)])
    lines = {line.split()[0]: line.split() for line in page.splitlines() if line}
    assert "1,234 snapshots to learn from" in page
    assert lines["gbt"][1:] == [
        *("1,000", "0.5000", "25.0", "0.1000", "0.20000", "100,000", "300,000", "2,000")
    ]
    assert lines["gbt_sampled"][3] == "10.0"
    assert lines["xgboost"][3] == "1.0"


def test_an_ablation_changes_one_setting_at_a_time_and_none_to_what_it_is() -> None:
    shipped = settings_of(load_config()).purchase.boosting
    tried = ablation.changes(shipped)
    assert tried[0] == ablation.Change(ablation.SHIPPED)
    for change in tried[1:]:
        other = asdict(replace(shipped, **change.settings))
        differing = [name for name, value in asdict(shipped).items() if other[name] != value]
        assert differing == list(change.settings)
        assert len(differing) == (0 if change.kept_per_row else 1)
    assert len({change.name for change in tried}) == len(tried)


def test_an_ablation_needs_a_shop_whose_truth_is_known() -> None:
    with pytest.raises(UsageError, match="truth of a synthetic shop"):
        ablation.ablation(None, None, None)  # type: ignore[arg-type]


def test_the_page_of_an_ablation_shows_the_pairs() -> None:
    row = {
        "name": "max_depth 5",
        "seconds": 61.2,
        "trees": 90,
        "ratio": 0.9312,
        "excess": 0.0213,
        "precision_gain": -0.0012,
        "precision_gain_interval": (-0.002, 0.0003),
        "loss_gain": 0.00021,
        "loss_gain_interval": (0.0001, 0.0003),
        "ece": np.float64(0.0021),
    }
    line = report.render_ablation(3, {TARGET: [row]}).splitlines()[-1].split()
    assert line == [
        *("max_depth", "5", "61", "90", "0.931", "+2.13%", "-0.0012", "-0.0020", "+0.0003"),
        *("+0.00021", "+0.00010", "+0.00030", "0.0021"),
    ]
