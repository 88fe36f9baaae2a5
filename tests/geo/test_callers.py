from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import Point

from contracts import (
    CallerFix,
    CallId,
    Disc,
    FixMethod,
    FixShape,
    Hazard,
    Outline,
    Polygon,
    ReportId,
    Sector,
)
from geo import LocalProjection, caller_region
from geo.callers import caller_place, sector_outline, stood_off
from tests.geo.builders import BEKASI, START

PROJECTION = LocalProjection(BEKASI)


def fix_of(shape: FixShape, confidence: float) -> CallerFix:
    return CallerFix(
        id=ReportId("f"),
        call_id=CallId("c"),
        shape=shape,
        confidence=confidence,
        method=FixMethod.GNSS,
        source="aml",
        positioned_at=START,
        received_at=START,
    )


def square(side_m: float) -> Outline:
    half = side_m / 2
    corners = [(-half, -half), (half, -half), (half, half), (-half, half), (-half, -half)]
    return Outline(area=Polygon((tuple(PROJECTION.to_lonlat(x, y) for x, y in corners),)))


@given(st.floats(5, 5000), st.floats(0.3, 0.99))
def test_a_disc_is_drawn_at_one_confidence(radius_m: float, confidence: float) -> None:
    region = caller_region(fix_of(Disc(centre=BEKASI, radius_m=radius_m), confidence), PROJECTION)
    drawn_m = (PROJECTION.plane(region).area / np.pi) ** 0.5
    sigma = max(radius_m / np.sqrt(-2 * np.log(1 - confidence)), 3.0)
    assert drawn_m == pytest.approx(sigma * np.sqrt(-2 * np.log(0.05)), rel=0.02)


def test_confidence_is_never_assumed() -> None:
    shape = Disc(centre=BEKASI, radius_m=52)
    sure = caller_place(shape, 0.95, PROJECTION).covariance
    unsure = caller_place(shape, 0.68, PROJECTION).covariance
    assert unsure[0, 0] > 2 * sure[0, 0]


@pytest.mark.parametrize(
    "shape",
    [
        Disc(centre=BEKASI, radius_m=100),
        Sector(antenna=BEKASI, azimuth_deg=120, opening_deg=120, range_m=1500),
        square(400),
    ],
)
def test_the_place_holds_the_shape_with_its_confidence(shape: FixShape) -> None:
    """Draws from the mixture fall inside about as often as the source says."""
    rng = np.random.default_rng(2)
    place = caller_place(shape, 0.9, PROJECTION)
    which = rng.choice(len(place.weights), p=place.weights, size=4000)
    roots = np.linalg.cholesky(place.covariances)
    drawn = place.means[which] + (roots[which] @ rng.normal(size=(4000, 2, 1)))[..., 0]
    outline = PROJECTION.plane(caller_region(fix_of(shape, 0.9), PROJECTION, 0.9))
    share = np.mean([outline.contains(Point(xy)) for xy in drawn])
    assert 0.78 <= share <= 0.93


def test_a_sector_lies_on_its_side_of_the_antenna() -> None:
    sector = Sector(antenna=BEKASI, azimuth_deg=90, opening_deg=60, range_m=1000)
    outline = sector_outline(sector, PROJECTION)
    assert outline.contains(Point(500, 0)) and not outline.contains(Point(-10, 0))
    assert not outline.contains(Point(0, 500))
    assert caller_place(sector, 0.95, PROJECTION).mean[0] > 300


@pytest.mark.parametrize("hazard", [*Hazard, None])
def test_the_incident_is_near_the_caller_not_at_it(hazard: Hazard | None) -> None:
    shape = Disc(centre=BEKASI, radius_m=10)
    caller = caller_place(shape, 0.95, PROJECTION)
    incident = stood_off(caller_place(shape, 0.95, PROJECTION), hazard)
    assert incident.mean == pytest.approx(caller.mean, abs=1e-6)
    assert incident.covariance[0, 0] > caller.covariance[0, 0]


def test_fires_are_seen_from_farther_off_than_the_sick() -> None:
    shape = Disc(centre=BEKASI, radius_m=10)
    caller = caller_place(shape, 0.95, PROJECTION)
    fire = stood_off(caller, Hazard.FIRE).covariance[0, 0]
    sick = stood_off(caller, Hazard.MEDICAL).covariance[0, 0]
    assert fire > 5 * sick


def test_an_outline_without_an_area_is_a_click() -> None:
    thin = Outline(
        area=Polygon((((106.99, -6.23), (106.9901, -6.23), (106.9902, -6.23), (106.99, -6.23)),))
    )
    assert PROJECTION.plane(caller_region(fix_of(thin, 0.9), PROJECTION)).area > 50
    assert caller_place(thin, 0.9, PROJECTION).covariance[0, 0] > 0
