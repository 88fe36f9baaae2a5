"""What a PIDF-LO document says: every shape of RFC 5491, and RFC 7459's confidence."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import numpy as np
import pytest
from shapely import Point
from shapely.geometry.base import BaseGeometry

from api.intake.pidf_lo import read_pidf_lo
from api.intake.readings import Position
from contracts import Disc, FixMethod, LonLat, MultiPolygon, Outline, Polygon, Sector
from geo.callers import caller_place
from geo.projection import LocalProjection
from tests.api.intake.sent import DEG, FLAT, SOLID, M, a_document, circle, point

WOLLONGONG = LonLat(150.881, -34.407)


def only(shape: str, **changes: str) -> Position:
    (position,) = read_pidf_lo(a_document(shape, **changes)).positions
    return position


def plane(position: Position, centre: LonLat) -> BaseGeometry:
    assert isinstance(position.shape, Outline)
    return LocalProjection(centre).plane(position.shape.area)


def test_latitude_comes_first() -> None:
    position = only(circle("-34.407 150.881", "30"))
    assert position.shape == Disc(centre=WOLLONGONG, radius_m=30)
    assert position.confidence == 0.95
    assert position.method is FixMethod.GNSS
    assert position.positioned_at == datetime(2026, 11, 22, 3, 15, tzinfo=UTC)
    assert position.altitude_m is None


@pytest.mark.parametrize(
    "written",
    [
        "urn:ogc:def:crs:EPSG::{}",
        "urn:ogc:def:crs:epsg:6.9:{}",
        "http://www.opengis.net/def/crs/EPSG/0/{}",
        "http://www.opengis.net/gml/srs/epsg.xml#{}",
        "EPSG:{}",
    ],
)
def test_a_system_is_the_same_however_its_name_is_written(written: str) -> None:
    shape = circle("-34.407 150.881", "30").replace("urn:ogc:def:crs:EPSG::4326", "NAME")
    shape = shape.replace("urn:ogc:def:uom:EPSG::9001", written.format("9001"))
    assert only(shape.replace("NAME", written.format("4326"))).shape == Disc(
        centre=WOLLONGONG, radius_m=30
    )
    # Longitude comes first there.
    swapped = shape.replace("NAME", "urn:ogc:def:crs:OGC:1.3:CRS84")
    assert read_pidf_lo(a_document(swapped)).positions == ()


def test_a_point_states_no_uncertainty_and_gets_its_methods_usual_one() -> None:
    reading = read_pidf_lo(a_document(point("-34.407 150.881 24.5", SOLID), method="Cell"))
    (position,) = reading.positions
    assert position.shape == Disc(centre=WOLLONGONG, radius_m=2000)
    assert position.altitude_m == 24.5
    assert "not stated" in reading.problems[0]


def test_a_sphere_is_flattened_to_its_disc() -> None:
    sphere = circle("42.5463 -73.2512 26.3", "850.24", SOLID).replace("Circle", "Sphere")
    position = only(sphere)
    assert position.shape == Disc(centre=LonLat(-73.2512, 42.5463), radius_m=850.24)
    assert position.altitude_m == 26.3


ELLIPSE = (
    f"<gs:Ellipse {FLAT}><gml:pos>42.5463 -73.2512</gml:pos>"
    f"<gs:semiMajorAxis {M}>1275</gs:semiMajorAxis><gs:semiMinorAxis {M}>670</gs:semiMinorAxis>"
    f"<gs:orientation {DEG}>43.2</gs:orientation></gs:Ellipse>"
)


@pytest.mark.parametrize(
    "shape",
    [
        ELLIPSE,
        ELLIPSE.replace("Ellipse", "Ellipsoid")
        .replace(FLAT, SOLID)
        .replace("-73.2512<", "-73.2512 26.3<")
        .replace("<gs:orientation", f"<gs:verticalAxis {M}>40</gs:verticalAxis><gs:orientation"),
    ],
)
def test_an_ellipse_lies_along_its_bearing(shape: str) -> None:
    drawn = plane(only(shape), LonLat(-73.2512, 42.5463))
    assert drawn.area == pytest.approx(math.pi * 1275 * 670, rel=0.002)
    turn = math.radians(43.2)
    far = Point(1270 * math.sin(turn), 1270 * math.cos(turn))
    wide = Point(680 * math.cos(turn), -680 * math.sin(turn))
    assert drawn.contains(far)
    assert not drawn.contains(wide)


def arc_band(inner: float, outer: float, start: float, opening: float) -> str:
    return (
        f"<gs:ArcBand {FLAT}><gml:pos>42.5463 -73.2512</gml:pos>"
        f"<gs:innerRadius {M}>{inner}</gs:innerRadius>"
        f"<gs:outerRadius {M}>{outer}</gs:outerRadius>"
        f"<gs:startAngle {DEG}>{start}</gs:startAngle>"
        f"<gs:openingAngle {DEG}>{opening}</gs:openingAngle></gs:ArcBand>"
    )


def test_an_arc_band_lies_between_its_radii_and_bearings() -> None:
    drawn = plane(only(arc_band(1661.55, 2215.4, 266, 120)), LonLat(-73.2512, 42.5463))
    expected = math.pi * (2215.4**2 - 1661.55**2) * 120 / 360
    assert drawn.area == pytest.approx(expected, rel=0.002)
    for bearing, inside in ((270, True), (326, True), (380, True), (260, False), (30, False)):
        turn = math.radians(bearing)
        at = Point(1900 * math.sin(turn), 1900 * math.cos(turn))
        assert drawn.contains(at) is inside, bearing


def test_an_arc_band_from_the_mast_is_a_sector_and_a_whole_turn_a_disc_or_a_ring() -> None:
    mast = LonLat(-73.2512, 42.5463)
    assert only(arc_band(0, 2215, 300, 120)).shape == Sector(
        antenna=mast, azimuth_deg=0, opening_deg=120, range_m=2215
    )
    assert only(arc_band(0, 500, 10, 360)).shape == Disc(centre=mast, radius_m=500)
    ring = plane(only(arc_band(400, 500, 10, 360)), mast)
    assert ring.area == pytest.approx(math.pi * (500**2 - 400**2), rel=0.002)
    assert not ring.contains(Point(0, 0))


CORNERS = (
    "43.311 -73.422 43.111 -73.322 43.111 -73.222 43.311 -73.122 43.411 -73.222 43.411 -73.322"
)
POLYGON = (
    f"<gml:Polygon {FLAT}><gml:exterior><gml:LinearRing><gml:posList>{CORNERS} 43.311 -73.422"
    "</gml:posList></gml:LinearRing></gml:exterior></gml:Polygon>"
)


def corners_of(position: Position) -> set[tuple[float, float]]:
    assert isinstance(position.shape, Outline)
    assert isinstance(position.shape.area, Polygon)
    return set(position.shape.area.coordinates[0])


def test_a_polygon_keeps_its_corners_turned_to_longitude_first() -> None:
    flat = [float(one) for one in CORNERS.split()]
    expected = {(lon, lat) for lat, lon in zip(flat[::2], flat[1::2], strict=True)}
    found = corners_of(only(POLYGON))
    assert all(min(math.dist(one, other) for other in expected) < 2e-7 for one in found)
    assert len(found) == len(expected)


def test_a_polygon_of_single_positions_and_a_ring_left_open_are_the_same() -> None:
    flat = CORNERS.split()
    singles = "".join(
        f"<gml:pos>{lat} {lon}</gml:pos>" for lat, lon in zip(flat[::2], flat[1::2], strict=True)
    )
    listed = f"<gml:posList>{CORNERS} 43.311 -73.422</gml:posList>"
    assert corners_of(only(POLYGON.replace(listed, singles))) == corners_of(only(POLYGON))


def test_a_prism_is_flattened_to_its_base() -> None:
    base = (
        "<gml:Polygon><gml:exterior><gml:LinearRing><gml:posList>"
        "42.556844 -73.248157 36.6 42.656844 -73.248157 36.6 42.656844 -73.348157 36.6 "
        "42.556844 -73.348157 36.6 42.556844 -73.248157 36.6"
        "</gml:posList></gml:LinearRing></gml:exterior></gml:Polygon>"
    )
    position = only(
        f"<gs:Prism {SOLID}><gs:base>{base}</gs:base><gs:height {M}>2.4</gs:height></gs:Prism>"
    )
    assert len(corners_of(position)) == 4
    assert position.altitude_m == pytest.approx(37.8)


def test_a_polygon_across_the_antimeridian_is_cut_in_two() -> None:
    shape = POLYGON.replace(
        f"{CORNERS} 43.311 -73.422", "-17 179.9 -17 -179.9 -17.1 -179.9 -17.1 179.9 -17 179.9"
    )
    position = only(shape)
    assert isinstance(position.shape, Outline)
    assert isinstance(position.shape.area, MultiPolygon)
    drawn = plane(position, LonLat(180, -17.05))
    assert drawn.area == pytest.approx(21_290 * 11_066, rel=0.01)


@pytest.mark.parametrize(
    ("stated", "confidence"), [("67", 0.67), ("unknown", 0.68), ("", 0.95), ("200", 0.95)]
)
def test_confidence(stated: str, confidence: float) -> None:
    assert only(circle("-34.4 150.8", "30"), confidence=stated).confidence == confidence


def test_a_disc_of_68_percent_is_wider_at_95() -> None:
    position = only(circle("-6.2383 106.992", "52"), confidence="68")
    projection = LocalProjection(LonLat(106.992, -6.2383))
    sigma = math.sqrt(
        caller_place(position.shape, position.confidence, projection).covariance[0, 0]
    )
    assert sigma * math.sqrt(-2 * math.log(0.05)) == pytest.approx(84, abs=1)


def test_several_locations_are_several_positions() -> None:
    reading = read_pidf_lo(a_document(circle("-6.2 106.9", "30"), circle("-6.3 107.0", "900")))
    radii = [one.shape.radius_m for one in reading.positions if isinstance(one.shape, Disc)]
    assert radii == [30, 900]


def test_a_telephone_number_as_entity_is_what_the_caller_is_known_by() -> None:
    document = a_document(circle("-6.2 106.9", "30"), entity="tel:+62-812-3456-7890")
    assert read_pidf_lo(document).known_by == (("number", "6281234567890"),)


@pytest.mark.parametrize(
    ("shape", "says"),
    [
        (circle("107 -6.2", "30"), "lon and lat swapped"),
        (circle("NaN 106.9", "30"), "no number"),
        (circle("-6.2", "30"), "must have 2"),
        (circle("-6.2 106.9", "-30"), "between 0 and"),
        (circle("-6.2 106.9", "30").replace("9001", "9002"), "metres"),
        (circle("-6.2 106.9", "30").replace("4326", "32748"), "4326"),
        (arc_band(500, 400, 0, 90), "below outerRadius"),
        (arc_band(0, 400, 0, 0), "up to 360"),
        (POLYGON.replace(f"{CORNERS} 43.311 -73.422", "1 1 1 1 1 1 1 1"), "has no area"),
        (POLYGON.replace(CORNERS, "1 1 1 9 9 9"), "wider than"),
        (POLYGON.replace("exterior", "interior"), "exterior"),
        ("<ca:civicAddress xmlns:ca='x'/>", "civicAddress"),
        ("", "nothing"),
    ],
)
def test_a_shape_that_cannot_be_is_named(shape: str, says: str) -> None:
    reading = read_pidf_lo(a_document(shape))
    assert reading.positions == ()
    assert says in " ".join(reading.problems)


ENTITY = (
    b'<!DOCTYPE p [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
    b'<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="&x;"/>'
)
LAUGHS = (
    b'<!DOCTYPE p [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    b'<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="&b;"/>'
)


QUADRATIC = (
    b'<!DOCTYPE p [<!ENTITY a "' + b"ha" * 20_000 + b'">]><presence>' + b"&a;" * 20_000
) + b"</presence>"
ELSEWHERE = b'<!DOCTYPE p SYSTEM "http://127.0.0.1:9/p.dtd"><presence/>'
PARAMETERS = (
    b'<!DOCTYPE p [<!ENTITY % f SYSTEM "file:///etc/hostname">'
    b"<!ENTITY % g \"<!ENTITY x '%f;'>\">%g;]><presence/>"
)


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (ENTITY, "DTD"),
        (LAUGHS, "DTD"),
        (LAUGHS.decode().encode("utf-16"), "DTD"),
        (QUADRATIC, "DTD"),
        (ELSEWHERE, "DTD"),
        (PARAMETERS, "DTD"),
        (b"<a " + b" ".join(b'a%d=""' % n for n in range(50_000)) + b"/>", "not the presence"),
        (b"<a>" * 150_000 + b"</a>" * 150_000, "nested"),
        (b"", "no XML"),
        (b"<presence", "no XML"),
        (b'<?xml version="1.0" encoding="klingon"?><a/>', "no XML"),
        (b"<a>" * 2_000 + b"</a>" * 2_000, "nested"),
    ],
)
def test_a_document_that_is_none(document: bytes, says: str) -> None:
    reading = read_pidf_lo(document)
    assert reading.positions == ()
    assert says in reading.problems[0] or "encoding" in reading.problems[0]


def test_every_drawn_outline_is_valid_and_closed() -> None:
    for shape in (ELLIPSE, POLYGON, arc_band(10, 400, 350, 359)):
        drawn = plane(only(shape), LonLat(-73.2512, 42.5463))
        assert drawn.is_valid
        assert np.isfinite(drawn.area)
