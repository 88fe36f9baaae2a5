"""A camera admin at work: register, look, calibrate by clicking, and find the command's pose."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.sync_api import Page, Route, expect
from typer.testing import CliRunner

from contracts import CameraPose, CameraState, LonLat, ProbeAnswer, ProbeCamera
from geo import LocalProjection, PinholeCamera
from plumbing.evidence import FolderEvidence
from siaga.cli import app
from tests.support.api import ApiThread
from tests.support.system import eventually

pytestmark = pytest.mark.timeout(300)

PLACE = LonLat(106.992, -6.2383)
PROJECTION = LocalProjection(PLACE)
TRUE = PinholeCamera.from_pose(
    CameraPose(
        position=PLACE,
        height_m=8.6,
        bearing_deg=31.0,
        tilt_deg=-11.0,
        hfov_deg=58.0,
        width_px=1280,
        height_px=720,
    ),
    PROJECTION,
)
GROUND = [(-6, 22), (7, 26), (-14, 45), (13, 60), (-3, 75), (25, 70)]
"""Spots in front of the camera: to the right and ahead, metres."""


@pytest.fixture
def worker(api: ApiThread) -> Iterator[None]:
    """Answers probes with what the true camera sees: a grid of ten metres on the ground."""
    settings = api.api.settings
    store = FolderEvidence(settings.evidence_folder, settings.evidence.min_free_bytes)

    async def answer(_: ProbeCamera) -> ProbeAnswer:
        picture_id = store.put(_picture(), "image/jpeg")
        return ProbeAnswer(
            state=CameraState.LIVE,
            detail="a picture came",
            codec="h264",
            width_px=1280,
            height_px=720,
            picture_id=picture_id,
        )

    with api.beside(api.api.bus.answer_probes(answer)):
        yield


def _picture() -> bytes:
    picture = np.full((720, 1280, 3), (96, 104, 108), np.uint8)
    for across in range(-60, 61, 10):
        for along in range(10, 150, 10):
            for end in ((across + 10, along), (across, along + 10)):
                spots, seen = TRUE.project(np.array([_world(across, along), _world(*end)]))
                if seen.all():
                    first, second = (tuple(map(int, spot)) for spot in spots)
                    cv2.line(picture, first, second, (200, 205, 208), 2, cv2.LINE_AA)
    encoded, data = cv2.imencode(".jpg", picture)
    assert encoded
    return data.tobytes()


def _world(right_m: float, ahead_m: float) -> tuple[float, float, float]:
    sin_y, cos_y = math.sin(TRUE.yaw), math.cos(TRUE.yaw)
    return (
        TRUE.x + right_m * cos_y + ahead_m * sin_y,
        TRUE.y - right_m * sin_y + ahead_m * cos_y,
        0.0,
    )


def _fill(console: Page, name: str) -> None:
    console.get_by_test_id("screen-cameras").click()
    console.get_by_test_id("camera-register").click()
    console.get_by_test_id("field-name").fill(name)
    console.get_by_test_id("field-url").fill("rtsp://127.0.0.1:8554/one")
    for field, value in {
        "lat": PLACE.lat,
        "lon": PLACE.lon,
        "height_m": 8,
        "bearing_deg": 25,
        "tilt_deg": -13,
        "hfov_deg": 60,
    }.items():
        console.get_by_test_id(f"field-{field}").fill(str(value))
    console.get_by_test_id("camera-save").click()


def _register(console: Page, name: str) -> None:
    _fill(console, name)
    expect(console.get_by_test_id("camera-detail")).to_be_visible()


def _click_picture(console: Page, u: float, v: float) -> None:
    stage = console.get_by_test_id("cal-picture")
    box = stage.bounding_box()
    assert box is not None
    x, y = u / 1280 * box["width"], v / 720 * box["height"]
    stage.click(position={"x": x, "y": y})


def _click_map(console: Page, place: LonLat) -> None:
    eventually(
        lambda: console.evaluate("window.siagaSurvey?.idle()") or None, 20, "the map is drawn"
    )
    at = console.evaluate(
        "at => window.siagaSurvey.pixelOf(at)", {"lon": place.lon, "lat": place.lat}
    )
    console.get_by_test_id("cal-map").click(position=at)


def _stored(api: ApiThread, camera_id: str) -> dict[str, Any]:
    with api.client() as client:
        found = client.get(f"/api/v1/cameras/{camera_id}/calibration").json()["calibrations"]
    return dict(found[0])


@pytest.mark.usefixtures("worker")
def test_six_clicks_and_a_horizon_give_the_commands_pose(
    console: Page, api: ApiThread, tmp_path: Path
) -> None:
    _register(console, "Simpang Bulan-Bulan")
    console.get_by_test_id("camera-calibrate").click()
    expect(console.get_by_test_id("cal-picture").locator("img")).to_be_visible()
    pixels, seen = TRUE.project(np.array([_world(*spot) for spot in GROUND]))
    assert seen.all()
    stage = console.get_by_test_id("cal-picture")
    aimed_at = stage.bounding_box()
    for (u, v), (right_m, ahead_m) in zip(pixels.tolist(), GROUND, strict=True):
        x, y, _ = _world(right_m, ahead_m)
        _click_picture(console, u, v)
        _click_map(console, PROJECTION.place(x, y))
        assert stage.bounding_box() == aimed_at, "the picture moved under the pointer"
    console.get_by_test_id("mode-horizon").check(force=True)
    far = [(*_world(right_m, 1e6)[:2], TRUE.h) for right_m in (-3e5, 3e5)]
    horizon, _ = TRUE.project(np.array(far))
    for u, v in horizon.tolist():
        _click_picture(console, u, v)
    expect(console.get_by_test_id("calibrate")).to_have_attribute("data-asking", "false")
    pose = console.get_by_test_id("cal-pose")
    assert abs(float(pose.get_attribute("data-bearing") or "nan") - 31.0) < 0.5
    assert abs(float(pose.get_attribute("data-tilt") or "nan") + 11.0) < 0.3
    console.get_by_test_id("cal-store").click()
    expect(console.get_by_test_id("cal-stored")).to_be_visible()

    camera_id = console.get_by_test_id("calibrate").get_attribute("data-camera")
    assert camera_id is not None
    kept = _stored(api, camera_id)
    assert len(kept["request"]["points"]) == 6
    assert len(kept["request"]["horizon"]) == 2
    request = {name: value for name, value in kept["request"].items() if name != "head"}
    file = tmp_path / "camera.json"
    file.write_text(json.dumps(request))
    printed = CliRunner().invoke(app, ["calibrate", str(file), "--json"])
    assert printed.exit_code == 0, printed.output
    by_command = json.loads(printed.stdout)["pose"]
    assert kept["pose"] == by_command | {"range_m": kept["pose"]["range_m"]}


@pytest.mark.usefixtures("worker")
def test_a_bad_click_is_named_and_mended_by_keyboard(console: Page, api: ApiThread) -> None:
    _register(console, "Ahmad Yani")
    console.get_by_test_id("camera-calibrate").click()
    stage = console.get_by_test_id("cal-picture")
    expect(stage.locator("img")).to_be_visible()
    pixels, _ = TRUE.project(np.array([_world(*spot) for spot in GROUND]))
    for number, ((u, v), spot) in enumerate(zip(pixels.tolist(), GROUND, strict=True), start=1):
        _click_picture(console, u, v)
        place = PROJECTION.place(*_world(*spot)[:2])
        row = console.get_by_test_id(f"cal-pair-{number}")
        off = 0.0004 if number == 3 else 0.0
        row.get_by_label("Latitude").fill(str(place.lat + off))
        row.get_by_label("Latitude").press("Tab")
        row.get_by_label("Longitude").fill(str(place.lon))
        row.get_by_label("Longitude").press("Tab")
    warnings = console.get_by_test_id("cal-warnings")
    expect(warnings).to_contain_text("point 3 contradicts")
    mended = PROJECTION.place(*_world(*GROUND[2])[:2])
    row = console.get_by_test_id("cal-pair-3")
    row.get_by_label("Latitude").fill(str(mended.lat))
    row.get_by_label("Latitude").press("Enter")
    expect(warnings).to_have_count(0)
    # The cross of the keyboard: from the middle, right and down, a spot is marked.
    stage.focus()
    for key in ("ArrowRight", "Shift+ArrowDown", "Enter"):
        stage.press(key)
    row = console.get_by_test_id("cal-pair-7")
    expect(row.get_by_label("Point 7 u")).to_have_value("642.0")
    expect(row.get_by_label("Point 7 v")).to_have_value("380.0")
    expect(console.get_by_test_id("cal-store")).to_be_disabled()


def test_what_a_form_gets_wrong_is_told_at_its_field(console: Page, api: ApiThread) -> None:
    console.get_by_test_id("screen-cameras").click()
    console.get_by_test_id("camera-register").click()
    console.get_by_test_id("field-name").fill("Swapped")
    console.get_by_test_id("field-url").fill("rtsp://user:secret@127.0.0.1/one")
    console.get_by_test_id("field-lat").fill(str(PLACE.lat))
    console.get_by_test_id("field-lon").fill(str(PLACE.lon))
    console.get_by_test_id("camera-save").click()
    expect(console.get_by_test_id("form-problem")).to_be_visible()
    expect(console.get_by_text("must not carry a user or password")).not_to_have_count(0)
    with api.client() as client:
        assert client.get("/api/v1/cameras").json()["cameras"] == []


def test_a_lost_answer_registers_no_second_camera_and_two_admins_keep_both_changes(
    console: Page, api: ApiThread
) -> None:
    """What was carried out unheard isn't repeated; what was typed is about what was seen."""
    with api.client() as client:

        def registered() -> list[dict[str, Any]]:
            listed = client.get("/api/v1/cameras").json()["cameras"]
            return [one["camera"] for one in listed]

        def unheard(route: Route) -> None:
            if route.request.method == "POST":
                route.fetch()
                route.abort()
            else:
                route.continue_()

        address = "**/api/v1/cameras"
        console.route(address, unheard)
        _fill(console, "Simpang Lima")
        expect(console.get_by_test_id("form-problem")).to_be_visible()
        console.unroute(address)
        console.get_by_test_id("field-name").fill("Simpang Enam")
        console.get_by_test_id("camera-save").click()
        expect(console.get_by_test_id("camera-detail")).to_contain_text("Simpang Enam")
        (known,) = registered()
        console.get_by_test_id("camera-edit").click()
        theirs = {
            name: value
            for name, value in known.items()
            if name not in ("id", "version", "has_credentials")
        }
        client.put(
            f"/api/v1/cameras/{known['id']}",
            json=theirs | {"group": "Timur", "version": known["version"]},
        ).raise_for_status()
        row = console.get_by_test_id(f"cam-{known['id']}")
        expect(row).to_contain_text("Timur")
        console.get_by_test_id("field-name").fill("Simpang Tujuh")
        console.get_by_test_id("camera-save").click()
        expect(console.get_by_test_id("form-overtaken")).to_be_visible()
        expect(console.get_by_test_id("field-group")).to_have_value("Timur")
        console.get_by_test_id("camera-save").click()
        expect(console.get_by_test_id("camera-detail")).to_contain_text("Simpang Tujuh")
        (now,) = registered()
    assert (now["name"], now["group"]) == ("Simpang Tujuh", "Timur")
