"""How users differ: latent slices nobody observes, and effects of what everybody observes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from jobs.shop.hashing import Float64Array
from jobs.shop.settings import MixtureSettings, ShopSettings


@dataclass(frozen=True, eq=False)
class Slices:
    """One latent trait as a finite mixture.

    Attributes
    ----------
    edges : array, shape (slices + 1,)
        Cumulative shares of the users, from 0 to 1.
    values : array, shape (slices,)
        Mean of the law within each slice, so the tail and the overall mean are kept.
    """

    edges: Float64Array
    values: Float64Array

    @property
    def shares(self) -> Float64Array:
        """Share of the users in each slice."""
        return np.diff(self.edges)


@dataclass(frozen=True, eq=False)
class Segments:
    """Countries and channels in the order of the settings, with their effects.

    Attributes
    ----------
    country_names, channel_names : array of str, shapes (C,) and (H,)
    country_edges, channel_edges : arrays, shapes (C + 1,) and (C, H + 1)
        Cumulative shares; those of the channels are within a country.
    utc_offset_seconds : int array, shape (C,)
    rate_effect : array, shape (H,)
        Factor on the visit rate; 1 on average over users.
    conversion_effect : array, shape (C, H)
        Factor on the chances to order or fill a cart; 1 on average over visits.
    log_amount_effect : array, shape (C,)
        Logarithm of the factor on order values; the factor is 1 on average over orders.
    """

    country_names: NDArray[np.str_]
    channel_names: NDArray[np.str_]
    country_edges: Float64Array
    channel_edges: Float64Array
    utc_offset_seconds: NDArray[np.int64]
    rate_effect: Float64Array
    conversion_effect: Float64Array
    log_amount_effect: Float64Array

    @property
    def shares(self) -> Float64Array:
        """Share of the users in each country and channel, shape (C, H)."""
        return np.diff(self.country_edges)[:, None] * np.diff(self.channel_edges, axis=1)


def rate_slices(mixture: MixtureSettings) -> Slices:
    """Cut the visit rate, Gamma with mean 1, into slices."""
    return _gamma_slices(mixture.rate_shape, mixture.rate_quantiles)


def conversion_slices(mixture: MixtureSettings) -> Slices:
    """Cut the readiness to buy, Gamma with mean 1, into slices."""
    return _gamma_slices(mixture.conversion_shape, mixture.conversion_quantiles)


def leave_slices(mixture: MixtureSettings) -> Slices:
    """Cut the daily hazard of leaving for good, Beta, into slices."""
    alpha, beta = mixture.leave_alpha, mixture.leave_beta
    edges = np.array(mixture.leave_quantiles, dtype=np.float64)
    cuts = special.betaincinv(alpha, beta, edges)
    # x times a Beta(a, b) density is the mean times a Beta(a + 1, b) density.
    mass = np.diff(special.betainc(alpha + 1, beta, cuts)) * alpha / (alpha + beta)
    return Slices(edges, mass / np.diff(edges))


def segments(settings: ShopSettings) -> Segments:
    """Collect shares and effects, each effect scaled so that the shop's mean stays as set.

    Visits follow the rate, and orders follow visits and conversion; so the conversion effect is
    averaged with weights share x rate, the amount effect with share x rate x conversion.
    """
    countries, channels = settings.countries, settings.channels
    country_share = np.array([country.share for country in countries.values()])
    channel_share = np.array(
        [[country.channels[name] for name in channels] for country in countries.values()]
    )
    users = country_share[:, None] * channel_share
    rate = np.array([channel.rate for channel in channels.values()])
    rate = rate / (users * rate).sum()
    visits = users * rate
    conversion = np.outer(
        [country.conversion for country in countries.values()],
        [channel.conversion for channel in channels.values()],
    )
    conversion = conversion / (visits * conversion).sum()
    orders = (visits * conversion).sum(axis=1)
    amount = np.array([country.amount for country in countries.values()])
    amount = amount / (orders * amount).sum()
    offsets = [country.utc_offset_hours * 3600 for country in countries.values()]
    return Segments(
        country_names=np.array(list(countries)),
        channel_names=np.array(list(channels)),
        country_edges=_edges(country_share),
        channel_edges=_edges(channel_share),
        utc_offset_seconds=np.array(offsets, dtype=np.int64),
        rate_effect=rate,
        conversion_effect=conversion,
        log_amount_effect=np.log(amount),
    )


def _gamma_slices(shape: float, quantiles: tuple[float, ...]) -> Slices:
    edges = np.array(quantiles, dtype=np.float64)
    cuts = special.gammaincinv(shape, edges)
    # x times a Gamma(shape) density is the mean, here 1, times a Gamma(shape + 1) density.
    return Slices(edges, np.diff(special.gammainc(shape + 1, cuts)) / np.diff(edges))


def _edges(shares: Float64Array) -> Float64Array:
    """Cumulative shares along the last axis, with 0 in front and exactly 1 at the end."""
    cumulative = np.cumsum(shares, axis=-1)
    cumulative[..., -1] = 1.0
    return np.concatenate([np.zeros((*shares.shape[:-1], 1)), cumulative], axis=-1)
