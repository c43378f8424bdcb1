"""BG/NBD by maximum likelihood."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize
from scipy.stats import norm

from jobs.core.errors import ContractError
from jobs.propensity.bgnbd.model import NAMES, BgNbd, likelihood_and_gradient

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from jobs.propensity.bgnbd.histories import Histories

    Floats = NDArray[np.float64]

# Parameters are sought within e^-6 to e^6, alpha in units of the mean age. A log in which nobody
# leaves, or all buy at one rate, has no finite best value; beyond this nothing changes any more.
LIMIT = 6.0
# Largest slope left, in log-likelihood per customer and e-fold of a parameter; as a share of the
# log-likelihood where that is above 1, since it is known to a share only.
TOLERANCE = 1e-6
_STEP = 1e-4


@dataclass(frozen=True)
class Fit:
    """The most likely parameters and how sure they are.

    Parameters
    ----------
    model
        The parameters.
    log_likelihood
        Of all customers.
    customers
        Their number.
    log_errors
        Standard errors of the logarithms of the parameters, in the order of NAMES; infinite for a
        parameter that the data do not settle.
    at_limit
        Names of the parameters that ran to their limit.
    """

    model: BgNbd
    log_likelihood: float
    customers: int
    log_errors: tuple[float, ...]
    at_limit: tuple[str, ...]

    def interval(self, name: str, level: float = 0.95) -> tuple[float, float]:
        """Confidence interval of a parameter, symmetric in its logarithm."""
        reach = float(norm.ppf((1 + level) / 2)) * self.log_errors[NAMES.index(name)]
        value = getattr(self.model, name)
        with np.errstate(over="ignore"):
            return float(value * np.exp(-reach)), float(value * np.exp(reach))


def fit(histories: Histories) -> Fit:
    """Find the most likely parameters.

    Raises
    ------
    ContractError
        Nobody bought twice, or the search did not end in a maximum.
    """
    if not histories.repeats.any():
        raise ContractError(
            f"BG/NBD has nothing to learn from: none of {len(histories)} customers bought on a "
            "second day; load a longer or larger log"
        )
    distinct, _, counts = histories.distinct()
    shares = counts / counts.sum()
    scale = float(shares @ distinct.age)

    def model_of(logs: Floats) -> BgNbd:
        r, alpha, a, b = np.exp(logs)
        return BgNbd(float(r), float(alpha * scale), float(a), float(b))

    def loss(logs: Floats) -> tuple[float, Floats]:
        likelihood, gradient = likelihood_and_gradient(model_of(logs), distinct)
        return -float(likelihood @ shares), -gradient @ shares

    found = minimize(
        loss,
        np.zeros(4),
        jac=True,
        # L-BFGS-B gives up on a ridge along a limit, with about one small log in a hundred.
        method="SLSQP",
        bounds=[(-LIMIT, LIMIT)] * 4,
        options={"ftol": 1e-16, "maxiter": 1_000},
    )
    logs = found.x
    _check_maximum(logs, *loss(logs), str(found.message))
    model = model_of(logs)
    return Fit(
        model=model,
        log_likelihood=float(model.log_likelihood(distinct) @ counts),
        customers=len(histories),
        log_errors=_log_errors(logs, lambda at: loss(at)[1], len(histories)),
        at_limit=tuple(name for name, log in zip(NAMES, logs, strict=True) if abs(log) >= LIMIT),
    )


def _check_maximum(logs: Floats, loss: float, slope: Floats, message: str) -> None:
    # At a limit a slope that points beyond it is none.
    left = np.abs(logs - np.clip(logs - slope, -LIMIT, LIMIT)).max() / max(1.0, abs(loss))
    if not left <= TOLERANCE:
        raise ContractError(
            f"BG/NBD was not fitted: the search ended with a slope of {left:.1e}, more than "
            f"{TOLERANCE:.0e} ({message}); check the order days, or load a longer or larger log"
        )


def _log_errors(
    logs: Floats, slope: Callable[[Floats], Floats], customers: int
) -> tuple[float, ...]:
    """Standard errors from the curvature at the maximum."""
    free = np.abs(logs) < LIMIT
    errors = np.full(len(logs), np.inf)
    steps = _STEP * np.eye(len(logs))[free]
    rows = [(slope(logs + step) - slope(logs - step))[free] / (2 * _STEP) for step in steps]
    information = customers * np.array(rows).reshape(len(steps), len(steps))
    information = (information + information.T) / 2
    # A ridge without a summit leaves the parameters along it open.
    if len(steps) and np.linalg.eigvalsh(information)[0] > 0:
        errors[free] = np.sqrt(np.diag(np.linalg.inv(information)))
    return tuple(float(error) for error in errors)
