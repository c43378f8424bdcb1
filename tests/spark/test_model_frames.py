"""What charts and headlines say of models: of which model, on which slice, of whom."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from jobs.reporting import frames
from jobs.reporting.headlines import _scores
from tests.stored_tables import StoredTables

DAY = date(2024, 3, 1)


@pytest.fixture
def shop(spark):
    """Stored tables by name; add rows as dictionaries, columns not named are NULL."""
    return StoredTables(spark)


def registration(number, version, target="purchase_7d", alias="champion"):
    days = {"first_test_as_of": DAY, "last_test_as_of": DAY + timedelta(days=21)}
    told = {"registration": number, "model_version": version, "target": target, "alias": alias}
    return told | days


def figure(version, metric, value, split="test", target="purchase_7d", **more):
    model = {"model_version": version, "target": target, "split": split}
    judged = {"model": "gbt", "segment": "all", "point": 0}
    return model | judged | {"metric": metric, "value": value} | more


def test_frames_show_the_champion_on_the_test_slice(shop):
    shop.add(
        "model_registry",
        registration(1, "served once"),
        registration(3, "serving"),
        registration(2, "between"),
        registration(4, "waiting", alias="challenger"),
        registration(5, "other target", target="churn_14d"),
    )
    shop.add(
        "model_metrics",
        figure("serving", "pr_curve", 0.1, point=2, x=0.9),
        figure("serving", "pr_curve", 0.3, point=1, x=0.2),
        figure("serving", "base_rate", 0.05),
        figure("serving", "base_rate", 0.5, segment="country=DE"),
        figure("serving", "average_precision", 0.11, model="xgboost"),
        figure("serving", "roc_auc", 0.7),
        figure("serving", "calibration", 0.02, point=1, x=0.03, rows=10),
        figure("serving", "base_rate", 0.06, split="train"),
        figure("between", "base_rate", 0.07),
        figure("waiting", "base_rate", 0.09),
        figure("other target", "base_rate", 0.08, target="churn_14d"),
    )

    curve = frames.pr_curve(shop.read)
    bins = frames.calibration(shop.read)
    churn = frames.pr_curve(shop.read, kind="churn")

    assert curve[["metric", "point", "value"]].to_numpy().tolist() == [
        ["base_rate", 0, 0.05],
        ["pr_curve", 1, 0.3],
        ["pr_curve", 2, 0.1],
    ]
    assert set(curve["model_version"]) == {"serving"}
    assert set(curve["last_test_as_of"].dt.date) == {DAY + timedelta(days=21)}
    assert bins[["metric", "point", "x", "value", "rows"]].to_numpy().tolist() == [
        ["calibration", 1, 0.03, 0.02, 10]
    ]
    assert churn[["target", "value"]].to_numpy().tolist() == [["churn_14d", 0.08]]


def test_where_nothing_serves_the_newest_model_is_shown(shop):
    shop.add(
        "model_registry",
        registration(1, "older", alias="challenger"),
        registration(2, "newer", alias="challenger"),
    )
    figures = [figure(name, "base_rate", value) for name, value in (("older", 0.1), ("newer", 0.2))]
    shop.add("model_metrics", *figures)

    assert frames.pr_curve(shop.read)["value"].tolist() == [0.2]
    assert frames.pr_curve(shop.read, kind="churn").empty


def test_of_two_horizons_the_first_ever_trained_is_shown(shop):
    shop.add(
        "model_registry",
        registration(1, "a"),
        registration(2, "b", target="purchase_30d"),
    )
    shop.add(
        "model_metrics",
        figure("a", "base_rate", 0.1),
        figure("b", "base_rate", 0.2, target="purchase_30d"),
    )

    assert frames.pr_curve(shop.read)["model_version"].tolist() == ["a"]


def test_peers_hold_everyone_and_importances_every_feature(shop):
    shop.add("model_registry", registration(1, "m"))
    shop.add(
        "model_metrics",
        figure("m", "average_precision", 0.2, low=0.1, high=0.3),
        figure("m", "average_precision", 0.3, model="history_oracle"),
        figure("m", "average_precision", 0.4, segment="country=DE"),
        figure("m", "average_precision_gain", 0.1, model="recency"),
        figure("m", "base_rate", 0.05),
        figure("m", "base_rate", 0.05, split="calibrate"),
        figure("m", "permutation_importance", 0.01, segment="feature=country"),
        figure("m", "shap_importance", 0.02, segment="feature=country"),
        figure("m", "impurity_importance", 0.03, segment="feature=country"),
    )

    peers, importance = frames.peers(shop.read), frames.importance(shop.read)

    assert peers[["model", "metric", "value"]].to_numpy().tolist() == [
        ["gbt", "average_precision", 0.2],
        ["gbt", "base_rate", 0.05],
        ["history_oracle", "average_precision", 0.3],
    ]
    assert peers["high"].tolist()[0] == 0.3
    assert importance[["segment", "metric", "value"]].to_numpy().tolist() == [
        ["feature=country", "permutation_importance", 0.01],
        ["feature=country", "shap_importance", 0.02],
    ]


def test_headlines_tell_targets_apart_and_the_newest_day_of_each(shop):
    def score(target, as_of, probability, is_selected):
        named = {"target": target, "as_of": as_of, "is_selected": is_selected}
        return named | {"probability": probability}

    later = DAY + timedelta(days=1)
    shop.add(
        "propensity_scores_daily",
        score("purchase_7d", later, 0.75, True),
        score("purchase_7d", later, 0.25, False),
        score("purchase_7d", DAY, 0.9, True),
        score("churn_14d", DAY, 1.0, True),
        score("churn_14d", DAY, 1.0, True),
    )

    assert _scores(shop.read) == [
        ("scores of purchase_7d as of 2024-03-02", "2 users, 1 expected to buy, 1 selected"),
        ("scores of churn_14d as of 2024-03-01", "2 users, 2 expected to stay away, 2 selected"),
    ]
