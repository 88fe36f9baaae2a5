from __future__ import annotations

from typing import Any

import pytest

from contracts import ContractError
from geo import AreaIndex


def square(west: float, name: str | None, size: float = 1.0) -> dict[str, Any]:
    ring = [[west, 0], [west + size, 0], [west + size, size], [west, size], [west, 0]]
    return {
        "type": "Feature",
        "properties": {} if name is None else {"nama": name},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }


def collection(*features: dict[str, Any]) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features)}


def test_a_point_is_named_by_the_smallest_area() -> None:
    index = AreaIndex(collection(square(0, "Bekasi", 10), square(0, "Bekasi Timur", 1)))
    assert index.name_of(0.5, 0.5) == "Bekasi Timur"
    assert index.name_of(5, 5) == "Bekasi"
    assert index.name_of(50, 5) == ""


def test_a_kelurahan_is_named_with_its_kecamatan() -> None:
    area = square(0, "Duren Jaya")
    area["properties"]["kecamatan"] = "Bekasi Timur"
    assert AreaIndex(collection(area)).name_of(0.5, 0.5) == "Duren Jaya, Bekasi Timur"


def test_an_area_without_a_name_is_refused() -> None:
    with pytest.raises(ContractError, match=r"features\[1\].*needs a name"):
        AreaIndex(collection(square(0, "A"), square(1, None)))


def test_no_collection_is_refused() -> None:
    with pytest.raises(ContractError, match="FeatureCollection"):
        AreaIndex({"type": "Topology"})
