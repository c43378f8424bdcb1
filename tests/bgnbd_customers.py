"""Customers who live by BG/NBD, drawn step by step as the paper tells it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jobs.propensity.bgnbd.histories import Histories
from jobs.propensity.bgnbd.model import BgNbd

Floats = NDArray[np.float64]


def simulated(
    model: BgNbd, age: Floats, horizon: float, seed: int
) -> tuple[Histories, Floats, NDArray[np.bool_]]:
    """Histories at the given ages, purchases in the horizon after, and who was alive between."""
    draw = np.random.default_rng(seed)
    rate = draw.gamma(model.r, 1 / model.alpha, len(age))
    chance_to_leave = draw.beta(model.a, model.b, len(age))
    now, last = np.zeros(len(age)), np.zeros(len(age))
    repeats, later = np.zeros(len(age)), np.zeros(len(age))
    stays, was_alive = np.ones(len(age), bool), np.ones(len(age), bool)
    while True:
        now = np.where(stays, now + draw.exponential(1, len(age)) / rate, np.inf)
        seen, after = now <= age, (now > age) & (now <= age + horizon)
        if not (seen | after).any():
            return Histories(repeats, last, age), later, was_alive
        repeats += seen
        last = np.where(seen, now, last)
        later += after
        stays &= draw.random(len(age)) >= chance_to_leave
        was_alive &= stays | ~seen
