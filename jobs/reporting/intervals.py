"""Confidence intervals of the shares that the charts show."""

from __future__ import annotations

import numpy as np

Z_95 = 1.959964  # normal quantile of a two-sided 95 % interval


def wilson(share: np.ndarray, users: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Interval of a share at 95 %, sound also near 0 and 1 (Wilson, JASA 22, 1927).

    Parameters
    ----------
    share : array of float
        Observed shares, 0 to 1.
    users : array of float
        How many users each share was observed on.

    Returns
    -------
    tuple of array
        Lower and upper ends, 0 to 1; NaN where there are no users.
    """
    users = np.where(users > 0, users, np.nan)
    spread = Z_95**2 / users
    middle = (share + spread / 2) / (1 + spread)
    half = Z_95 * np.sqrt(share * (1 - share) / users + spread / (4 * users)) / (1 + spread)
    return np.clip(middle - half, 0, 1), np.clip(middle + half, 0, 1)
