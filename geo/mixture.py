"""Gaussian mixtures on the plane: what one report says of an incident's place.

Every source speaks this language (a box's wedge, a caller's disc, a cell's sector), so that
reports multiply in closed form and the mass of a product is the evidence that they share a place.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LOG_2PI = math.log(2 * math.pi)


@dataclass(frozen=True)
class Mixture:
    """``K`` Gaussians on the plane whose weights sum to 1.

    Attributes:
        log_weights: ``(K,)`` natural logarithms.
        means: ``(K, 2)`` metres east and north.
        covariances: ``(K, 2, 2)`` square metres.
    """

    log_weights: Floats
    means: Floats
    covariances: Floats

    @classmethod
    def of(cls, weights: Sequence[float] | Floats, means: Floats, covariances: Floats) -> Mixture:
        """From weights that need not sum to 1."""
        share = np.asarray(weights, dtype=float)
        return cls(np.log(share / share.sum()), np.asarray(means), np.asarray(covariances))

    @classmethod
    def single(cls, mean: Floats | tuple[float, float], covariance: Floats) -> Mixture:
        """One Gaussian."""
        return cls(np.zeros(1), np.asarray(mean, dtype=float)[None], np.asarray(covariance)[None])

    @property
    def weights(self) -> Floats:
        """``(K,)`` weights."""
        return np.exp(self.log_weights)

    @cached_property
    def mean(self) -> Floats:
        """``(2,)`` mean of the whole."""
        return np.asarray(self.weights @ self.means)

    @cached_property
    def covariance(self) -> Floats:
        """``(2, 2)`` covariance of the whole."""
        off = self.means - self.mean
        spread = self.covariances + off[:, :, None] * off[:, None, :]
        return np.asarray(np.tensordot(self.weights, spread, axes=1))

    @cached_property
    def reach_m(self) -> float:
        """Radius about the mean that holds every component to 3.5 standard deviations."""
        off = np.hypot(*(self.means - self.mean).T)
        widest = np.sqrt(np.trace(self.covariances, axis1=1, axis2=2))
        return float(np.max(off + 3.5 * widest))

    def log_density(self, xy: Floats) -> Floats:
        """``(N,)`` log density (1/m2) at ``(N, 2)`` points."""
        inverse, log_det = _invert(self.covariances)
        off = xy[None, :, :] - self.means[:, None, :]
        quadratic = (
            inverse[:, 0, 0, None] * off[..., 0] ** 2
            + 2 * inverse[:, 0, 1, None] * off[..., 0] * off[..., 1]
            + inverse[:, 1, 1, None] * off[..., 1] ** 2
        )
        terms = (self.log_weights - LOG_2PI - 0.5 * log_det)[:, None] - 0.5 * quadratic
        return log_sum(terms, axis=0)

    def log_mass(self, other: Mixture) -> float:
        """Log of the integral of the two densities' product (1/m2), without the product."""
        inverse, log_det = _invert(
            (self.covariances[:, None] + other.covariances[None]).reshape(-1, 2, 2)
        )
        off = (other.means[None] - self.means[:, None]).reshape(-1, 2)
        distance2 = np.einsum("ki,kij,kj->k", off, inverse, off)
        log_weights = (self.log_weights[:, None] + other.log_weights[None]).ravel()
        return float(log_sum(log_weights - LOG_2PI - 0.5 * (log_det + distance2), axis=0))

    def product(self, other: Mixture, most: int = 12) -> tuple[float, Mixture]:
        """The two as statements of one place.

        Returns:
            Log of the integral of the densities' product (1/m2), over all pairs of components, and
            the normalised product, of which the ``most`` heaviest components are kept.
        """
        first, second = len(self.log_weights), len(other.log_weights)
        i = np.repeat(np.arange(first), second)
        j = np.tile(np.arange(second), first)
        p, q = self.covariances[i], other.covariances[j]
        inverse, log_det = _invert(p + q)
        off = other.means[j] - self.means[i]
        pull = (inverse @ off[:, :, None])[:, :, 0]
        distance2 = np.sum(off * pull, axis=1)
        log_weights = (
            self.log_weights[i] + other.log_weights[j] - LOG_2PI - 0.5 * (log_det + distance2)
        )
        log_mass = float(log_sum(log_weights, axis=0))
        # Stable, so that equal weights keep the order of their making and a replay is exact.
        kept = np.argsort(-log_weights, kind="stable")[:most]
        kept = kept[log_weights[kept] > log_weights[kept[0]] - 9.0]
        weights = log_weights[kept] - log_sum(log_weights[kept], axis=0)
        gain = p[kept] @ inverse[kept]
        means = self.means[i[kept]] + (p[kept] @ pull[kept][:, :, None])[:, :, 0]
        covariances = p[kept] - gain @ p[kept]
        symmetric = 0.5 * (covariances + np.swapaxes(covariances, 1, 2))
        return log_mass, Mixture(weights, means, symmetric)

    def blurred(self, sigmas_m: Sequence[float], weights: Sequence[float]) -> Mixture:
        """The place of something that stands off this one by a mixture of round Gaussians."""
        round_ones = np.square(np.asarray(sigmas_m, dtype=float))[:, None, None] * np.eye(2)
        share = np.log(np.asarray(weights, dtype=float) / np.sum(weights))
        count = len(round_ones)
        return Mixture(
            (self.log_weights[:, None] + share[None, :]).ravel(),
            np.repeat(self.means, count, axis=0),
            (self.covariances[:, None] + round_ones[None]).reshape(-1, 2, 2),
        )

    def widened(self, factor: float) -> Mixture:
        """The same about the same mean, ``factor`` times as wide."""
        means = self.mean + factor * (self.means - self.mean)
        return Mixture(self.log_weights, means, factor**2 * self.covariances)


def density(off: Floats, covariance: Floats) -> float:
    """Of one Gaussian (1/m2), ``(2,)`` metres off its mean; many at once: `Mixture.log_density`."""
    (a, b), (_, d) = covariance.tolist()
    det = a * d - b * b
    x, y = off.tolist()
    distance2 = (d * x * x - 2 * b * x * y + a * y * y) / det
    return math.exp(-0.5 * distance2) / (2 * math.pi * math.sqrt(det))


def log_sum(terms: Floats, axis: int) -> Floats:
    """Log of the sum of exponentials, without overflow."""
    top = np.max(terms, axis=axis, keepdims=True)
    return np.asarray(np.squeeze(top, axis) + np.log(np.sum(np.exp(terms - top), axis=axis)))


def _invert(matrices: Floats) -> tuple[Floats, Floats]:
    """Inverses and log determinants of symmetric ``(K, 2, 2)``."""
    a, b, d = matrices[:, 0, 0], matrices[:, 0, 1], matrices[:, 1, 1]
    det = a * d - b * b
    inverse = np.empty_like(matrices)
    inverse[:, 0, 0], inverse[:, 1, 1] = d / det, a / det
    inverse[:, 0, 1] = inverse[:, 1, 0] = -b / det
    return inverse, np.log(det)
