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


def model(*rows, version="purchase_7d-2024-02-01-1a2b3c4d"):
    frame = pd.DataFrame(rows, columns=["metric", "point", "x", "value", "rows"])
    first = {
        "model_version": version,
        "target": "purchase_7d",
        "split": "test",
        "first_test_as_of": pd.Timestamp("2024-03-01"),
        "last_test_as_of": pd.Timestamp("2024-03-22"),
    }
    return frame.assign(**first).astype({"rows": "Int64", "x": float})


def precision_recall(**changes):
    single = {
        "average_precision": 0.2,
        "base_rate": 0.05,
        "threshold": 0.12,
        "selected_share": 0.1,
        "precision": 0.15,
        "recall": 0.5,
    } | changes
    points = [(1.0, 0.05), (0.5, 0.15), (0.1, 0.3), (0.01, 1.0)]
    rows = [(name, 0, None, value, 100) for name, value in single.items() if value is not None]
    rows += [("pr_curve", i, x, y, None) for i, (x, y) in enumerate(points, 1)]
    return model(*rows)


def bins(*observed, version="v"):
    rows = [("calibration", i, 0.01 * i, share, 1_500) for i, share in enumerate(observed, start=1)]
    return model(("ece", 0, None, 0.004, 15_000), *rows, version=version)


def texts(figure):
    """Collect every text of a figure, tick labels included, as it will be drawn."""
    figure.canvas.draw()
    return [text.get_text() for text in figure.findobj(matplotlib.text.Text) if text.get_text()]
