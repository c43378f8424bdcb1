"""The model card: what a model is for, what it was made of, how good it is and where it ends.

Every number in it is one of model_registry or model_metrics; words are all that is added.
"""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from jobs.reporting.formats import percent
from jobs.reporting.markdown import interval, number, table
from jobs.reporting.peer_charts import NAMES, OURS

# What is told of everyone judged, and how it is called.
FIGURES = {
    "average_precision": "PR-AUC",
    "roc_auc": "ROC-AUC",
    "log_loss": "Log-loss",
    "brier": "Brier score",
    "ece": "ECE",
    "observed_to_expected": "Observed : expected",
    "calibration_slope": "Calibration slope",
}
# Of the model alone, on the slice it is judged on.
DECISION = {
    "threshold": "Threshold (probability)",
    "selected_share": "Share of the users selected",
    "precision": "Precision",
    "recall": "Recall",
    "confusion_tp": "Selected, and it came true",
    "confusion_fp": "Selected, and it did not",
    "confusion_fn": "Not selected, and it came true",
    "confusion_tn": "Not selected, and it did not",
}
PEER_FIGURES = ("average_precision", "roc_auc", "log_loss", "ece")
SEGMENT_FIGURES = ("positives", "average_precision", "roc_auc", "observed_to_expected")
MOST_FEATURES = 10
_USE = {
    "purchase": "the probability that a user orders in the {days} days from its midnight on",
    "churn": "the probability that a user neither visits nor orders in the {days} days from its "
    "midnight on",
}
_POPULATION = {
    "active": "users active in the {days} days before it",
    "customers": "every user with an order before it",
}


