"""A nudged camera's admin is offered the pose that its picture tells of, once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from contracts import CameraHealth, CameraId, CameraPose, CameraState, LonLat, ViewShift
from geo import LocalProjection, PinholeCamera
from incidents.people.accounts import Role
from plumbing.clock import SystemClock
from tests.api.made import LAT, LON, a_camera, a_pose
from tests.geo.test_drift import shift_of, turned
from tests.support.api import ApiThread

GONE = ViewShift(homography=(1, 0, 3, 0, 1, 0, 0, 0, 1), matches=9, sigma=0.001, aspect=0.5625)


@pytest.fixture
def camera(desk: httpx.Client) -> dict[str, Any]:
    found: dict[str, Any] = desk.post("/api/v1/cameras", json=a_camera()).json()["camera"]
    return found


def path_of(camera: dict[str, Any], rest: str = "") -> str:
    return f"/api/v1/cameras/{camera['id']}/calibration/proposal{rest}"


def nudged(yaw: float) -> ViewShift:
    position = LonLat(LON, LAT - 40 / 111_320)
    pose = CameraPose(**(a_pose() | {"position": position}))
    before = PinholeCamera.from_pose(pose, LocalProjection(position))
    return shift_of(before, turned(before, yaw, -1.0, 0.5))


def tell(
    api: ApiThread,
    camera: dict[str, Any],
    shift: ViewShift | None,
    state: CameraState = CameraState.MOVED,
    since: datetime | None = None,
) -> None:
    health = CameraHealth(
        camera_id=CameraId(camera["id"]),
        state=state,
        since=since or SystemClock().now(),
        view_shift=shift,
    )
    api.run(api.api.store.cameras.record_health(health))


def test_a_proposal_is_looked_at_and_taken_up(
    shared_api: ApiThread, desk: httpx.Client, camera: dict[str, Any]
) -> None:
    tell(shared_api, camera, nudged(4.0))
    offered = desk.get(path_of(camera))
    assert offered.status_code == 200, offered.text
    found = offered.json()
    assert found["version"] == 1 and found["current"] == camera["pose"]
    assert found["proposed"]["bearing_deg"] == pytest.approx(4, abs=0.05)
    assert found["proposed"]["tilt_deg"] == pytest.approx(-16, abs=0.05)
    assert found["drift"]["turned_deg"] == pytest.approx(4, abs=0.05)
    assert found["sigmas"]["bearing_deg"] == found["proposed"]["bearing_sigma_deg"] > 0
    assert desk.get(f"/api/v1/cameras/{camera['id']}").json()["camera"] == camera

    taken = desk.post(path_of(camera, "/accept"), json={"version": 1})
    assert taken.status_code == 200, taken.text
    assert taken.json()["camera"]["camera"]["pose"] == found["proposed"]
    history = desk.get(f"/api/v1/cameras/{camera['id']}/calibration").json()["calibrations"]
    assert [one["origin"] for one in history] == ["proposed", "registered"]
    assert history[1]["pose"] == camera["pose"]


def test_a_shift_is_not_added_twice(
    shared_api: ApiThread, desk: httpx.Client, camera: dict[str, Any]
) -> None:
    since = SystemClock().now()
    tell(shared_api, camera, nudged(4.0), since=since)
    assert desk.post(path_of(camera, "/accept"), json={"version": 1}).status_code == 200
    # A worker that hasn't heard of the new pose says the same again.
    tell(shared_api, camera, nudged(4.0), since=since)
    late = desk.post(path_of(camera, "/accept"), json={"version": 2})
    assert late.status_code == 409
    assert "changed after" in late.json()["detail"]
    tell(shared_api, camera, nudged(4.0), since=since + timedelta(minutes=1))
    assert desk.get(path_of(camera)).status_code == 200


def test_an_old_version_is_refused_with_the_current_one(
    shared_api: ApiThread, desk: httpx.Client, camera: dict[str, Any]
) -> None:
    tell(shared_api, camera, nudged(2.0))
    late = desk.post(path_of(camera, "/accept"), json={"version": 7})
    assert late.status_code == 409 and late.json()["current"]["version"] == 1
    assert desk.post(path_of(camera, "/accept"), json={}).status_code == 422


@pytest.mark.parametrize(
    ("shift", "state", "why"),
    [
        (None, CameraState.LIVE, "isn't known to have moved"),
        (None, CameraState.MOVED, "how far"),
        (GONE, CameraState.MOVED, "too little"),
    ],
)
def test_where_nothing_can_be_proposed_it_says_why(
    shared_api: ApiThread,
    desk: httpx.Client,
    camera: dict[str, Any],
    shift: ViewShift | None,
    state: CameraState,
    why: str,
) -> None:
    tell(shared_api, camera, shift, state)
    found = desk.get(path_of(camera))
    assert found.status_code == 409
    assert found.json()["type"] == "urn:siaga:problem:nothing-to-propose"
    assert why in found.json()["detail"]
    assert desk.post(path_of(camera, "/accept"), json={"version": 1}).status_code == 409


def test_no_pose_no_camera_no_right(shared_api: ApiThread, desk: httpx.Client) -> None:
    bare = desk.post("/api/v1/cameras", json=a_camera(pose=None)).json()["camera"]
    tell(shared_api, bare, nudged(2.0))
    assert "no pose" in desk.get(path_of(bare)).json()["detail"]
    assert desk.get(path_of({"id": "camera-none"})).status_code == 404
    with shared_api.client(Role.OPERATOR) as operator:
        assert operator.get(path_of(bare)).status_code == 403
