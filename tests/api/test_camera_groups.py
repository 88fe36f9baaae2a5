"""Who is limited to some groups of cameras sees those and what they have to do with, everywhere."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

from contracts import CameraId, ClipId, ClipState, EvidenceClip, IncidentId
from incidents.people.accounts import Role
from tests.api.made import a_call, a_camera
from tests.incidents.make import call, found
from tests.incidents.running import now
from tests.incidents.writer import Writer
from tests.support.api import RunningApi


@pytest.fixture
async def key(own_api: RunningApi) -> str:
    """A city with a camera in each of two groups, and a key for one of them."""
    async with own_api.client() as desk:
        for name in ("Timur", "Barat"):
            camera = a_camera(id=f"camera-{name.lower()}", group=name)
            (await desk.post("/api/v1/cameras", json=camera)).raise_for_status()
    writer = Writer(own_api.store)
    await writer.apply(call(1), found("incident-1", "report-call-1"))
    return await own_api.store.keys.issue("limited", Role.CAMERA_ADMIN, camera_groups=["Timur"])


def client(api: RunningApi, key: str) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {key}"}
    return httpx.AsyncClient(base_url=api.url, headers=headers, timeout=20)


async def test_other_groups_cameras_are_as_if_they_were_not(own_api: RunningApi, key: str) -> None:
    async with client(own_api, key) as limited:
        listed = (await limited.get("/api/v1/cameras")).json()["cameras"]
        assert [one["camera"]["id"] for one in listed] == ["camera-timur"]
        assert (await limited.get("/api/v1/cameras/camera-timur")).status_code == 200
        for method, path in (
            ("GET", "/api/v1/cameras/camera-barat"),
            ("DELETE", "/api/v1/cameras/camera-barat?version=1"),
            ("GET", "/api/v1/cameras/camera-barat/calibration"),
            ("GET", "/ogc/collections/cameras/items/camera-barat"),
        ):
            assert (await limited.request(method, path)).status_code == 404, path
        features = (await limited.get("/ogc/collections/cameras/items")).json()["features"]
        assert [one["id"] for one in features] == ["camera-timur"]
        elsewhere = await limited.post("/api/v1/cameras", json=a_camera(group="Barat"))
        assert elsewhere.status_code == 422
        assert elsewhere.json()["errors"][0]["field"] == "group"


async def test_the_feed_and_the_log_tell_of_ones_own_groups_alone(
    own_api: RunningApi, key: str
) -> None:
    async with connect(
        own_api.feed_url, additional_headers={"Authorization": f"Bearer {key}"}
    ) as feed:
        start = json.loads(await feed.recv())
        assert [one["camera"]["id"] for one in start["cameras"]] == ["camera-timur"]
        async with own_api.client() as desk:
            for name in ("barat", "timur"):
                body = a_camera(group=name.title(), name="moved") | {"version": 1}
                (await desk.put(f"/api/v1/cameras/camera-{name}", json=body)).raise_for_status()
        change: dict[str, Any] = json.loads(await feed.recv())
        change = change["items"][0] if change["type"] == "changes" else change
        assert change["subject_id"] == "camera-timur"
        assert change["prev_seq"] == start["seq"]
    async with client(own_api, key) as limited:
        entries = (await limited.get("/api/v1/log")).json()["entries"]
        assert "camera-barat" not in {one["subject_id"] for one in entries}
        assert "camera-timur" in {one["subject_id"] for one in entries}


async def test_incidents_of_other_groups_are_hidden_and_those_of_no_camera_are_not(
    own_api: RunningApi, key: str
) -> None:
    from dataclasses import replace

    from incidents.rows import change_row

    incident = await own_api.store.incidents.get(IncidentId("incident-1"))
    async with client(own_api, key) as limited:
        for groups, is_seen in (((), True), (("Timur", "Barat"), True), (("Barat",), False)):
            changed = replace(incident, camera_groups=groups)
            async with own_api.store._database.changing() as connection:
                await change_row(connection, incident, changed)
            incident = changed
            listed = (await limited.get("/api/v1/incidents")).json()["incidents"]
            features = (await limited.get("/ogc/collections/incidents/items")).json()["features"]
            one = await limited.get("/api/v1/incidents/incident-1")
            cap = await limited.get("/api/v1/incidents/incident-1.cap.xml")
            assert len(listed) == len(features) == int(is_seen), groups
            assert (one.status_code == 200) == (cap.status_code == 200) == is_seen


async def test_only_ones_own_cameras_are_ranked_for_a_call(own_api: RunningApi) -> None:
    key = await own_api.store.keys.issue("limited-desk", Role.OPERATOR, camera_groups=["Timur"])
    async with own_api.client() as desk:
        for name in ("Timur", "Barat"):
            camera = a_camera(id=f"camera-{name.lower()}", group=name)
            (await desk.post("/api/v1/cameras", json=camera)).raise_for_status()
        everything = (await desk.post("/api/v1/calls", json=a_call())).json()["cameras"]
        assert {one["camera_id"] for one in everything} == {"camera-timur", "camera-barat"}
    async with client(own_api, key) as limited:
        ranked = (await limited.post("/api/v1/calls", json=a_call())).json()["cameras"]
        assert {one["camera_id"] for one in ranked} == {"camera-timur"}


async def test_clips_of_other_groups_cameras_are_not_told_of(own_api: RunningApi, key: str) -> None:
    incident, at = IncidentId("incident-1"), now()
    clips = [
        EvidenceClip(
            id=ClipId(f"{incident}/{camera}"),
            incident_id=incident,
            camera_id=CameraId(camera),
            since=at - timedelta(seconds=20),
            until=at,
            state=ClipState.WANTED,
            requested_at=at,
            updated_at=at,
        )
        for camera in ("camera-barat", "camera-timur")
    ]
    headers = {"Authorization": f"Bearer {key}"}
    async with (
        connect(own_api.feed_url, additional_headers=headers) as feed,
        client(own_api, key) as limited,
        own_api.client() as desk,
    ):
        start = json.loads(await feed.recv())
        await own_api.store.clips.want(clips)
        change: dict[str, Any] = json.loads(await feed.recv())
        assert (change["type"], change["prev_seq"]) == ("change", start["seq"])
        assert change["subject"]["camera_id"] == "camera-timur"
        entries = (await limited.get("/api/v1/log?kind=clip.saved")).json()["entries"]
        assert [one["subject"]["camera_id"] for one in entries] == ["camera-timur"]
        address = f"/api/v1/incidents/{incident}/evidence"
        for one, seen in ((limited, ["camera-timur"]), (desk, ["camera-barat", "camera-timur"])):
            found = (await one.get(address)).json()["clips"]
            assert [clip["camera_id"] for clip in found] == seen
