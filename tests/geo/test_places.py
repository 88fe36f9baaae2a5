"""Places by a few letters of their names."""

from __future__ import annotations

import pytest

from contracts import LonLat
from geo.places import PlaceIndex, PlaceKind
from geo.projection import LocalProjection

LON, LAT = 106.99, -6.24


def feature(name: str | None, kind: str, coordinates: object) -> dict[str, object]:
    return {
        "type": "Feature",
        "properties": {"name": name},
        "geometry": {"type": kind, "coordinates": coordinates},
    }


def line(name: str, west: float, east: float) -> dict[str, object]:
    return feature(name, "LineString", [[west, LAT], [east, LAT]])


MARGAHAYU = feature(
    "Margahayu",
    "Polygon",
    [[[LON, LAT], [LON + 0.01, LAT], [LON + 0.01, LAT + 0.01], [LON, LAT + 0.01], [LON, LAT]]],
)
INDEX = PlaceIndex(
    [
        {
            "features": [
                line("Jl. Ahmad Yani", LON, LON + 0.002),
                line("Jl. Ahmad Yani", LON + 0.002, LON + 0.004),
                line("Jalan Yani Kecil", LON, LON + 0.001),
                MARGAHAYU,
                feature("Alun-alun", "Point", [LON, LAT]),
                feature(None, "Point", [LON, LAT]),
                feature("Nowhere", "Point", [LAT, 1_000]),
                {"properties": {"name": "Shapeless"}},
            ]
        },
        {"type": "FeatureCollection"},
    ],
    LocalProjection(LonLat(LON, LAT)),
)


@pytest.mark.parametrize("text", ["ahmad", "AHMAD YANI", "jl ahmad y", "jalan ahmad", "yani ahm"])
def test_a_street_is_found_however_it_is_written(text: str) -> None:
    found = INDEX.find(text)[0]
    assert (found.name, found.kind) == ("Jl. Ahmad Yani", PlaceKind.STREET)


def test_parts_of_one_street_are_one_place_as_large_as_they_are() -> None:
    (found,) = INDEX.find("ahmad yani")
    assert found.at.lat == pytest.approx(LAT, abs=1e-5)
    assert found.at.lon == pytest.approx(LON + 0.002, abs=1e-4)
    assert found.radius_m == pytest.approx(221, abs=3)


def test_the_better_match_comes_first() -> None:
    assert [one.name for one in INDEX.find("yani")] == ["Jalan Yani Kecil", "Jl. Ahmad Yani"]
    assert [one.name for one in INDEX.find("yani", most=1)] == ["Jalan Yani Kecil"]


def test_areas_and_spots_are_places_and_the_rest_is_left_out() -> None:
    (area,) = INDEX.find("marga")
    assert area.kind is PlaceKind.AREA
    assert area.radius_m == pytest.approx(622, rel=0.02)
    (spot,) = INDEX.find("alun alun")
    assert (spot.kind, spot.radius_m) == (PlaceKind.SPOT, 30.0)
    assert INDEX.find("shapeless") == INDEX.find("nowhere") == INDEX.find("?!") == []
    assert len(INDEX) == 4
