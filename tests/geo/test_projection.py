from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod
from shapely import Polygon, box

from contracts import LonLat, MultiPolygon
from geo import LocalProjection, PlaceError, require_inside
from geo.projection import distance_m
from tests.geo.builders import BEKASI, centres, offsets_m

GEOD = Geod(ellps="WGS84")


@given(centre=centres, offset=offsets_m)
def test_a_place_comes_back_to_the_millimetre(centre: LonLat, offset: tuple[float, float]) -> None:
    projection = LocalProjection(centre)
    lon, lat = projection.to_lonlat(*offset)
    assert -180 <= lon <= 180 and -90 <= lat <= 90
    assert projection.to_xy(lon, lat) == pytest.approx(offset, abs=1e-3)


@given(centre=centres, offset=offsets_m)
def test_distance_and_bearing_from_the_centre_are_the_earths(
    centre: LonLat, offset: tuple[float, float]
) -> None:
    projection = LocalProjection(centre)
    lon, lat = projection.to_lonlat(*offset)
    bearing, _, distance = GEOD.inv(centre.lon, centre.lat, lon, lat)
    assert distance == pytest.approx(math.hypot(*offset), rel=1e-6, abs=1e-3)
    if distance > 1:
        turn = math.remainder(bearing - math.degrees(math.atan2(*offset)), 360)
        assert turn == pytest.approx(0, abs=1e-3)


@given(centre=centres, offset=offsets_m, bearing=st.floats(0, 360))
def test_convergence_turns_true_bearings_into_the_planes(
    centre: LonLat, offset: tuple[float, float], bearing: float
) -> None:
    projection = LocalProjection(centre)
    lon, lat = projection.to_lonlat(*offset)
    lon1, lat1, _ = GEOD.fwd(lon, lat, bearing, 50.0)
    x, y = projection.to_xy(lon, lat)
    x1, y1 = projection.to_xy(lon1, lat1)
    expected = math.radians(bearing) + projection.convergence_rad(x, y)
    assert math.remainder(math.atan2(x1 - x, y1 - y) - expected, 2 * math.pi) == pytest.approx(
        0, abs=2e-4
    )


def test_arrays_and_scalars_agree() -> None:
    projection = LocalProjection(BEKASI)
    lon, lat = np.array([106.9, 107.0]), np.array([-6.2, -6.3])
    x, y = projection.to_xy(lon, lat)
    assert (x[1], y[1]) == projection.to_xy(107.0, -6.3)


def test_swapped_and_infinite_coordinates_are_refused() -> None:
    projection = LocalProjection(BEKASI)
    with pytest.raises(PlaceError, match="swapped"):
        projection.to_xy(-6.2383, 106.992)
    with pytest.raises(PlaceError, match="finite"):
        projection.to_xy(float("nan"), 0.0)


def test_a_place_outside_the_city_is_refused_with_its_distance() -> None:
    require_inside(LonLat(107.0, -6.25), BEKASI, 30_000)
    with pytest.raises(PlaceError, match=r"1\d\d\.\d km from the city's centre"):
        require_inside(LonLat(108.0, -6.25), BEKASI, 30_000)


def test_a_swap_that_degrees_allow_is_named() -> None:
    berlin = LonLat(13.4, 52.5)
    with pytest.raises(PlaceError, match="look swapped"):
        require_inside(LonLat(52.5, 13.4), berlin, 30_000)


@given(a=centres, b=centres)
def test_distance_is_within_a_percent_of_the_ellipsoids(a: LonLat, b: LonLat) -> None:
    _, _, true_m = GEOD.inv(a.lon, a.lat, b.lon, b.lat)
    assert distance_m(a, b) == pytest.approx(true_m, rel=0.01, abs=0.01)


@given(centre=centres, size=st.floats(5, 3000), offset=offsets_m)
def test_an_area_keeps_its_size_and_place(
    centre: LonLat, size: float, offset: tuple[float, float]
) -> None:
    projection = LocalProjection(centre)
    x, y = offset
    plane = box(x, y, x + size, y + size)
    area = projection.area(plane)
    assert area is not None
    back = projection.plane(area)
    assert back.symmetric_difference(plane).area < 0.05 * plane.area + 1


def test_an_area_across_the_antimeridian_is_cut_there() -> None:
    projection = LocalProjection(LonLat(179.999, -16.5))
    area = projection.area(Polygon([(-500, -500), (500, -500), (500, 500), (-500, 500)]))
    assert isinstance(area, MultiPolygon)
    longitudes = [lon for part in area.coordinates for ring in part for lon, _ in ring]
    assert any(lon > 179.9 for lon in longitudes) and any(lon < -179.9 for lon in longitudes)
    assert projection.plane(area).area == pytest.approx(1e6, rel=1e-3)


def test_a_degenerate_area_is_none() -> None:
    assert LocalProjection(BEKASI).area(Polygon([(0, 0), (1, 0), (2, 0), (0, 0)])) is None
