"""Figures and tables in Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

DIGITS = 5


def number(value: float | None) -> str:
    """Write a figure: whole numbers as such, others with five decimals, nothing as a dash."""
    if value is None or pd.isna(value):
        return "-"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:.{DIGITS}f}"


def interval(row: Any) -> str:
    """Write the ends of an interval, columns low and high of a row; nothing where there is none."""
    return "" if pd.isna(row["low"]) else f"{number(row['low'])} to {number(row['high'])}"


def table(heads: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> str:
    """Lay out rows under their heads."""
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
