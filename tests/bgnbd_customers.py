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
    was_alive = np.ones(len(age), bool)
    staying = np.arange(len(age))
    while len(staying):
        now[staying] += draw.exponential(1, len(staying)) / rate[staying]
        staying = staying[now[staying] <= age[staying] + horizon]
        is_seen = now[staying] <= age[staying]
        seen = staying[is_seen]
        repeats[seen] += 1
        last[seen] = now[seen]
        later[staying[~is_seen]] += 1
        leaves = draw.random(len(staying)) < chance_to_leave[staying]
        was_alive[staying[leaves & is_seen]] = False
        staying = staying[~leaves]
    return Histories(repeats, last, age), later, was_alive
