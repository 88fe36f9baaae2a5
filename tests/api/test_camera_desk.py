"""Many cameras at once, and how one has been."""

from __future__ import annotations

import numpy as np

from contracts import CameraHealth, CameraId, CameraState, RoadRegion
from detection.road_region import crop_road
from plumbing.clock import SystemClock
from tests.api.made import a_camera
from tests.support.api import RunningApi

CSV = (
    "nama;bujur;lintang;url;kelompok\n"
    "Simpang A;106,9921;-6,2379;rtsp://127.0.0.1/a;utara\n"
    "Simpang B;106,9931;-6,2381;rtsp://127.0.0.1/b;selatan\n"
)


async def test_a_register_is_looked_at_first_and_then_taken_over_whole(
    own_api: RunningApi,
) -> None:
    async with own_api.client() as client:
        headers = {"Content-Type": "text/csv"}
        looked = (await client.post("/api/v1/cameras/import", content=CSV, headers=headers)).json()
        assert (looked["cameras"], looked["new"], looked["written"]) == (2, 2, False)
        assert (await client.get("/api/v1/cameras")).json()["cameras"] == []
        bad = CSV + "Simpang C;-6,2379;106,9921;rtsp://127.0.0.1/c;utara\n"
        refused = await client.post("/api/v1/cameras/import?dry_run=false", content=bad)
        assert refused.json()["written"] is False
        assert refused.json()["problems"][0]["row"] == 3
        done = await client.post("/api/v1/cameras/import?dry_run=false", content=CSV)
        assert done.json()["written"] is True, done.text
        again = await client.post("/api/v1/cameras/import?dry_run=false", content=CSV)
        assert (again.json()["new"], again.json()["changed"]) == (0, 2)
        groups = (await client.get("/api/v1/camera-groups")).json()["groups"]
    assert [(one["name"], one["cameras"]) for one in groups] == [("selatan", 1), ("utara", 1)]


async def test_an_address_inside_is_named_with_its_row(own_api: RunningApi) -> None:
    inside = CSV.replace("rtsp://127.0.0.1/b", "http://169.254.169.254/latest")
    async with own_api.client() as client:
        answer = await client.post("/api/v1/cameras/import?dry_run=false", content=inside)
    assert answer.json()["written"] is False
    assert [(one["row"], one["field"]) for one in answer.json()["problems"]] == [(2, "url")]


async def test_a_site_that_is_down_is_one_trouble(own_api: RunningApi) -> None:
    clock = SystemClock()
    async with own_api.client() as client:
        for number in range(5):
            body = a_camera(id=f"c-{number}", url=f"rtsp://127.0.0.{number // 4 + 1}/{number}")
            assert (await client.post("/api/v1/cameras", json=body)).status_code == 201
        assert (await client.get("/api/v1/camera-outages")).json() == {"outages": []}
        # Told by two workers, neither of which has enough of the site's cameras to name it.
        for number in range(4):
            await own_api.store.cameras.record_health(
                CameraHealth(
                    camera_id=CameraId(f"c-{number}"),
                    state=CameraState.UNREACHABLE,
                    since=clock.now(),
                    worker=f"w{number % 2}",
                )
            )
        (outage,) = (await client.get("/api/v1/camera-outages")).json()["outages"]
        assert outage["cameras"] == ["c-0", "c-1", "c-2", "c-3"]
        assert (outage["site"], outage["of"]) == ("127.0.0.1", 4)
        await own_api.store.cameras.record_health(
            CameraHealth(
                camera_id=CameraId("c-0"), state=CameraState.LIVE, since=clock.now(), worker="w0"
            )
        )
        assert (await client.get("/api/v1/camera-outages")).json() == {"outages": []}


async def test_many_are_switched_and_moved_but_not_what_others_have_changed(
    own_api: RunningApi,
) -> None:
    async with own_api.client() as client:
        for number in range(3):
            body = a_camera(id=f"c-{number}", url=f"rtsp://127.0.0.1/{number}")
            assert (await client.post("/api/v1/cameras", json=body)).status_code == 201
        changed = a_camera(id="c-2", url="rtsp://127.0.0.1/2", name="Other", version=1)
        await client.put("/api/v1/cameras/c-2", json=changed)
        cameras = [{"id": f"c-{number}", "version": 1} for number in range(4)]
        body = {"cameras": cameras, "enabled": False, "group": "utara"}
        found = (await client.post("/api/v1/cameras/bulk", json=body)).json()
        assert found["changed"] == [{"id": "c-0", "version": 2}, {"id": "c-1", "version": 2}]
        assert set(found["conflicts"]) == {"c-2", "c-3"}
        one = (await client.get("/api/v1/cameras/c-0")).json()["camera"]
        assert (one["enabled"], one["group"]) == (False, "utara")
        nothing = await client.post("/api/v1/cameras/bulk", json={"cameras": cameras})
        assert nothing.status_code == 422


async def test_how_a_camera_has_been_is_told_newest_first(own_api: RunningApi) -> None:
    async with own_api.client() as client:
        body = a_camera(id="c-0", url="rtsp://127.0.0.1/0")
        await client.post("/api/v1/cameras", json=body)
        for state in (CameraState.CONNECTING, CameraState.LIVE, CameraState.STALLED):
            health = CameraHealth(
                camera_id=CameraId("c-0"), state=state, since=SystemClock().now(), worker="w"
            )
            await own_api.store.cameras.record_health(health)
        address = "/api/v1/cameras/c-0/health-history"
        page = (await client.get(address, params={"limit": 2})).json()
        rest = (await client.get(address, params={"after": page["next"]})).json()
    states = [entry["subject"]["state"] for entry in (*page["entries"], *rest["entries"])]
    assert states == ["stalled", "live", "connecting"]
    assert rest["next"] is None


async def test_a_drawn_road_goes_to_who_judges_floods(own_api: RunningApi) -> None:
    road = {"x0": 0.1, "y0": 0.5, "x1": 0.6, "y1": 1.0}
    async with own_api.client() as client:
        made = await client.post("/api/v1/cameras", json=a_camera(id="c-0", road_region=road))
        assert made.json()["camera"]["road_region"] == road
        upside_down = a_camera(id="c-1", road_region=road | {"y0": 1.0, "y1": 0.5})
        refused = await client.post("/api/v1/cameras", json=upside_down)
        assert refused.status_code == 422
    (source,) = await own_api.store.cameras.stream_sources()
    assert source.road_region == RoadRegion(**road)
    picture = np.zeros((100, 200, 3), np.uint8)
    picture[50:, 20:120] = 255
    crop = crop_road(picture, 32, source.road_region.pixels(200, 100))
    assert crop.min() == 255
    assert crop_road(picture, 32).min() == 0