def model_card(
    registration: dict[str, Any],
    trained: dict[str, Any],
    metrics: pd.DataFrame,
    charts: dict[str, str],
) -> str:
    """Write the card of one registered model in Markdown.

    Parameters
    ----------
    registration
        Its row of model_registry that counts now.
    trained
        The row that its training made: the figures are of then.
    metrics
        Its rows of model_metrics.
    charts
        Picture files to show, by what they show.
    """
    test = metrics[metrics["split"] == "test"]
    parts = [
        f"# Model card: {registration['model_version']}",
        _state(registration),
        "## What it is for",
        _use(registration),
        "## What it was made of",
        _origin(trained, metrics),
        _calibration(registration, trained),
        "## How good it is",
        "As trained, on snapshots later than all it learned from, with 95 % intervals from "
        "resampled users.",
        _figures(test, FIGURES),
        _beside_others(test),
        *(f"![{shown}]({file})" for shown, file in charts.items()),
        "## At the threshold",
        _figures(test, DECISION),
        "## By country and channel",
        _segments(test),
        "## What it leans on",
        _features(test),
        "## What was demanded of it",
        _gates(registration),
        "## Limits",
        _limits(registration),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _state(row: dict[str, Any]) -> str:
    serves = "It serves" if row["alias"] == "champion" else "It does not serve"
    return (
        f"{serves} `{row['target']}` ({row['reason']}, registration {row['registration']}, "
        f"{row['created_at']:%Y-%m-%d}). sha256 of its files: `{row['model_sha256']}`."
    )


def _use(row: dict[str, Any]) -> str:
    kind = row["target"].partition("_")[0]
    use = _USE[kind].format(days=row["horizon_days"])
    who = _POPULATION[row["population"]].format(days=row["population_days"])
    moved = "see the command `uplift`" if kind == "purchase" else "that takes an experiment"
    return (
        f"It gives, for a snapshot, {use}, for {who}: to rank users, and to choose whom to "
        f"contact where {percent(row['capacity_share'])} of them can be. It says who is likely to, "
        f"not whom a contact would move: {moved}."
    )


def _origin(row: dict[str, Any], metrics: pd.DataFrame) -> str:
    whole = metrics[(metrics["model"] == OURS) & (metrics["segment"] == "all")]
    rows = []
    for name in ("train", "calibrate", "test"):
        sizes = whole[(whole["split"] == name) & (whole["metric"].isin(["positives", "base_rate"]))]
        figures = sizes.set_index("metric")
        span = f"{row[f'first_{name}_as_of']} to {row[f'last_{name}_as_of']}"
        rows.append(
            (
                name,
                span,
                number(figures["rows"]["positives"]),
                number(figures["value"]["positives"]),
                percent(figures["value"]["base_rate"]),
            )
        )
    settings = json.loads(row["parameters"])["boosting"]
    told = ", ".join(f"{name} {value}" for name, value in settings.items())
    return "\n\n".join(
        [
            table(("Slice", "Snapshots", "Rows", "Positives", "Base rate"), rows),
            f"Gradient-boosted trees (MLlib), {row['trees']} of those fitted; {told}. "
            f"{len(json.loads(row['features']))} features. Of more than "
            f"{json.loads(row['parameters'])['max_rows_judged']} rows of a later slice a share of "
            f"the users is judged. Hash of the rows `{row['data_hash']}`, Delta versions read "
            f"`{row['input_versions']}`.",
        ]
    )


def _calibration(row: dict[str, Any], trained: dict[str, Any]) -> str:
    """How margins become probabilities now, and whether that was so when it was judged."""
    told = (
        "Probabilities by a logistic regression on the margin (slope "
        f"{number(row['calibration_slope'])}, intercept {number(row['calibration_intercept'])}); "
        f"selected from {number(row['threshold'])} on."
    )
    own = ("calibration_slope", "calibration_intercept", "threshold")
    if all(row[name] == trained[name] for name in own):
        return told
    return (
        f"{told} **Calibrated again** on {row['first_calibrate_as_of']} to "
        f"{row['last_calibrate_as_of']}: the ranking is what it was, but probabilities, threshold "
        "and what follows from them below are those of before."
    )


def _figures(test: pd.DataFrame, labels: dict[str, str]) -> str:
    own = _single(test, OURS)
    rows = [
        (label, number(own["value"][name]), interval(own.loc[name]))
        for name, label in labels.items()
        if name in own.index
    ]
    return table(("Figure", "Value", "95 % interval"), rows)


def _beside_others(test: pd.DataFrame) -> str:
    judged = test[(test["metric"] == "average_precision") & (test["segment"] == "all")]
    rows = []
    for model in judged.sort_values("value", ascending=False)["model"]:
        own = _single(test, str(model))
        rows.append((NAMES.get(model, model), *(number(own["value"][n]) for n in PEER_FIGURES)))
    return table(("On the same rows", *(FIGURES[name] for name in PEER_FIGURES)), rows)


def _segments(test: pd.DataFrame) -> str:
    parts = test[
        (test["model"] == OURS) & test["segment"].str.match("(country|channel)=").astype(bool)
    ]
    rows = []
    for segment, own in parts.set_index("metric").groupby("segment"):
        figures = own[own["point"] == 0]
        cells = [_with_interval(figures.loc[name]) for name in SEGMENT_FIGURES]
        rows.append((str(segment), *cells))
    heads = ["Segment", "Positives", *(FIGURES[name] for name in SEGMENT_FIGURES[1:])]
    return table(tuple(heads), rows)


def _with_interval(figure: Any) -> str:
    ends = interval(figure)
    return f"{number(figure['value'])} ({ends})" if ends else number(figure["value"])


def _features(test: pd.DataFrame) -> str:
    parts = test[test["segment"].str.startswith("feature=")]
    wide = parts.pivot_table(index="segment", columns="metric", values="value")
    top = wide.nlargest(MOST_FEATURES, "permutation_importance")
    rows = [
        (
            str(name).removeprefix("feature="),
            number(row["permutation_importance"]),
            number(row["shap_importance"]),
        )
        for name, row in top.iterrows()
    ]
    return table(("Feature", "PR-AUC lost without it", "Mean shift of the margin"), rows)


def _gates(row: dict[str, Any]) -> str:
    rows = [
        (
            gate["name"],
            number(gate["figure"]),
            number(gate["limit"]),
            "passed" if gate["passed"] else "FAILED",
        )
        for gate in json.loads(row["gates"])
    ]
    return table(("Demand", "Figure", "Limit", ""), rows)


def _limits(row: dict[str, Any]) -> str:
    return "\n".join(
        [
            f"- Learned from snapshots of {row['first_train_as_of']} to {row['last_train_as_of']}: "
            "of a season outside them it knows nothing. `monitor` says when users change.",
            "- Countries and channels that were not there then have no flag of their own.",
            "- Users who are not in the population have no score.",
            "- Precision and recall are those of nobody being contacted: acting on scores changes "
            "what comes true.",
            "- No personal data: identifiers are pseudonyms, and nothing else of a person is "
            "known. Country is a feature; whether it may be one for a use is for its owner to say.",
        ]
    )


def _single(test: pd.DataFrame, model: str) -> pd.DataFrame:
    chosen = test[(test["model"] == model) & (test["segment"] == "all") & (test["point"] == 0)]
    return chosen.set_index("metric")
