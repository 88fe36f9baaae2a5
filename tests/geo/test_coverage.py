from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import box

from contracts import Area, Polygon
from geo import LocalProjection, PlaceError
from geo.coverage import coverage
from tests.geo.builders import BEKASI, few

PROJECTION = LocalProjection(BEKASI)


def area_of(west: float, south: float, east: float, north: float) -> Area:
    found = PROJECTION.area(box(west, south, east, north))
    assert found is not None
    return found


CITY = area_of(-500, -500, 500, 500)


def test_a_half_seen_city() -> None:
    views = [box(-600, -600, 0, 600), box(-600, -600, 0, 0)]
    found = coverage(
        views,
        CITY,
        PROJECTION,
        {"west": area_of(-900, -500, 0, 500), "far": area_of(5e3, 0, 6e3, 9)},
    )
    assert found.cameras == 2
    assert found.city.share == pytest.approx(0.5, abs=1e-3)
    assert found.city.area_m2 == pytest.approx(1e6, rel=1e-3)
    assert found.city.share_by_cameras[:3] == pytest.approx((0.5, 0.25, 0.25), abs=0.02)
    assert found.city.gaps is not None
    assert PROJECTION.plane(found.city.gaps).area == pytest.approx(5e5, rel=1e-3)
    (west,) = found.areas
    assert west.name == "west" and west.share == pytest.approx(1.0, abs=1e-3)
    assert west.gaps is None and west.share_by_cameras[0] == 0


def test_a_city_without_cameras_is_one_gap() -> None:
    found = coverage([], CITY, PROJECTION)
    assert found.city.share == 0 and found.city.share_by_cameras[0] == 1
    assert found.city.gaps is not None


@few
@given(st.integers(0, 1000), st.integers(0, 12))
def test_shares_are_shares_and_more_cameras_never_see_less(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    west, south = rng.uniform(-600, 500, (2, count))
    wide, deep = rng.uniform(1, 300, (2, count))
    views = list(box(west, south, west + wide, south + deep)) if count else []
    before, after = (coverage(some, CITY, PROJECTION).city for some in (views[:-1], views))
    assert 0 <= before.share <= after.share + 1e-9 <= 1 + 1e-9
    assert sum(after.share_by_cameras) == pytest.approx(1)
    assert after.share == pytest.approx(1 - after.share_by_cameras[0], abs=0.03)


def test_a_large_city_is_counted_on_fewer_points() -> None:
    large = area_of(-15_000, -15_000, 15_000, 15_000)
    assert coverage([box(0, 0, 100, 100)], large, PROJECTION, step_m=1.0).city.share > 0


def test_no_outline_and_no_step() -> None:
    line = Polygon((((106.9, -6.2),) * 4,))
    with pytest.raises(PlaceError, match="area"):
        coverage([], line, PROJECTION)
    with pytest.raises(PlaceError, match="above 0"):
        coverage([], CITY, PROJECTION, step_m=0)
