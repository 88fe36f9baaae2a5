from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo import LocalProjection, PlaceError
from geo.units import PlacedUnit, UnitIndex
from tests.geo.builders import BEKASI, few

PROJECTION = LocalProjection(BEKASI)


def units(seed: int, count: int) -> list[PlacedUnit]:
    rng = np.random.default_rng(seed)
    return [
        PlacedUnit(
            f"u{i}", str(rng.choice(["engine", "ambulance", "patrol"])), PROJECTION.place(*xy)
        )
        for i, xy in enumerate(rng.uniform(-5000, 5000, (count, 2)).tolist())
    ]


@few
@given(
    st.integers(0, 1000),
    st.integers(0, 40),
    st.integers(1, 6),
    st.sampled_from([None, ("engine",), ("engine", "patrol"), ("boat",)]),
    st.sampled_from([math.inf, 2000.0]),
)
def test_the_nearest_are_those_of_a_search_through_all(
    seed: int, count: int, most: int, kinds: tuple[str, ...] | None, within_m: float
) -> None:
    everyone = units(seed, count)
    index = UnitIndex(everyone, PROJECTION)
    assert len(index) == count
    found = index.nearest(BEKASI.lon, BEKASI.lat, kinds, most, within_m)
    fitting = [unit for unit in everyone if kinds is None or unit.kind in kinds]
    away = {unit.id: math.hypot(*PROJECTION.point(unit.place)) for unit in fitting}
    near = sorted((metres, name) for name, metres in away.items() if metres <= within_m)
    assert [one.unit.id for one in found] == [name for _, name in near[:most]]
    for one in found:
        x, y = PROJECTION.point(one.unit.place)
        assert one.distance_m == pytest.approx(math.hypot(x, y))
        assert one.bearing_deg == pytest.approx(math.degrees(math.atan2(x, y)) % 360, abs=1e-3)


def test_a_place_that_cannot_be_meant_is_refused() -> None:
    index = UnitIndex(units(1, 3), PROJECTION)
    with pytest.raises(PlaceError, match="swapped"):
        index.nearest(-6.2, 106.9)
