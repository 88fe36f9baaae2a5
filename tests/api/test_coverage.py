"""How much of the city is seen, over HTTP."""

from __future__ import annotations

import json
from pathlib import Path

from shapely import box, get_num_coordinates, union_all
from shapely.geometry import mapping

from geo import LocalProjection
from geo.coverage import simplified
from plumbing.bus import Bus
from tests.api.made import LAT, LON, a_camera
from tests.geo.builders import BEKASI
from tests.support.api import RunningApi, api_settings, running_api

STEP = 0.001


def areas_file(folder: Path) -> Path:
    features = [
        {
            "type": "Feature",
            "properties": {"name": name},
            "geometry": mapping(box(LON - STEP, LAT + south, LON + STEP, LAT + south + STEP)),
        }
        for name, south in (("Utara", 0.0), ("Selatan", -STEP))
    ]
    file = folder / "areas.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return file


async def test_shares_follow_the_cameras(tmp_path: Path, bus: Bus) -> None:
    settings = api_settings(tmp_path, city__areas=areas_file(tmp_path))
    async with running_api(settings, bus) as api, api.client() as desk:
        empty = (await desk.get("/api/v1/coverage")).json()
        assert empty["outline"] == "areas"
        assert empty["cameras"] == 0 and empty["city"]["share"] == 0
        assert empty["gaps"]["type"] == "Polygon"
        made = (await desk.post("/api/v1/cameras", json=a_camera())).json()["camera"]
        seen = (await desk.get("/api/v1/coverage")).json()
        assert seen["cameras"] == 1 and 0 < seen["city"]["share"] < 1
        assert abs(sum(seen["city"]["share_by_cameras"]) - 1) < 1e-9
        assert {one["name"]: one["share"] > 0 for one in seen["areas"]}["Utara"]
        assert (await desk.get("/api/v1/coverage")).json() == seen
        apart = (await desk.get("/api/v1/coverage", params={"exercise": True})).json()
        assert apart == empty
        off = {**a_camera(enabled=False), "version": made["version"]}
        changed = await desk.put(f"/api/v1/cameras/{made['id']}", json=off)
        assert changed.status_code == 200, changed.text
        assert (await desk.get("/api/v1/coverage")).json() == empty


async def test_without_areas_the_city_is_what_lies_between_the_views(own_api: RunningApi) -> None:
    async with own_api.client() as desk:
        none = (await desk.get("/api/v1/coverage")).json()
        assert none["outline"] == "radius" and none["areas"] == []
        await desk.post("/api/v1/cameras", json=a_camera())
        await desk.post(
            "/api/v1/cameras",
            json=a_camera(pose=a_camera()["pose"] | {"position": {"lon": LON + 0.005, "lat": LAT}}),
        )
        found = (await desk.get("/api/v1/coverage")).json()
        assert found["outline"] == "cameras" and found["cameras"] == 2
        assert 0.05 < found["city"]["share"] < 0.95
        assert (await desk.get("/api/v1/coverage", params={"exercise": "?"})).status_code == 422
    async with own_api.client(None) as nobody:
        assert (await nobody.get("/api/v1/coverage")).status_code == 401


def test_gaps_are_drawn_with_no_more_positions_than_stated() -> None:
    projection = LocalProjection(BEKASI)
    seen = union_all([box(x, y, x + 30, y + 30) for x in range(0, 3000, 60) for y in (100, 200)])
    area = projection.area(box(-100, -100, 4000, 1000).difference(seen))
    assert area is not None
    assert simplified(area, projection, 10_000) == (area, 0.0)
    coarse, tolerance_m = simplified(area, projection, 50)
    assert coarse is not None and tolerance_m > 0
    assert get_num_coordinates(projection.plane(coarse)) <= 50
