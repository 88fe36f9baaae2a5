from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely import Point, Polygon, box

from contracts import ContractError
from geo import LocalProjection
from geo.buildings import USUAL_M, Buildings
from tests.geo.builders import BEKASI, few

PROJECTION = LocalProjection(BEKASI)
AROUND = Point(0, 0).buffer(150, quad_segs=24)


def feature(plane: Polygon, **properties: Any) -> dict[str, Any]:
    area = PROJECTION.area(plane)
    assert area is not None
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": area.type, "coordinates": area.coordinates},
    }


def collection(*features: dict[str, Any]) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features)}


def built(*features: dict[str, Any]) -> Buildings:
    return Buildings(collection(*features), PROJECTION)


def hidden_m2(buildings: Buildings, height_m: float, above_m: float = 0.0) -> float:
    shadow = buildings.shadows((0, 0), height_m, AROUND, above_m)
    return 0.0 if shadow is None else float(shadow.intersection(AROUND).area)


@st.composite
def blocks(draw: st.DrawFn) -> list[tuple[Polygon, float]]:
    """Houses, some of them L-shaped, of any height, none on the camera."""
    found = []
    for _ in range(draw(st.integers(1, 6))):
        away, turn = draw(st.floats(8, 120)), draw(st.floats(0, 2 * math.pi))
        wide, deep = draw(st.floats(4, 30)), draw(st.floats(4, 30))
        plane = box(-wide / 2, -deep / 2, wide / 2, deep / 2)
        if draw(st.booleans()):
            plane = plane.difference(box(0, 0, wide, deep))
        plane = shapely.affinity.rotate(plane, draw(st.floats(0, 90)))
        plane = shapely.affinity.translate(plane, away * math.sin(turn), away * math.cos(turn))
        if plane.distance(Point(0, 0)) > 2:
            found.append((plane, draw(st.floats(2, 40))))
    return found


@few
@given(blocks(), st.floats(3, 25), st.sampled_from([0.0, 10.0, 25.0]), st.integers(0, 1000))
def test_shadows_are_what_a_ray_to_every_spot_finds(
    given_blocks: list[tuple[Polygon, float]], height_m: float, above_m: float, seed: int
) -> None:
    buildings = built(*(feature(plane, height=top) for plane, top in given_blocks))
    shadow = buildings.shadows((0, 0), height_m, AROUND, above_m)
    for x, y in np.random.default_rng(seed).uniform(-100, 100, (60, 2)).tolist():
        spot = Point(x, y)
        if shadow is not None and shadow.boundary.distance(spot) < 0.5:
            continue
        if any(plane.boundary.distance(spot) < 0.5 for plane, _ in given_blocks):
            continue
        hidden = buildings.hidden((0, 0), height_m, (x, y), above_m)
        assert hidden == (shadow is not None and shadow.contains(spot)), (x, y)


def test_a_low_house_hides_a_strip_and_a_high_one_everything_behind() -> None:
    house = box(-5, 30, 5, 40)
    low, high = built(feature(house, height=4)), built(feature(house, height=8.5))
    # From 8 m over a 4 m roof the ground is seen again at twice the far wall's distance.
    assert low.hidden((0, 0), 8, (0, 79)) and not low.hidden((0, 0), 8, (0, 81))
    assert high.hidden((0, 0), 8, (0, 149))
    assert 0 < hidden_m2(low, 8) < hidden_m2(high, 8)


def test_a_building_does_not_hide_its_own_front_nor_the_camera_on_it() -> None:
    house = box(-5, 30, 5, 40)
    shadow = built(feature(house, height=20)).shadows((0, 0), 8, AROUND)
    assert shadow is not None and not shadow.contains(Point(0, 35))
    second = built(feature(house, height=20), feature(box(-3, 60, 3, 70), height=5))
    shadow = second.shadows((0, 0), 8, AROUND)
    assert shadow is not None and shadow.contains(Point(0, 65))
    assert built(feature(box(-5, -5, 5, 5), height=20)).shadows((0, 0), 8, AROUND) is None


def test_smoke_is_seen_over_what_hides_the_street() -> None:
    row = built(feature(box(-60, 30, 60, 40), height=6))
    assert hidden_m2(row, 5) > 3000
    assert hidden_m2(row, 5, above_m=25.0) < 0.1 * hidden_m2(row, 5)
    tower = built(feature(box(-60, 30, 60, 40), height=80))
    assert hidden_m2(tower, 5, above_m=25.0) > 3000


def test_heights_are_read_as_people_write_them() -> None:
    house = box(-5, 30, 5, 40)
    for properties, top in (
        ({"height": "7.5 m"}, 7.5),
        ({"height_m": 12}, 12.0),
        ({"building:levels": "3"}, 9.6),
        ({"height": "", "levels": 2}, 6.4),
        ({}, USUAL_M),
    ):
        same = built(feature(house, height=top))
        assert hidden_m2(built(feature(house, **properties)), 8) == hidden_m2(same, 8)


def test_what_is_no_building_is_passed_over() -> None:
    house = box(-5, 30, 5, 40)
    road = {"type": "Feature", "properties": {}, "geometry": {"type": "LineString"}}
    assert len(built(feature(house), feature(house, kind="block"), road)) == 1
    assert len(built()) == 0 and built().shadows((0, 0), 8, AROUND) is None


@pytest.mark.parametrize(
    ("geojson", "why"),
    [
        ({"type": "Feature"}, "FeatureCollection"),
        (
            {"type": "FeatureCollection", "features": [feature(box(0, 9, 5, 20), height="tall")]},
            "7.5",
        ),
        ({"type": "FeatureCollection", "features": [feature(box(0, 9, 5, 20), height=-4)]}, "high"),
        (
            {
                "type": "FeatureCollection",
                "features": [
                    {
                        "type": "Feature",
                        "properties": {},
                        "geometry": {
                            "type": "Polygon",
                            "coordinates": [[[-6.2, 107], [-6.2, 107.1], [-6.3, 107], [-6.2, 107]]],
                        },
                    }
                ],
            },
            "swapped",
        ),
        (
            {
                "type": "FeatureCollection",
                "features": [
                    {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [[[1]]]}}
                ],
            },
            "no polygon",
        ),
    ],
)
def test_what_cannot_be_read_is_named(geojson: dict[str, Any], why: str) -> None:
    with pytest.raises(ContractError, match=why):
        Buildings(geojson, PROJECTION)
