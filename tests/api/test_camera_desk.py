"""Many cameras at once, and how one has been."""

from __future__ import annotations

import json

import numpy as np

from contracts import CameraHealth, CameraId, CameraPose, CameraState, LonLat, RoadRegion
from detection.road_region import crop_road
from incidents.people.accounts import Role
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
        assert refused.json()["problems"][0]["row"] == 4
        done = await client.post("/api/v1/cameras/import?dry_run=false", content=CSV)
        assert done.json()["written"] is True, done.text
        again = await client.post("/api/v1/cameras/import?dry_run=false", content=CSV)
        assert (again.json()["new"], again.json()["changed"]) == (0, 2)
        groups = (await client.get("/api/v1/camera-groups")).json()["groups"]
    assert [(one["name"], one["cameras"]) for one in groups] == [("selatan", 1), ("utara", 1)]


async def test_what_a_register_does_not_tell_of_a_known_camera_stays(own_api: RunningApi) -> None:
    """The same list once more, with one row added, as registers are kept."""
    text = CSV.replace("rtsp://127", "rtsp://admin:rahasia@127")
    import_it = "/api/v1/cameras/import?dry_run=false"
    async with own_api.client() as client:
        assert (await client.post(import_it, content=text)).json()["written"] is True
        kept = await own_api.store.cameras.credentials(CameraId("simpang-a"))
        assert kept.sealed_password is not None
        pose = CameraPose(
            position=LonLat(106.99213, -6.23788),
            height_m=8.6,
            bearing_deg=31.0,
            tilt_deg=-11.0,
            hfov_deg=58.0,
            width_px=1280,
            height_px=720,
        )
        await own_api.store.calibrations.record(
            CameraId("simpang-a"), pose, request=None, findings={}, actor="budi", version=1
        )
        more = (
            "nama;bujur;lintang;url;tinggi;arah;kemiringan;fov;lebar;tinggi_px\n"
            "Simpang A;106,9921;-6,2379;rtsp://127.0.0.1/a;8;25;-13;60;1280;720\n"
            "Simpang B;106,9931;-6,2381;rtsp://127.0.0.1/b;;;;;;\n"
            "Simpang C;106,9941;-6,2391;rtsp://127.0.0.1/c;;;;;;\n"
        )
        done = (await client.post(import_it, content=more)).json()
        assert (done["new"], done["changed"], done["written"]) == (1, 2, True)
        known = (await client.get("/api/v1/cameras/simpang-a")).json()["camera"]
        assert (known["group"], known["pose"]["bearing_deg"]) == ("utara", 31.0)
        assert known["has_credentials"] is True
        assert await own_api.store.cameras.credentials(CameraId("simpang-a")) == kept
        # Nothing new was told of it, so nobody opens its stream again.
        assert known["version"] == 2
        moved = more.replace("106,9921", "106,9961")
        await client.post(import_it, content=moved)
        known = (await client.get("/api/v1/cameras/simpang-a")).json()["camera"]
        assert (known["pose"]["bearing_deg"], known["pose"]["position"]["lon"]) == (25, 106.9961)


async def test_one_stream_is_not_two_cameras_nor_a_password_sent_elsewhere(
    own_api: RunningApi,
) -> None:
    async with own_api.client() as client:
        body = a_camera(id="by-hand", url="rtsp://127.0.0.1/a", password="rahasia")
        (await client.post("/api/v1/cameras", json=body)).raise_for_status()
        looked = (await client.post("/api/v1/cameras/import", content=CSV)).json()
        (problem,) = looked["problems"]
        assert (problem["row"], problem["field"]) == (2, "url")
        assert "'by-hand'" in problem["why"]
        elsewhere = "id;bujur;lintang;url\nby-hand;106,9921;-6,2379;rtsp://127.0.0.2/a\n"
        looked = (await client.post("/api/v1/cameras/import", content=elsewhere)).json()
        assert [(one["row"], one["field"]) for one in looked["problems"]] == [(2, "password")]


async def test_a_register_of_thousands_is_taken_and_what_is_no_text_is_refused(
    own_api: RunningApi,
) -> None:
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [106.99, -6.24]},
            "properties": {"id": f"c-{n}", "url": f"rtsp://127.0.0.1/{n}", "note": "x" * 400},
        }
        for n in range(3_000)
    ]
    text = json.dumps({"type": "FeatureCollection", "features": features})
    assert len(text) > own_api.settings.api.max_body_bytes
    async with own_api.client() as client:
        looked = await client.post("/api/v1/cameras/import", content=text)
        assert looked.json()["new"] == 3_000
        workbook = await client.post("/api/v1/cameras/import", content=b"PK\x03\x04\xff\xfe")
    assert workbook.status_code == 422
    assert "CSV UTF-8" in workbook.json()["detail"]


async def test_an_address_inside_is_named_with_its_row(own_api: RunningApi) -> None:
    inside = CSV.replace("rtsp://127.0.0.1/b", "http://169.254.169.254/latest")
    async with own_api.client() as client:
        answer = await client.post("/api/v1/cameras/import?dry_run=false", content=inside)
    assert answer.json()["written"] is False
    assert [(one["row"], one["field"]) for one in answer.json()["problems"]] == [(3, "url")]


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


async def test_who_is_limited_to_groups_takes_nothing_out_of_them_nor_over(
    own_api: RunningApi,
) -> None:
    key = await own_api.store.keys.issue("timur", Role.CAMERA_ADMIN, camera_groups=["Timur"])
    headers = {"Authorization": f"Bearer {key}"}
    async with own_api.client() as client:
        for name in ("Timur", "Barat"):
            body = a_camera(id=name.lower(), url=f"rtsp://127.0.0.1/{name}", group=name)
            (await client.post("/api/v1/cameras", json=body)).raise_for_status()
        away = {"cameras": [{"id": "timur", "version": 1}], "group": "Barat"}
        moved = a_camera(url="rtsp://127.0.0.1/Timur", group="Barat", version=1)
        for method, path, body in (
            ("POST", "/api/v1/cameras/bulk", away),
            ("PUT", "/api/v1/cameras/timur", moved),
        ):
            refused = await client.request(method, path, json=body, headers=headers)
            assert refused.json()["errors"][0]["field"] == "group", path
        rows = "".join(f"{one},106.99,-6.24,rtsp://127.0.0.1/{one}\n" for one in ("timur", "barat"))
        text = f"id,lon,lat,url\n{rows}new,106.99,-6.24,rtsp://127.0.0.1/new\n"
        looked = await client.post("/api/v1/cameras/import", content=text, headers=headers)
    problems = [(one["row"], one["field"]) for one in looked.json()["problems"]]
    assert problems == [(3, "id"), (4, "group")]
