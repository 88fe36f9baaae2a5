"""Every door of the room, with positions that can't be meant, and with those that only look so."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from shapely.geometry import shape

from contracts import (
    Area,
    CallerFix,
    CallId,
    CameraId,
    ContractError,
    Disc,
    FixMethod,
    LonLat,
    MultiPolygon,
    Polygon,
    ReportId,
    Sector,
)
from geo import (
    AreaIndex,
    Buildings,
    LocalProjection,
    PinholeCamera,
    PlaceError,
    VisibilityIndex,
    caller_region,
    require_inside,
    visibility_polygon,
)
from geo.coverage import coverage
from geo.fields_of_view import visible_area
from geo.fusion import Fusion, FusionParameters
from geo.projection import distance_m
from geo.units import PlacedUnit, UnitIndex
from tests.geo.builders import BEKASI, START, Reporter, few, pose

PROJECTION = LocalProjection(BEKASI)
AREAS = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"name": "Kota"},
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[106.9, -6.3], [107.1, -6.3], [107.1, -6.1], [106.9, -6.3]]],
            },
        }
    ],
}

Door = Callable[[float, float], object]
DOORS: dict[str, Door] = {
    "LonLat": LonLat,
    "to_xy": PROJECTION.to_xy,
    "to_xy of arrays": lambda lon, lat: PROJECTION.to_xy(
        np.array([106.9, lon]), np.array([-6.2, lat])
    ),
    "AreaIndex.name_of": AreaIndex(AREAS).name_of,
    "VisibilityIndex": VisibilityIndex.build({CameraId("c"): pose()}, PROJECTION).cameras_seeing,
    "an empty VisibilityIndex": VisibilityIndex.build({}, PROJECTION).cameras_seeing,
    "UnitIndex": UnitIndex([PlacedUnit("u", "engine", BEKASI)], PROJECTION).nearest,
    "an empty UnitIndex": UnitIndex([], PROJECTION).nearest,
    "Buildings": lambda lon, lat: Buildings(_collection(lon, lat), PROJECTION),
    "AreaIndex": lambda lon, lat: AreaIndex(_collection(lon, lat)),
    "Polygon": lambda lon, lat: Polygon((tuple((x, y) for x, y in _ring(lon, lat)),)),
}


def _ring(lon: float, lat: float) -> list[list[float]]:
    return [[106.9, -6.3], [lon, lat], [107.1, -6.1], [106.9, -6.3]]


def _collection(lon: float, lat: float) -> dict[str, Any]:
    geometry = {"type": "Polygon", "coordinates": [_ring(lon, lat)]}
    feature = {"type": "Feature", "properties": {"name": "A"}, "geometry": geometry}
    return {"type": "FeatureCollection", "features": [feature]}


@pytest.mark.parametrize("name", DOORS)
@pytest.mark.parametrize(
    ("lon", "lat", "why"),
    [
        (math.nan, -6.2, "finite"),
        (106.9, math.nan, "finite"),
        (math.inf, -6.2, "finite"),
        (106.9, -math.inf, "finite"),
        (-6.2383, 106.992, "swapped"),
        (200.0, -6.2, r"-180|out of range"),
        (106.9, 95.0, r"-90|out of range"),
    ],
)
def test_no_door_takes_what_is_no_place(name: str, lon: float, lat: float, why: str) -> None:
    with pytest.raises(ContractError, match=why):
        DOORS[name](lon, lat)


@pytest.mark.parametrize("radius_m", [-1.0, math.nan, math.inf])
def test_a_radius_must_be_one(radius_m: float) -> None:
    index = VisibilityIndex.build({CameraId("c"): pose()}, PROJECTION)
    with pytest.raises(PlaceError, match="radius_m"):
        index.cameras_seeing(BEKASI.lon, BEKASI.lat, radius_m)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e9])
def test_metres_that_are_on_no_earth(bad: float) -> None:
    with pytest.raises(PlaceError, match="metres"):
        PROJECTION.to_lonlat(bad, 0.0)
    with pytest.raises(PlaceError, match="metres"):
        PROJECTION.to_lonlat(np.array([0.0, bad]), np.array([0.0, 0.0]))
    with pytest.raises(PlaceError, match="metres"):
        PROJECTION.place(0.0, bad)


globe = st.builds(LonLat, lon=st.floats(-180, 180), lat=st.floats(-90, 90))
NORTH_POLE, SOUTH_POLE = LonLat(0.0, 90.0), LonLat(77.0, -90.0)
DATE_LINE = LonLat(180.0, -16.5)


@few
@given(globe, st.floats(-20_000, 20_000), st.floats(-20_000, 20_000))
@example(NORTH_POLE, 0.0, 0.0)
@example(NORTH_POLE, 1500.0, -700.0)
@example(SOUTH_POLE, -1500.0, 20_000.0)
@example(DATE_LINE, 10.0, 0.0)
@example(DATE_LINE, -10.0, 0.0)
def test_metres_come_back_anywhere_on_the_globe(centre: LonLat, x: float, y: float) -> None:
    projection = LocalProjection(centre)
    lon, lat = projection.to_lonlat(x, y)
    assert -180 <= lon <= 180 and -90 <= lat <= 90
    assert projection.to_xy(lon, lat) == pytest.approx((x, y), abs=1e-4)
    assert distance_m(LonLat(lon, lat), centre) == pytest.approx(math.hypot(x, y), rel=7e-3, abs=1)
    assert math.isfinite(projection.convergence_rad(x, y))


@few
@given(globe, globe)
@example(BEKASI, LonLat(BEKASI.lon - 180, -BEKASI.lat))
@example(NORTH_POLE, SOUTH_POLE)
def test_a_place_is_inside_or_refused_with_its_distance(place: LonLat, centre: LonLat) -> None:
    assert all(map(math.isfinite, LocalProjection(centre).point(place)))
    away = distance_m(place, centre)
    assume(abs(away - 30_000) > 1)
    if away < 30_000:
        require_inside(place, centre, 30_000)
    else:
        with pytest.raises(PlaceError, match="km from the city"):
            require_inside(place, centre, 30_000)


def test_swapped_numbers_that_are_lawful_still_get_a_hint() -> None:
    nairobi = LonLat(36.82, -1.29)
    with pytest.raises(PlaceError, match="swapped"):
        require_inside(LonLat(nairobi.lat, nairobi.lon), nairobi, 30_000)


def area_of(area: Area) -> float:
    """Square degrees, of a GeoJSON area that is lawful: within bounds, and no ring crossed."""
    plain = shape({"type": area.type, "coordinates": area.coordinates})
    west, south, east, north = plain.bounds
    assert -180 <= west <= east <= 180 and -90 <= south <= north <= 90
    assert plain.is_valid
    return float(plain.area)


away_from_poles = st.builds(LonLat, lon=st.floats(-180, 180), lat=st.floats(-85, 85))


@few
@given(away_from_poles, st.floats(0, 360), st.floats(5, 5000))
@example(DATE_LINE, 90.0, 500.0)
@example(LonLat(-179.9999, 60.0), 270.0, 500.0)
def test_what_is_drawn_is_lawful_anywhere(place: LonLat, bearing: float, size_m: float) -> None:
    """Whatever crosses the date line is cut there; nothing runs once around the globe."""
    projection = LocalProjection(place)
    width_deg = 3 * 4 * size_m / 111_000 / math.cos(math.radians(min(abs(place.lat) + 0.5, 89)))
    for drawn_shape in (
        Disc(centre=place, radius_m=size_m),
        Sector(antenna=place, azimuth_deg=bearing, opening_deg=90, range_m=size_m),
    ):
        fix = CallerFix(
            id=ReportId("f"),
            call_id=CallId("c"),
            shape=drawn_shape,
            confidence=0.9,
            method=FixMethod.GNSS,
            source="test",
            positioned_at=START,
            received_at=START,
        )
        assert 0 < area_of(caller_region(fix, projection)) < width_deg**2
    camera = pose(position=place, bearing_deg=bearing)
    for seen in (visibility_polygon(camera), visible_area(camera, projection, above_roofs=True)):
        assert isinstance(seen, Polygon | MultiPolygon)
        assert 0 < area_of(seen) < (3 * 1200 / 111_000 / math.cos(math.radians(86))) ** 2


@few
@given(globe)
@example(NORTH_POLE)
@example(SOUTH_POLE)
@example(DATE_LINE)
@example(LonLat(BEKASI.lon - 180, -BEKASI.lat))
def test_the_city_survives_a_report_from_anywhere(place: LonLat) -> None:
    """A position that slipped past the intake's check founds an incident or is refused; what the
    city itself reports goes on.
    """
    fusion = Fusion(FusionParameters(), PROJECTION, {CameraId("c"): pose()})
    reporter = Reporter()
    for report in reporter.call("far", None, shape=Disc(centre=place, radius_m=50.0)):
        try:
            fusion.add(report)
        except ContractError as error:
            assert error.why
    here = [fusion.add(report) for report in reporter.call("near", (100.0, 50.0))]
    assert here[-1] and here[-1][-1].estimate.location == PROJECTION.place(100.0, 50.0)


@few
@given(globe)
@example(NORTH_POLE)
@example(SOUTH_POLE)
@example(DATE_LINE)
def test_a_camera_anywhere_is_registered_or_refused(place: LonLat) -> None:
    camera = pose(position=place)
    model = PinholeCamera.from_pose(camera, LocalProjection(place))
    assert np.all(np.isfinite(model.theta))
    VisibilityIndex.build({CameraId("there"): camera}, PROJECTION).cameras_seeing(
        BEKASI.lon, BEKASI.lat, 50
    )
    index = VisibilityIndex.build({CameraId("there"): camera})
    seen = LocalProjection(place).place(40 * math.sin(model.yaw), 40 * math.cos(model.yaw))
    (found,) = index.cameras_seeing(seen.lon, seen.lat)
    assert found.distance_m == pytest.approx(40, abs=0.5)


def test_a_city_on_the_date_line_is_covered() -> None:
    projection = LocalProjection(DATE_LINE)
    from shapely import box

    outline = projection.area(box(-500, -500, 500, 500))
    assert isinstance(outline, MultiPolygon)
    found = coverage([box(-500, -500, 0, 500)], outline, projection)
    assert found.city.area_m2 == pytest.approx(1e6, rel=1e-3)
    assert found.city.share == pytest.approx(0.5, abs=1e-3)
    assert found.city.gaps is not None and area_of(found.city.gaps) < 1e-3
