"""The register: changed under a lock, with its secrets apart and its addresses judged."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from contracts import CameraId, CameraState, ProbeAnswer, ProbeCamera
from incidents.people.accounts import Role
from plumbing.sealing import Sealer
from tests.api.made import a_camera, a_pose
from tests.api.test_calls import only_error
from tests.support.api import ApiThread, RunningApi


def test_a_camera_is_registered_read_changed_and_removed(desk: httpx.Client) -> None:
    made = desk.post("/api/v1/cameras", json=a_camera(group="Bekasi Timur"))
    assert made.status_code == 201, made.text
    assert made.headers["etag"] == '"1"'
    camera = made.json()["camera"]
    assert camera["version"] == 1
    assert made.json()["field_of_view"]["type"] == "Polygon"
    path = f"/api/v1/cameras/{camera['id']}"
    assert desk.get(path).json() == made.json()

    changed = desk.put(path, json=a_camera(name="Baru", version=1))
    assert changed.status_code == 200
    assert changed.json()["camera"]["name"] == "Baru"
    assert changed.json()["camera"]["version"] == 2
    listed = {one["camera"]["id"]: one for one in desk.get("/api/v1/cameras").json()["cameras"]}
    assert listed[camera["id"]] == changed.json()

    assert desk.delete(path, params={"version": 1}).status_code == 409
    assert desk.delete(path, headers={"If-Match": '"2"'}).status_code == 204
    assert desk.get(path).status_code == 404
    assert desk.delete(path).status_code == 404
    assert desk.put(path, json=a_camera(version=2)).status_code == 404


def test_a_change_of_an_old_version_is_refused_with_the_current_camera(desk: httpx.Client) -> None:
    camera = desk.post("/api/v1/cameras", json=a_camera()).json()["camera"]
    path = f"/api/v1/cameras/{camera['id']}"
    desk.put(path, json=a_camera(name="First", version=1))
    answer = desk.put(path, json=a_camera(name="Second"), headers={"If-Match": '"1"'})
    assert answer.status_code == 409
    assert answer.json()["current"]["name"] == "First"
    assert only_error(desk.put(path, json=a_camera()))["field"] == "version"


def test_a_given_id_is_kept_and_taken_once(desk: httpx.Client) -> None:
    first = desk.post("/api/v1/cameras", json=a_camera(id="cctv-07"))
    assert first.json()["camera"]["id"] == "cctv-07"
    again = desk.post("/api/v1/cameras", json=a_camera(id="cctv-07"))
    assert again.status_code == 409
    assert again.json()["type"] == "urn:siaga:problem:exists"


@pytest.mark.parametrize(
    ("changes", "field", "why"),
    [
        ({"url": "rtsp://user:hunter2@127.0.0.1/x"}, "url", "give them apart"),
        ({"url": "rtsp://user@127.0.0.1/x"}, "url", "give them apart"),
        ({"url": "file:///etc/passwd"}, "url", "only rtsp, rtsps, http, https"),
        ({"url": "rtsp://169.254.169.254/latest"}, "url", "never opened"),
        ({"url": "http://10.1.2.3/x"}, "url", "ingest.allow_private"),
        ({"url": "rtsp:///x"}, "url", "names no host"),
        ({"url": "rtsp://127.0.0.1:99999/x"}, "url", "is no URL"),
        ({"position": {"lon": 0, "lat": 0}}, "position", "km from the city's centre"),
        ({"position": {"lon": -6.2, "lat": 106.9}}, "position.lat", "swapped?"),
        ({"position": {"lon": 106.9}}, "position.lat", "required"),
        ({"pose": a_pose(hfov_deg=300)}, "pose.hfov_deg", "between 1 and 175"),
        ({"pose": a_pose(hfov=60)}, "pose.hfov", "unknown field"),
        ({"name": " "}, "name", "blank"),
        ({"id": "../x"}, "id", "pattern"),
        ({"headers": {"Referer": "a\r\nb: c"}}, "headers", "header names"),
        ({"enabled": "yes"}, "enabled", "boolean"),
    ],
)
def test_what_cannot_be_a_camera_is_refused_with_field_and_reason(
    desk: httpx.Client, changes: dict[str, Any], field: str, why: str
) -> None:
    answer = desk.post("/api/v1/cameras", json=a_camera(**changes))
    error = only_error(answer)
    assert error["field"] == field
    assert why in error["why"]
    assert "hunter2" not in answer.text


def test_a_host_that_cannot_be_resolved_now_is_registered(desk: httpx.Client) -> None:
    later = a_camera(url="rtsp://camera-that-comes-later.invalid/x")
    assert desk.post("/api/v1/cameras", json=later).status_code == 201


def test_secrets_are_sealed_and_never_told(desk: httpx.Client, shared_api: ApiThread) -> None:
    secret = {"username": "admin", "password": "hunter2", "headers": {"Referer": "http://x/"}}
    made = desk.post("/api/v1/cameras", json=a_camera(**secret))
    assert made.json()["camera"]["has_credentials"] is True
    assert "hunter2" not in made.text + desk.get("/api/v1/log").text
    store, settings = shared_api.api.store, shared_api.api.settings
    camera_id = CameraId(made.json()["camera"]["id"])
    stored = shared_api.run(store.cameras.credentials(camera_id))
    assert stored.username == "admin"
    assert stored.headers == (("Referer", "http://x/"),)
    assert stored.sealed_password is not None
    assert "hunter2" not in stored.sealed_password
    assert Sealer(settings.key_file).unseal(stored.sealed_password) == "hunter2"

    path = f"/api/v1/cameras/{camera_id}"
    kept = desk.put(path, json=a_camera(name="Same secrets", version=1)).json()["camera"]
    assert kept["has_credentials"] is True
    assert shared_api.run(store.cameras.credentials(camera_id)) == stored
    nulls = {"username": None, "password": None}
    gone = desk.put(path, json=a_camera(version=2, **nulls)).json()["camera"]
    assert gone["has_credentials"] is False


def test_a_stored_password_does_not_follow_to_another_host(desk: httpx.Client) -> None:
    camera = desk.post("/api/v1/cameras", json=a_camera(username="a", password="b")).json()
    path = f"/api/v1/cameras/{camera['camera']['id']}"
    elsewhere = a_camera(url="rtsp://127.0.0.2:8554/one", version=1)
    assert only_error(desk.put(path, json=elsewhere))["field"] == "password"
    given = elsewhere | {"username": "a", "password": "new"}
    assert desk.put(path, json=given).status_code == 200


async def test_workers_are_told_whose_certificate_doesnt_matter(own_api: RunningApi) -> None:
    async with own_api.client() as desk:
        strict = (await desk.post("/api/v1/cameras", json=a_camera(id="strict"))).json()
        url = "rtsps://127.0.0.1/two"
        lenient = a_camera(id="lenient", url=url, any_certificate=True)
        assert (await desk.post("/api/v1/cameras", json=lenient)).json()["camera"][
            "any_certificate"
        ]
    assert strict["camera"]["any_certificate"] is False
    sources = await own_api.store.cameras.stream_sources()
    assert {one.camera_id: one.any_certificate for one in sources} == {
        "strict": False,
        "lenient": True,
    }


async def test_a_probe_is_asked_of_a_worker_with_the_password_sealed(own_api: RunningApi) -> None:
    asked: list[ProbeCamera] = []

    async def worker(command: ProbeCamera) -> ProbeAnswer:
        asked.append(command)
        return ProbeAnswer(state=CameraState.LIVE, detail="h264", width_px=1280, height_px=720)

    answering = asyncio.create_task(own_api.bus.answer_probes(worker))
    body = {"url": "rtsp://127.0.0.1:8554/x", "username": "u", "password": "hunter2"}
    async with own_api.client(Role.CAMERA_ADMIN) as client:
        answer = await client.post("/api/v1/cameras/probe", json=body)
    answering.cancel()
    assert answer.status_code == 200, answer.text
    assert answer.json()["state"] == "live"
    (command,) = asked
    assert command.source.url == body["url"]
    assert "hunter2" not in str(command)
    sealed = command.source.sealed_password or ""
    assert Sealer(own_api.settings.key_file).unseal(sealed) == "hunter2"


async def test_a_registered_camera_is_probed_with_its_own_password(own_api: RunningApi) -> None:
    asked: list[ProbeCamera] = []

    async def worker(command: ProbeCamera) -> ProbeAnswer:
        asked.append(command)
        return ProbeAnswer(state=CameraState.UNAUTHORISED, detail="the password is refused")

    answering = asyncio.create_task(own_api.bus.answer_probes(worker))
    async with own_api.client(Role.CAMERA_ADMIN) as client:
        body = a_camera() | {"username": "u", "password": "hunter2"}
        camera = (await client.post("/api/v1/cameras", json=body)).json()["camera"]
        answer = await client.post(f"/api/v1/cameras/{camera['id']}/probe")
        unknown = await client.post("/api/v1/cameras/nobody/probe")
    answering.cancel()
    assert answer.json()["state"] == "unauthorised"
    assert unknown.status_code == 404
    (command,) = asked
    assert (command.source.url, command.source.username) == (camera["url"], "u")
    sealed = command.source.sealed_password or ""
    assert Sealer(own_api.settings.key_file).unseal(sealed) == "hunter2"


async def test_a_probe_that_no_worker_answers_says_so(
    own_api: RunningApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.routes.cameras.ANSWER_SLACK_S", 0.2)
    async with own_api.client() as client:
        body = {"url": "rtsp://127.0.0.1:8554/x", "timeout_s": 1}
        answer = await client.post("/api/v1/cameras/probe", json=body)
    assert answer.status_code == 504
    assert answer.json()["type"] == "urn:siaga:problem:no-worker"
