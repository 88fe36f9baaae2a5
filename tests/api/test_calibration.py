"""A camera admin's whole way: clicks tried out, stored, looked back at, and taken back."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from incidents.people.accounts import Role
from siaga.cli import app
from tests.api.made import LAT, LON, a_camera, a_pose
from tests.api.test_calls import only_error
from tests.support.api import ApiThread

METADATA: dict[str, Any] = {
    "width_px": 1280,
    "height_px": 720,
    "position": {"lon": LON, "lat": LAT, "sigma_m": 1},
    "height_m": 8,
    "bearing_deg": 20,
    "tilt_deg": -12,
    "hfov_deg": 62,
}
SPOTS = [(200, 420), (640, 380), (1100, 440), (300, 600), (900, 650), (640, 500), (500, 330)]


@pytest.fixture
def camera(desk: httpx.Client) -> dict[str, Any]:
    body = a_camera(position={"lon": LON, "lat": LAT}, pose=a_pose(range_m=90))
    found: dict[str, Any] = desk.post("/api/v1/cameras", json=body).json()["camera"]
    return found


def path_of(camera: dict[str, Any], rest: str = "") -> str:
    return f"/api/v1/cameras/{camera['id']}/calibration{rest}"


@pytest.fixture
def clicked(desk: httpx.Client, camera: dict[str, Any]) -> dict[str, Any]:
    """What an admin clicks who sees through a camera that hangs otherwise than its papers say."""
    true = METADATA | {
        "bearing_deg": 25.0,
        "tilt_deg": -13.5,
        "project": [{"u": u, "v": v} for u, v in SPOTS],
    }
    placed = desk.post(path_of(camera, "/preview"), json=true).json()["projected"]
    points = [{name: one[name] for name in ("u", "v", "lon", "lat")} for one in placed]
    return METADATA | {"points": points, "project": [{"u": 640, "v": 400}, {"u": 640, "v": 5}]}


def test_a_preview_stores_nothing_and_finds_the_pose(
    desk: httpx.Client, camera: dict[str, Any], clicked: dict[str, Any]
) -> None:
    found = desk.post(path_of(camera, "/preview"), json=clicked)
    assert found.status_code == 200, found.text
    answer = found.json()
    assert answer["pose"]["bearing_deg"] == pytest.approx(25, abs=0.8)
    assert answer["pose"]["tilt_deg"] == pytest.approx(-13.5, abs=0.4)
    assert max(answer["residuals_px"]) < 8
    assert answer["left_out"] is None
    ground, sky = answer["projected"]
    assert ground["region95"]["type"] == "Polygon"
    assert sky["lon"] is None
    assert desk.get(f"/api/v1/cameras/{camera['id']}").json()["camera"] == camera
    assert desk.get(path_of(camera)).json() == {"calibrations": []}


def test_the_command_line_gives_the_same(
    desk: httpx.Client, camera: dict[str, Any], clicked: dict[str, Any], tmp_path: Path
) -> None:
    file = tmp_path / "camera.json"
    file.write_text(json.dumps(clicked))
    printed = json.loads(CliRunner().invoke(app, ["calibrate", str(file), "--json"]).stdout)
    answered = desk.post(path_of(camera, "/preview"), json=clicked).json()
    assert answered.pop("left_out") is None
    assert answered.pop("field_of_view")["type"] == "Polygon"
    assert answered == printed
    stored = desk.put(path_of(camera), json=clicked | {"version": 1}).json()
    assert stored["camera"]["camera"]["pose"] == printed["pose"] | {"range_m": 90}
    assert stored["projected"] == printed["projected"]


def test_a_stored_calibration_is_the_cameras_pose_and_has_a_history(
    desk: httpx.Client, camera: dict[str, Any], clicked: dict[str, Any]
) -> None:
    first = desk.put(path_of(camera), json=clicked | {"version": 1})
    assert first.status_code == 200, first.text
    pose = first.json()["camera"]["camera"]["pose"]
    assert first.headers["etag"] == '"2"'
    assert first.json()["camera"]["field_of_view"]["type"] == "Polygon"
    second = desk.put(
        path_of(camera), json=clicked | {"points": clicked["points"][:4]}, headers={"If-Match": "2"}
    )
    assert second.status_code == 200
    history = desk.get(path_of(camera)).json()["calibrations"]
    assert [one["origin"] for one in history] == ["fitted", "fitted", "registered"]
    assert [one["camera_version"] for one in history] == [3, 2, 1]
    assert [one["is_current"] for one in history] == [True, False, False]
    assert history[1]["pose"] == pose
    assert history[2]["pose"] == camera["pose"]
    assert len(history[1]["request"]["points"]) == 7
    assert len(history[1]["findings"]["residuals_px"]) == 7
    assert history[0]["actor"].startswith("key-supervisor")


def test_an_earlier_pose_is_taken_up_again(
    desk: httpx.Client, camera: dict[str, Any], clicked: dict[str, Any]
) -> None:
    desk.put(path_of(camera), json=clicked | {"version": 1})
    registered = desk.get(path_of(camera)).json()["calibrations"][-1]
    again = desk.post(path_of(camera, f"/{registered['id']}/restore"), json={"version": 2})
    assert again.status_code == 200, again.text
    assert again.json()["camera"]["camera"]["pose"] == camera["pose"]
    assert again.json()["camera"]["camera"]["version"] == 3
    assert again.json()["calibration"]["restored_id"] == registered["id"]
    origins = [one["origin"] for one in desk.get(path_of(camera)).json()["calibrations"]]
    assert origins == ["restored", "fitted", "registered"]
    log = desk.get("/api/v1/log", params={"limit": 1000}).json()["entries"]
    mine = [one["detail"] for one in log if one["subject_id"] == camera["id"]]
    assert mine == ["registered", "calibrated", "calibrated"]


def test_a_calibration_made_on_an_old_version_is_refused_with_the_current_one(
    desk: httpx.Client, camera: dict[str, Any], clicked: dict[str, Any]
) -> None:
    desk.put(path_of(camera), json=clicked | {"version": 1})
    late = desk.put(path_of(camera), json=clicked | {"version": 1})
    assert late.status_code == 409
    assert late.json()["current"]["version"] == 2
    assert len(desk.get(path_of(camera)).json()["calibrations"]) == 2
    assert only_error(desk.put(path_of(camera), json=clicked))["field"] == "version"


def test_one_bad_click_is_named_and_left_out(
    desk: httpx.Client, camera: dict[str, Any], clicked: dict[str, Any]
) -> None:
    points = [dict(one) for one in clicked["points"]]
    points[2]["u"] -= 160
    answer = desk.post(path_of(camera, "/preview"), json=clicked | {"points": points}).json()
    assert answer["left_out"] == 2
    assert answer["warnings"][0].startswith("point 3 contradicts the others")
    assert answer["pose"]["bearing_deg"] == pytest.approx(25, abs=0.8)


@pytest.mark.parametrize(
    ("changes", "field", "why"),
    [
        ({"position": {"lon": LAT, "lat": 106.992}}, "position.lat", "swapped"),
        ({"position": {"lon": LON + 0.02, "lat": LAT}}, "position", "2.2 km"),
        (
            {"points": [{"u": 1, "v": 1, "lon": LON + 1, "lat": LAT}]},
            "points[0]",
            "from the camera",
        ),
        ({"points": [{"u": 1, "v": 1, "lon": LON}]}, "points.0.lat", "required"),
        ({"points": [{"u": 9e9, "v": 1, "lon": LON, "lat": LAT}]}, "points.0.u", "50000"),
        ({"horizon": [{"u": 1, "v": 1}] * 61}, "horizon", "60"),
        ({"tilt": -15}, "tilt", "unknown field"),
        ({"hfov_deg": None}, "hfov_deg", "number"),
    ],
)
def test_what_cannot_be_is_named(
    desk: httpx.Client, camera: dict[str, Any], changes: dict[str, Any], field: str, why: str
) -> None:
    for answer in (
        desk.post(path_of(camera, "/preview"), json=METADATA | changes),
        desk.put(path_of(camera), json=METADATA | changes | {"version": 1}),
    ):
        error = only_error(answer)
        assert error["field"] == field
        assert why in error["why"]


def test_only_the_camera_desk_calibrates(
    shared_api: ApiThread, camera: dict[str, Any], clicked: dict[str, Any]
) -> None:
    for role, status in ((Role.OPERATOR, 403), (Role.VIEWER, 403), (Role.CAMERA_ADMIN, 200)):
        with shared_api.client(role) as client:
            assert client.post(path_of(camera, "/preview"), json=clicked).status_code == status
            assert client.get(path_of(camera)).status_code == status


def test_what_is_not_there_is_not_found(desk: httpx.Client, camera: dict[str, Any]) -> None:
    none = "/api/v1/cameras/camera-none/calibration"
    assert desk.get(none).status_code == 404
    assert desk.post(f"{none}/preview", json=METADATA).status_code == 404
    assert desk.put(none, json=METADATA | {"version": 1}).status_code == 404
    missing = desk.post(path_of(camera, "/calibration-none/restore"), json={"version": 1})
    assert missing.status_code == 404
    assert "calibration-none" in missing.json()["detail"]


def clicked_at(desk: httpx.Client, camera: dict[str, Any], bearing_deg: float) -> dict[str, Any]:
    """Clicks in a picture that looks there."""
    true = METADATA | {"bearing_deg": bearing_deg, "project": [{"u": u, "v": v} for u, v in SPOTS]}
    placed = desk.post(path_of(camera, "/preview"), json=true).json()["projected"]
    points = [{name: one[name] for name in ("u", "v", "lon", "lat")} for one in placed]
    return METADATA | {"bearing_deg": bearing_deg, "points": points}


def test_a_camera_that_turns_learns_from_each_calibration(desk: httpx.Client) -> None:
    zoom = {"wide_hfov_deg": 62, "tele_hfov_deg": 4}
    body = a_camera(position={"lon": LON, "lat": LAT}, pose=a_pose(), head=zoom)
    camera = desk.post("/api/v1/cameras", json=body).json()["camera"]
    assert camera["head"] == zoom | {"learnt": None, "onvif": None}
    request = clicked_at(desk, camera, 25.0) | {"version": 1}
    assert only_error(desk.put(path_of(camera), json=request))["field"] == "head"
    for version, pan_deg in enumerate((100, 130, 160), start=1):
        request = clicked_at(desk, camera, pan_deg - 75.0)
        head = {"pan_deg": pan_deg, "tilt_deg": -12, "zoom": 0}
        stored = desk.put(path_of(camera), json=request | {"version": version, "head": head})
        assert stored.status_code == 200, stored.text
    learnt = stored.json()["camera"]["camera"]["head"]["learnt"]
    assert learnt["pairs"] == 3
    assert math.degrees(learnt["bias"][0]) == pytest.approx(-75, abs=1)
    renamed = body | {"name": "Simpang", "version": 4}
    kept = desk.put(f"/api/v1/cameras/{camera['id']}", json=renamed).json()["camera"]
    assert kept["head"]["learnt"] == learnt, "its zoom is the same, so it is the same head"
    other = renamed | {"version": 5, "head": zoom | {"tele_hfov_deg": 2}}
    changed = desk.put(f"/api/v1/cameras/{camera['id']}", json=other).json()["camera"]
    assert changed["head"]["learnt"] is None, "another head starts anew"


def test_how_a_head_is_asked_stays_with_it(desk: httpx.Client) -> None:
    zoom = {"wide_hfov_deg": 62, "tele_hfov_deg": 4}
    asked = {"port": 8000, "profile": "main", "pan_deg": [-170, 170], "tilt_deg": [-90, 20]}
    body = a_camera(pose=a_pose(), head=zoom | {"onvif": asked})
    camera = desk.post("/api/v1/cameras", json=body).json()["camera"]
    assert camera["head"]["onvif"] == asked
    path = f"/api/v1/cameras/{camera['id']}"
    kept = desk.put(path, json=body | {"head": zoom, "version": 1}).json()["camera"]
    assert kept["head"]["onvif"] == asked, "who doesn't speak of it changes nothing"
    gone = body | {"head": zoom | {"onvif": None}, "version": 2}
    assert desk.put(path, json=gone).json()["camera"]["head"]["onvif"] is None
    swapped = a_camera(pose=a_pose(), head=zoom | {"onvif": asked | {"pan_deg": [170, -170]}})
    assert only_error(desk.post("/api/v1/cameras", json=swapped))["field"] == "pan_deg"


def test_heads_that_cannot_be_are_refused(
    desk: httpx.Client, camera: dict[str, Any], clicked: dict[str, Any]
) -> None:
    head = {"pan_deg": 10, "tilt_deg": -12, "zoom": 0}
    request = clicked | {"version": 1, "head": head}
    assert only_error(desk.put(path_of(camera), json=request))["field"] == "head", "it doesn't turn"
    swapped = a_camera(pose=a_pose(), head={"wide_hfov_deg": 4, "tele_hfov_deg": 62})
    assert desk.post("/api/v1/cameras", json=swapped).status_code == 422
    unposed = a_camera(head={"wide_hfov_deg": 62, "tele_hfov_deg": 4}, pose=None)
    assert only_error(desk.post("/api/v1/cameras", json=unposed))["field"] == "head"


def test_a_video_system_tells_where_a_head_points(
    desk: httpx.Client, camera: dict[str, Any]
) -> None:
    body = a_camera(pose=a_pose(), head={"wide_hfov_deg": 62, "tele_hfov_deg": 4})
    turning = desk.post("/api/v1/cameras", json=body).json()["camera"]
    path = f"/api/v1/cameras/{turning['id']}/head"
    assert desk.post(path, json={"pan_deg": 12.5, "tilt_deg": -10, "zoom": 0.3}).status_code == 204
    assert desk.post(path, json={"pan_deg": 12.5}).status_code == 204, "a part of it helps too"
    old = {"pan_deg": 12.5, "at": "2020-01-01T00:00:00Z"}
    assert only_error(desk.post(path, json=old))["field"] == "at"
    assert only_error(desk.post(path, json={"pan_deg": 12.5, "zoom": 30}))["field"] == "zoom"
    fixed = f"/api/v1/cameras/{camera['id']}/head"
    assert only_error(desk.post(fixed, json={"pan_deg": 1}))["field"] == "head"
