"""Moments of what one user in a known state does on one day; compiled, called in inner loops.

Visits are Poisson(mu), on the day of signup one more. If each is of some kind with chance p, the
visits of that kind are N = B + M with B ~ Bernoulli(p) on the day of signup, else 0, and
M ~ Poisson(mu p). Its factorial moments F_r = E[N (N-1) ... (N-r+1)] are those of M, l^r, and with
the one visit more, since B is 0 or 1,

    F_1 = l + b,  F_2 = l^2 + 2 l b,  F_3 = l^3 + 3 l^2 b       (b = p or 0, l = mu p).

Raw moments follow: E[N^2] = F_2 + F_1, E[N^3] = F_3 + 3 F_2 + F_1.

**Orders.** The day's first order stands, every further one with chance omega: with K = max(N-1, 0)
further ones, X = 1{N >= 1} (1 + B_K), B_K ~ Binomial(K, omega). Of K, with P = P(N >= 1),

    E[K] = F_1 - P,  E[K (K-1)] = F_2 - 2 E[K],  E[K (K-1) (K-2)] = F_3 - 3 E[K (K-1)],

because (N-1) (N-2) = N (N-1) - 2 (N-1) and (N-1) (N-2) (N-3) = N (N-1) (N-2) - 3 (N-1) (N-2).
The factorial moments b_r of B_K are omega^r times those of K, and those of X are

    E[X] = P + b_1,  E[X (X-1)] = 2 b_1 + b_2,  E[X (X-1) (X-2)] = 3 b_2 + b_3.

**Revenue.** Log amounts are m + s_b e_u + s_w e with e_u shared by the orders of one user. A
product of powers n_1, n_2, .. of different amounts has, with n = n_1 + n_2 + ..,

    E = exp(n m + n^2 s_b^2 / 2 + (n_1^2 + n_2^2 + ..) s_w^2 / 2).

So with x_r the factorial moments of X, E[R] = x_1 E[a], E[R^2] = x_1 E[a^2] + x_2 E[a a'], and
E[R^3] = x_1 E[a^3] + 3 x_2 E[a^2 a'] + x_3 E[a a' a''].

Neglected: the cap of 31 sessions a day and the rounding to cents, far below what any sample shows.
"""

from __future__ import annotations

import numpy as np

from jobs.shop.hashing import Float64Array
from jobs.shop.jit import compiled
from jobs.shop.regimes import ARMS
from jobs.shop.world import World

Triple = tuple[float, float, float]

# Powers of one, two or three amounts: which moment of order values stands in which column.
_POWERS = ((1,), (2,), (1, 1), (3,), (2, 1), (1, 1, 1))


@compiled
def count_factorials(extra: float, mean: float) -> Triple:
    """Factorial moments of Bernoulli(extra) + Poisson(mean)."""
    return mean + extra, mean * (mean + 2 * extra), mean * mean * (mean + 3 * extra)


@compiled
def raw_moments(factorials: Triple) -> Triple:
    """First three raw moments from the factorial ones."""
    first, second, third = factorials
    return first, second + first, third + 3 * second + first


@compiled
def order_factorials(extra: float, mean: float, stands: float) -> Triple:
    """Factorial moments of the orders left of Bernoulli(extra) + Poisson(mean) of them.

    The first stands, the others with chance `stands`; derived at the top of the module.
    """
    first, second, third = count_factorials(extra, mean)
    any_order = 1 - (1 - extra) * np.exp(-mean)
    more = first - any_order
    pairs = second - 2 * more
    triples = third - 3 * pairs
    one, two, three = stands * more, stands**2 * pairs, stands**3 * triples
    return any_order + one, 2 * one + two, 3 * two + three


@compiled
def revenue_moments(orders: Triple, amounts: Float64Array) -> Triple:
    """First three raw moments of the revenue, from `order_factorials` and a row of `amounts`."""
    one, two, three = orders
    return (
        one * amounts[0],
        one * amounts[1] + two * amounts[2],
        one * amounts[3] + 3 * two * amounts[4] + three * amounts[5],
    )


def amount_moments(world: World) -> Float64Array:
    """Tabulate E of the products of order values that `revenue_moments` needs.

    Returns
    -------
    array, shape (regimes, ARMS, countries, rates, 6)
        E[a], E[a^2], E[a a'], E[a^3], E[a^2 a'], E[a a' a'']; powers of money.
    """
    orders = world.settings.orders
    log_rate = np.minimum(np.log(world.rate.values), orders.log_rate_cap)
    level = orders.log_value + orders.log_value_per_log_rate * log_rate
    mean = world.regimes.log_amount.reshape(-1, ARMS, 1, 1) + (
        world.segments.log_amount_effect[:, None] + level
    )
    between, within = orders.log_value_sd_between**2 / 2, orders.log_value_sd_within**2 / 2
    columns = []
    for powers in _POWERS:
        total, squares = sum(powers), sum(power**2 for power in powers)
        columns.append(np.exp(total * mean + total**2 * between + squares * within))
    return np.stack(columns, axis=-1)
