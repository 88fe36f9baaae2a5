"""Which street a place lies at."""

from __future__ import annotations

import pytest

from contracts import LonLat
from geo.projection import LocalProjection
from geo.streets import STREET_WITHIN_M, StreetIndex
from tests.geo.test_places import LAT, LON, MARGAHAYU, feature, line

PROJECTION = LocalProjection(LonLat(LON, LAT))
INDEX = StreetIndex(
    [
        {
            "features": [
                line("Jl. Ahmad Yani", LON, LON + 0.004),
                feature("Jl. Cut Meutia", "LineString", [[LON, LAT], [LON, LAT + 0.004]]),
                feature("Simpang Pekayon", "Point", [LON, LAT]),
                feature(None, "LineString", [[LON, LAT + 0.002], [LON + 0.004, LAT + 0.002]]),
                MARGAHAYU,
            ]
        }
    ],
    PROJECTION,
)


@pytest.mark.parametrize(
    ("east_m", "north_m", "name"),
    [
        (10, 10, "Simpang Pekayon"),
        (60, 20, "Jl. Ahmad Yani"),
        (20, 60, "Jl. Cut Meutia"),
        # The unnamed lane is nearer, and tells nobody anything.
        (120, 140, "Jl. Cut Meutia"),
        (200, -STREET_WITHIN_M - 5, ""),
    ],
)
def test_a_crossing_comes_before_streets_and_the_nearest_street_before_others(
    east_m: float, north_m: float, name: str
) -> None:
    assert INDEX.name_of(PROJECTION.place(east_m, north_m)) == name


def test_a_city_without_names_has_none() -> None:
    assert StreetIndex([], PROJECTION).name_of(LonLat(LON, LAT)) == ""
    assert len(INDEX) == 3
