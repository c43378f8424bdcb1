"""Small frames of the kind the charts draw, made by hand."""

from __future__ import annotations

from datetime import date

import matplotlib
import numpy as np
import pandas as pd

AS_OF = date(2024, 3, 31)


def activity(days=40, level=100):
    position = np.arange(days)
    return pd.DataFrame(
        {
            "metric_date": pd.date_range(end="2024-03-31", periods=days),
            "dau": pd.array(level + position % 7, dtype="Int64"),
            "wau_7": pd.array(level * 3 + position, dtype="Int64"),
            "mau_28": pd.array(level * 6 + position, dtype="Int64"),
            "stickiness": np.where(position >= 27, 0.17, np.nan),
            "is_wau_7_complete": position >= 6,
            "is_mau_28_complete": position >= 27,
        }
    )


def sales(days=10, amount=50.0):
    position = np.arange(days)
    return pd.DataFrame(
        {
            "metric_date": pd.date_range(end="2024-03-31", periods=days),
            "orders": pd.array([1] * days, dtype="Int64"),
            "revenue": amount * (1 + position),
            "revenue_7d_mean": np.where(position >= 6, amount * (position - 2), np.nan),
            "days_observed_7d": pd.array(np.minimum(position + 1, 7), dtype="Int64"),
        }
    )


def cohorts():
    rates = {(0, 0): 0.9, (0, 1): 0.4, (0, 2): 0.0, (1, 0): 1.0, (1, 1): 0.25}
    rows = [
        {
            "cohort_date": pd.Timestamp("2024-03-04") + pd.Timedelta(weeks=week),
            "cohort_size": (1_200, 20, 123_456)[week],
            "period": period,
            "retained": None,
            "retention_rate": rates.get((week, period)),
            "is_complete": (week, period) in rates,
        }
        for week in range(3)
        for period in range(4)
    ]
    return pd.DataFrame(rows).astype({"retained": "Int64", "retention_rate": float})


def curve():
    return pd.DataFrame(
        {
            "period": pd.array([0, 1, 7], dtype="Int64"),
            "eligible": pd.array([100, 100, 50], dtype="Int64"),
            "retained": pd.array([90, 20, 5], dtype="Int64"),
            "retention_rate": [0.9, 0.2, 0.1],
        }
    )


def steps(*entries):
    counts = pd.Series(entries, dtype="int64")
    before = counts.shift(1)
    return pd.DataFrame(
        {
            "step": ["view", "add_to_cart", "purchase"],
            "entries": counts,
            "step_rate": counts / before.where(before > 0),
            "total_rate": counts / (entries[0] or float("nan")),
            "first_date": pd.Timestamp("2024-03-01"),
            "last_date": pd.Timestamp("2024-03-24"),
        }
    )


def model(*rows, version="purchase_7d-2024-02-01-1a2b3c4d", target="purchase_7d"):
    """Rows of metric, point, x, value, rows and, if they have them, low, high, model, segment."""
    names = ["metric", "point", "x", "value", "rows", "low", "high", "model", "segment"]
    rest = (None, None, "gbt", "all")
    frame = pd.DataFrame([(*row, *rest[len(row) - 5 :]) for row in rows], columns=names)
    first = {
        "model_version": version,
        "target": target,
        "split": "test",
        "first_test_as_of": pd.Timestamp("2024-03-01"),
        "last_test_as_of": pd.Timestamp("2024-03-22"),
    }
    kinds = {"rows": "Int64", "x": float, "low": float, "high": float}
    return frame.assign(**first).astype(kinds)


def churn(frame):
    """The frame as if it were of churn in 14 days."""
    version = frame["model_version"].str.replace("purchase_7d", "churn_14d")
    return frame.assign(target="churn_14d", model_version=version)


def precision_recall(points=((1.0, 0.05), (0.5, 0.15), (0.1, 0.3), (0.01, 1.0)), **changes):
    single = {
        "average_precision": 0.2,
        "base_rate": 0.05,
        "threshold": 0.12,
        "selected_share": 0.1,
        "precision": 0.15,
        "recall": 0.5,
    } | changes
    rows = [(name, 0, None, value, 100) for name, value in single.items() if value is not None]
    rows += [("pr_curve", i, x, y, None) for i, (x, y) in enumerate(points, 1)]
    return model(*rows)


def precision_recall_of_churn():
    """As most users stay away, precision is high and falls little."""
    recall = np.linspace(1, 0.005, 150)
    points = list(zip(recall, 0.62 + 0.33 * (1 - recall) ** 0.7, strict=True))
    at = {"threshold": 0.91, "selected_share": 0.1, "precision": 0.93, "recall": 0.15}
    return churn(precision_recall(points, average_precision=0.84, base_rate=0.62, **at))


def bins(*observed, version="v", first=0.01, step=0.01):
    rows = [
        ("calibration", i, first + step * (i - 1), share, 1_500)
        for i, share in enumerate(observed, start=1)
    ]
    return model(("ece", 0, None, 0.004, 15_000), *rows, version=version)


PEERS = {
    "gbt": 0.162,
    "recency": 0.061,
    "frequency": 0.094,
    "bgnbd": 0.088,
    "logistic": 0.151,
    "random_forest": 0.155,
    "xgboost": 0.164,
    "champion": 0.160,
    "history_oracle": 0.178,
    "clairvoyant": 0.262,
}


def peers(values=PEERS, base_rate=0.031, half=0.012):
    rows = [
        ("average_precision", 0, None, value, 15_000, value - half, value + half, name, "all")
        for name, value in values.items()
    ]
    return model(*rows, ("base_rate", 0, None, base_rate, 15_000))


FEATURES = (
    "days_since_last_cart",
    "days_since_second_last_active",
    "has_open_cart",
    "orders_lifetime",
    "country",
)


def importances(features=FEATURES):
    rows = []
    for place, name in enumerate(features):
        lost, moved = 0.02 / (1 + place) - 0.0015, 0.2 / (1 + place % 7)
        tail = (None, None, "gbt", f"feature={name}")
        rows.append(("permutation_importance", 0, None, lost, 20_000, *tail))
        rows.append(("shap_importance", 0, None, moved, 20_000, *tail))
    return model(*rows)


def texts(figure):
    """Collect every text of a figure, tick labels included, as it will be drawn."""
    figure.canvas.draw()
    return [text.get_text() for text in figure.findobj(matplotlib.text.Text) if text.get_text()]
