from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import contains_xy

from geo.mixture import Mixture
from geo.regions import credible_areas, sigmas_of
from tests.geo.builders import few

seeds = st.integers(0, 10_000)


def some_mixture(rng: np.random.Generator, count: int, apart_m: float = 60.0) -> Mixture:
    roots = rng.normal(size=(count, 2, 2)) * 30
    covariances = roots @ np.swapaxes(roots, 1, 2) + 4 * np.eye(2)
    return Mixture.of(
        rng.dirichlet(np.ones(count)), rng.normal(size=(count, 2)) * apart_m, covariances
    )


@few
@given(seeds, st.integers(1, 4), st.integers(1, 4))
def test_a_products_mass_is_the_integral_of_the_densities(seed: int, k: int, m: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = some_mixture(rng, k), some_mixture(rng, m)
    log_mass, product = a.product(b, most=100)
    line = np.linspace(-900, 900, 361)
    mesh = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    both = np.exp(a.log_density(mesh) + b.log_density(mesh))
    total = both.sum() * (line[1] - line[0]) ** 2
    # A grid of 5 m misses the finest of the random needles by a few percent.
    assert math.exp(log_mass) == pytest.approx(total, rel=0.1)
    assert product.weights.sum() == pytest.approx(1)
    assert product.mean == pytest.approx(both @ mesh / both.sum(), abs=2.0)


@few
@given(seeds)
def test_products_commute(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = some_mixture(rng, 3), some_mixture(rng, 2)
    (mass_ab, ab), (mass_ba, ba) = a.product(b), b.product(a)
    assert mass_ab == pytest.approx(mass_ba)
    assert ab.mean == pytest.approx(ba.mean, abs=1e-6)
    assert ab.covariance == pytest.approx(ba.covariance, rel=1e-6)


@few
@given(seeds, st.integers(1, 6))
def test_a_credible_area_holds_its_share(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    mixture = some_mixture(rng, count)
    which = rng.choice(count, p=mixture.weights, size=4000)
    roots = np.linalg.cholesky(mixture.covariances)
    drawn = mixture.means[which] + (roots[which] @ rng.normal(size=(4000, 2, 1)))[..., 0]
    inner, outer = credible_areas(mixture, (0.5, 0.9))
    assert contains_xy(inner, *drawn.T).mean() == pytest.approx(0.5, abs=0.12)
    assert contains_xy(outer, *drawn.T).mean() == pytest.approx(0.9, abs=0.06)
    assert inner.area < outer.area


@few
@given(seeds)
def test_blurring_adds_variance_and_keeps_the_mean(seed: int) -> None:
    mixture = some_mixture(np.random.default_rng(seed), 3)
    blurred = mixture.blurred([10.0, 50.0], [0.75, 0.25])
    assert blurred.mean == pytest.approx(mixture.mean)
    added = 0.75 * 100 + 0.25 * 2500
    assert blurred.covariance == pytest.approx(mixture.covariance + added * np.eye(2))


def test_the_radius_of_a_confidence() -> None:
    """52 m at 68 % is 84 m at 95 %."""
    assert 52 / sigmas_of(0.68) * sigmas_of(0.95) == pytest.approx(84.3, abs=0.5)
