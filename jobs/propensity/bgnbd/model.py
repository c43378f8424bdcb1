"""BG/NBD with given parameters: likelihood, and what is to be expected of a customer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit, hyp2f1

from jobs.core.errors import ContractError
from jobs.propensity.bgnbd.histories import Histories

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

NAMES = ("r", "alpha", "a", "b")
# So near to a = 1 or a + b = 1 the closed form of the expectation is 0/0 and loses its digits.
_SINGULAR = 1e-3
_GAUSS_POINTS = 20


@dataclass(frozen=True)
class BgNbd:
    """Parameters of all customers together.

    Parameters
    ----------
    r, alpha
        Shape and rate of the gamma distribution of purchase rates; alpha is a time.
    a, b
        Of the beta distribution of the chance to leave after a repeat purchase.
    """

    r: float
    alpha: float
    a: float
    b: float

    def __post_init__(self) -> None:
        """Refuse parameters that are not positive numbers."""
        if not all(0 < getattr(self, name) < np.inf for name in NAMES):
            raise ValueError(f"parameters must be positive: {self}")

    def log_likelihood(self, histories: Histories) -> Floats:
        """Log-likelihood of each customer; the sum is that of the paper's appendix."""
        return likelihood_and_gradient(self, histories)[0]

    def alive(self, histories: Histories) -> Floats:
        """Chance that a customer has not left; 1 without a repeat purchase, after which one may."""
        return expit(-_logit_of_gone(self, histories))

    def buys_within(self, histories: Histories, horizon: float) -> Floats:
        """Chance of at least one purchase in (T, T + horizon].

        Whoever is alive stays until the next purchase, whose rate is gamma-distributed with shape
        r + x and rate alpha + T.
        """
        shape, rate = self.r + histories.repeats, self.alpha + histories.age
        return self.alive(histories) * -np.expm1(-shape * np.log1p(horizon / rate))

    def purchases_within(self, histories: Histories, horizon: float) -> Floats:
        """Mean number of purchases in (T, T + horizon]; formula (10) of the paper.

        Raises
        ------
        ContractError
            The library has no number for parameters and horizon so extreme.
        """
        if_alive = _purchases_if_alive(self, histories.repeats, histories.age, horizon)
        return self.alive(histories) * if_alive

    def repeats_by_age(self, age: ArrayLike) -> Floats:
        """Mean number of repeat purchases of a new customer up to an age; formula (9)."""
        ages = np.asarray(age, dtype=np.float64)
        return _purchases_if_alive(self, np.zeros_like(ages), np.zeros_like(ages), ages)


def likelihood_and_gradient(model: BgNbd, histories: Histories) -> tuple[Floats, Floats]:
    """Log-likelihood of each customer, and its derivatives by the logarithms of the parameters.

    Ratios of gamma functions are sums over the repeat purchases, which lose no digits where a
    parameter is very large or small.

    Returns
    -------
    tuple
        One number per customer, and four rows of them in the order of NAMES.
    """
    r, alpha, a, b = model.r, model.alpha, model.a, model.b
    x, last, age = histories.repeats, histories.last, histories.age
    count = x.astype(np.int64)
    steps = np.arange(count.max(initial=0))
    gone = _logit_of_gone(model, histories)
    share_gone = expit(gone)
    survived = _sums(np.log1p(a / (b + steps)))[count]
    likelihood = (
        _sums(np.log(r + steps))[count]
        - r * np.log1p(age / alpha)
        - x * np.log(alpha + age)
        - survived
        + np.logaddexp(0, gone)
    )
    silence = np.log1p((age - last) / (alpha + last))
    by_alpha = (r * age / alpha - x) / (alpha + age)
    by_alpha -= share_gone * (r + x) * (age - last) / ((alpha + age) * (alpha + last))
    # Where x is 0 the share is too, and what it is divided by does not matter.
    before_last = np.where(x > 0, b + x - 1, 1)
    gradient = np.array(
        [
            r * (_sums(1 / (r + steps))[count] - np.log1p(age / alpha) + share_gone * silence),
            alpha * by_alpha,
            share_gone - a * _sums(1 / (a + b + steps))[count],
            b * (_sums(a / ((b + steps) * (a + b + steps)))[count] - share_gone / before_last),
        ]
    )
    return likelihood, gradient


def _sums(terms: Floats) -> Floats:
    """Sums of the first 0, 1, 2, ... terms."""
    return np.concatenate([[0.0], np.cumsum(terms)])


def _logit_of_gone(model: BgNbd, histories: Histories) -> Floats:
    x, last, age = histories.repeats, histories.last, histories.age
    silence = np.log1p((age - last) / (model.alpha + last))
    before_last = np.where(x > 0, model.b + x - 1, 1)
    logit = np.log(model.a / before_last) + (model.r + x) * silence
    return np.where(x > 0, logit, -np.inf)


def _purchases_if_alive(model: BgNbd, x: Floats, age: Floats, horizon: Any) -> Floats:
    a, b = model.a, model.b
    shape, growth = model.r + x, np.log1p(horizon / (model.alpha + age))
    if min(abs(a - 1), abs(a + b - 1)) < _SINGULAR:
        return _by_quadrature(a, b + x, shape, growth)
    mean_left = (a + b + x - 1) / (a - 1)
    return mean_left * (1 - _hypergeometric(shape, b + x, a - 1, growth))


def _by_quadrature(a: float, beta: Floats, shape: Floats, growth: Floats) -> Floats:
    """Integrate the mean purchase rate of who was alive over the horizon."""
    total = np.zeros(np.broadcast(beta, growth).shape)
    points, weights = np.polynomial.legendre.leggauss(_GAUSS_POINTS)
    for point, weight in zip((points + 1) / 2, weights / 2, strict=True):
        # In the logarithm of time the rate falls smoothly however long the horizon is.
        passed = point * growth
        rate = shape * np.exp(passed) * _hypergeometric(shape + 1, beta, a, passed)
        total += weight * growth * rate
    return total


def _hypergeometric(shape: Floats, beta: Floats, a: float, growth: Floats) -> Floats:
    """Compute 2F1(shape, a; a + beta; 1 - e^growth), the mean of (1 + p (e^growth - 1))^-shape.

    For p of a beta distribution with a and beta. Two transformations bring the argument into
    [0, 1). The one is taken whose function stays finite up to 1; where the library has no number
    for it, in rare corners, the other.
    """
    found = _transformed(a > shape, shape, beta, a, growth)
    is_lost = ~np.isfinite(found)
    if is_lost.any():
        found = np.where(is_lost, _transformed(a <= shape, shape, beta, a, growth), found)
    if not np.isfinite(found).all():
        raise ContractError(
            "the mean number of purchases cannot be computed for a horizon this many times longer "
            "than a customer's age; take a shorter one"
        )
    return found


def _transformed(
    by_shape: NDArray[np.bool_], shape: Floats, beta: Floats, a: float, growth: Floats
) -> Floats:
    first = np.where(by_shape, shape, a + beta - shape)
    second, power = np.where(by_shape, beta, a), np.where(by_shape, shape, a)
    with np.errstate(over="ignore", invalid="ignore"):
        function = hyp2f1(first, second, a + beta, -np.expm1(-growth))
        return np.exp(-power * growth) * function
