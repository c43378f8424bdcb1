"""Numbers, days and names as people read them."""

from __future__ import annotations

import numpy as np
import pandas as pd

UNITS = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


def short_number(value: float) -> str:
    """Write a number with three digits the way people say it: 950, 64.1, 2.20 k, 12.3 k, 1.25 M."""
    for unit, name in UNITS:
        # 999,500 would round to "1000 k", so a unit starts where its rounding does.
        if abs(value) >= 0.9995 * unit:
            return f"{_three_digits(value / unit)} {name}"
    return f"{value:.0f}" if float(value).is_integer() else _three_digits(value)


def number_tick(value: float) -> str:
    """Write a number without needless zeros, as on an axis: 0.5, 20, 2.5 k."""
    for unit, name in UNITS:
        if abs(value) >= unit:
            return f"{_trim(value / unit, 2)} {name}"
    return _trim(value, 2)


def percent(share: float) -> str:
    """Write a share as a percentage with three digits: 0.0123 -> 1.23 %, 1 -> 100 %."""
    value = 100 * share
    return "0 %" if value == 0 else f"{_three_digits(value)} %"


def percent_tick(share: float) -> str:
    """Write a share as a percentage without needless zeros, as on an axis: 0.025 -> 2.5 %."""
    return f"{_trim(100 * share, 2)} %"


def _three_digits(value: float) -> str:
    size = abs(value)
    return f"{value:.{0 if size >= 99.95 else 1 if size >= 9.995 else 2}f}"


def _trim(value: float, digits: int) -> str:
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def shorten(text: str, longest: int) -> str:
    """Cut the middle out of a text that is too long; names often differ only at their ends."""
    if len(text) <= longest:
        return text
    head = (longest - 1) // 2
    return f"{text[:head]}…{text[len(text) - (longest - 1 - head) :]}"


def numbers(column: pd.Series) -> np.ndarray:
    """Values as floats; what is missing becomes NaN."""
    return np.array([np.nan if pd.isna(value) else float(value) for value in column], dtype=float)


def span(days: pd.Series) -> str:
    """First and last day in words."""
    return f"{days.iloc[0]:%Y-%m-%d} to {days.iloc[-1]:%Y-%m-%d}"
