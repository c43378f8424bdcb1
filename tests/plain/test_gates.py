"""Each gate fails alone when it should, and a wide interval lets a small log pass."""

from __future__ import annotations

import pytest

from jobs.propensity.gates import Gate, as_rows, check_gates
from jobs.propensity.judging import Judged
from jobs.propensity.leakage import Suspect
from jobs.propensity.scores import OURS, Metric
from jobs.propensity.settings import GateSettings

SETTINGS = GateSettings(roc_auc=0.55, observed_to_expected=0.25, log_loss=0.02, peeking=0.1)
# Low and high of every figure that a gate reads, of a model that passes.
GOOD = {
    ("roc_auc", OURS): (0.68, 0.72),
    ("observed_to_expected", OURS): (0.95, 1.05),
    ("average_precision_gain", "recency"): (0.01, 0.03),
    ("average_precision_gain", "frequency"): (0.02, 0.04),
    # A fiftieth of these is .002.
    ("log_loss", "logistic"): (0.09, 0.11),
    ("log_loss", "champion"): (0.09, 0.11),
    ("log_loss_gain", "logistic"): (-0.004, -0.001),
    ("log_loss_gain", "champion"): (-0.001, 0.001),
}
NAMES = [
    "upper bound of ROC-AUC",
    "upper bound of observed / expected",
    "lower bound of observed / expected",
    "upper bound of PR-AUC over recency",
    "upper bound of PR-AUC over frequency",
    "lower bound of log-loss over logistic",
    "lower bound of log-loss over champion",
    "features that see past as_of",
]


def judged(**changes: tuple[float, float]) -> Judged:
    """Figures of a good model but for those named, as in roc_auc__gbt."""
    changed = {tuple(name.split("__")): bounds for name, bounds in changes.items()}
    metrics = [
        Metric("test", metric, (low + high) / 2, low=low, high=high, model=model)
        for (metric, model), (low, high) in (GOOD | changed).items()
    ]
    # Of other slices, segments and points, which no gate may read.
    others = [
        Metric("calibrate", "roc_auc", 0.1, low=0.1, high=0.1),
        Metric("test", "roc_auc", 0.1, low=0.1, high=0.1, segment="country=DE"),
        Metric("test", "roc_auc", 0.1, low=0.1, high=0.1, model="xgboost"),
    ]
    return Judged([*others, *metrics], threshold=0.1)


def failed(gates: list[Gate]) -> list[str]:
    return [gate.name for gate in gates if not gate.passed]


def test_a_good_model_passes_every_gate() -> None:
    gates = check_gates(judged(), [], SETTINGS)
    assert [gate.name for gate in gates] == NAMES
    assert failed(gates) == []


@pytest.mark.parametrize(
    ("figure", "passes", "fails", "name"),
    [
        ("roc_auc__gbt", (0.2, 0.55), (0.50, 0.5499), NAMES[0]),
        ("observed_to_expected__gbt", (0.5, 0.75), (0.5, 0.7499), NAMES[1]),
        ("observed_to_expected__gbt", (1.25, 2.0), (1.2501, 2.0), NAMES[2]),
        ("average_precision_gain__recency", (-0.1, 0.0), (-0.1, -0.0001), NAMES[3]),
        ("average_precision_gain__frequency", (-0.1, 0.0), (-0.1, -0.0001), NAMES[4]),
        ("log_loss_gain__logistic", (0.002, 0.1), (0.0021, 0.1), NAMES[5]),
        ("log_loss_gain__champion", (0.002, 0.1), (0.0021, 0.1), NAMES[6]),
    ],
)
def test_a_gate_fails_alone_and_just_past_its_limit(
    figure: str, passes: tuple[float, float], fails: tuple[float, float], name: str
) -> None:
    assert failed(check_gates(judged(**{figure: passes}), [], SETTINGS)) == []
    assert failed(check_gates(judged(**{figure: fails}), [], SETTINGS)) == [name]


def test_wide_intervals_pass_though_the_figures_are_bad() -> None:
    bad = judged(
        roc_auc__gbt=(0.30, 0.60),
        observed_to_expected__gbt=(0.4, 2.5),
        average_precision_gain__recency=(-0.30, 0.05),
        average_precision_gain__frequency=(-0.30, 0.05),
        log_loss_gain__logistic=(-0.1, 0.4),
        log_loss_gain__champion=(-0.1, 0.4),
    )
    assert failed(check_gates(bad, [], SETTINGS)) == []


def test_without_a_champion_there_is_no_gate_for_one() -> None:
    whole = judged()
    alone = Judged([m for m in whole.metrics if m.model != "champion"], whole.threshold)
    assert [gate.name for gate in check_gates(alone, [], SETTINGS)] == [*NAMES[:6], NAMES[7]]


def test_a_feature_that_sees_past_its_date_is_named_and_fails() -> None:
    suspects = [Suspect("views_7d", 0.9, 0.6), Suspect("orders_1d", 0.95, 0.5)]
    gates = check_gates(judged(), suspects, SETTINGS)
    assert failed(gates) == ["features that see past as_of (views_7d, orders_1d)"]
    assert (gates[-1].figure, gates[-1].limit) == (2, 0)


def test_gates_are_told_and_stored() -> None:
    gates = check_gates(judged(roc_auc__gbt=(0.4, 0.5)), [], SETTINGS)
    assert gates[0].told() == "upper bound of ROC-AUC: 0.5000, limit 0.55"
    assert as_rows(gates)[0] == {
        "name": NAMES[0],
        "figure": 0.5,
        "limit": 0.55,
        "passed": False,
    }
    assert [Gate(**row) for row in as_rows(gates)] == gates  # type: ignore[arg-type]
