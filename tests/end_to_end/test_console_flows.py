"""Everybody's flows at the desk, in both languages: a running system with simulated cameras, its
built console in a real Chromium, and nothing seeded.

The city is quiet, so that what happens in it is what a test has called in; each language has a
junction of its own, with a camera that looks at it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from contracts import CameraPose, FixMethod, from_plain
from geo import LocalProjection, PinholeCamera
from simulator.handsets import aml_form
from tests.end_to_end.desk import Desk
from tests.support.system import RunningSystem, chromium, eventually

pytestmark = [pytest.mark.end_to_end, pytest.mark.alone, pytest.mark.timeout(420)]

QUIET_CITY = """\
name: quiet-desk
title: A city where nothing happens by itself
seconds: 3600
repeats: true
traffic: 0.3
walkers: 0
map: {junctions: 2}
cameras:
  - {junction: 0, mast: Barat}
  - {junction: 1, mast: Barat}
"""
WORDS = {
    "id": {
        "live": "LANGSUNG",
        "sees": "terlihat",
        "nearest": "terdekat",
        "verify": "Verifikasi",
        "exercise": "LATIHAN",
    },
    "en": {
        "live": "LIVE",
        "sees": "in view",
        "nearest": "nearest",
        "verify": "Verify",
        "exercise": "EXERCISE",
    },
}
SCENARIO = {"id": "quiet-night", "en": "false-call"}
PHONE = {"quiet-night": "+628110000001", "false-call": "+628110000002"}


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSystem]:
    scenario = tmp_path_factory.mktemp("city") / "quiet.yaml"
    scenario.write_text(QUIET_CITY, encoding="utf-8")
    arguments = ["--scenario", str(scenario)]
    running = RunningSystem(tmp_path_factory.mktemp("data"), arguments, {})
    yield running
    code = running.stop()
    # Shown by pytest where a test has failed.
    print(running.output[-8000:])
    assert code == 0


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=60_000)
    yield from chromium()


@pytest.fixture(scope="module", params=["id", "en"])
def desk(system: RunningSystem, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Desk]:
    language: str = request.param
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.add_init_script(f"localStorage.setItem('siaga.language', '{language}')")
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(system.url)
    page.get_by_test_id("signin-user").fill(system.username)
    page.get_by_test_id("signin-password").fill(system.password)
    page.get_by_test_id("signin-submit").click()
    expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "live")
    camera = _watched(system)[("id", "en").index(language)]
    key = {"name": f"aml-{language}", "role": "dispatch", "scopes": ["calls:write"]}
    issued = system.client.post("/api/v1/keys", json=key)
    issued.raise_for_status()
    gateway = {"Authorization": f"Bearer {issued.json()['key']}"}
    yield Desk(page, system, WORDS[language], gateway, camera, SCENARIO[language])
    context.close()
    assert not faults, faults


def _watched(system: RunningSystem) -> list[dict[str, Any]]:
    """The city's own two cameras, once both send pictures, however few on a busy machine."""

    def watched() -> list[dict[str, Any]] | None:
        found = [
            one["camera"]
            for one in system.get("/api/v1/cameras")["cameras"]
            if (one["health"] or {}).get("state") in ("live", "low_rate")
        ]
        own = [one for one in found if one["name"] not in SCENARIO.values()]
        return sorted(own, key=lambda one: str(one["id"])) if len(own) == 2 else None

    return eventually(watched, 120, "two cameras that send pictures")


def test_an_alarm_is_looked_at_decided_sent_and_ended(desk: Desk) -> None:
    page = desk.page
    near, further = desk.place(24), desk.place(30)
    desk.alarm("fire", near, further, near)

    # What it looked like before the alarm, or what it looks like now: it moves.
    desk.plays(desk.see("incident-video"))
    page.get_by_test_id("video-live").click()
    live = desk.see("live-video")
    expect(live).to_have_attribute("data-state", "video")
    expect(page.get_by_test_id("live-state")).to_contain_text(desk.words["live"])

    page.keyboard.press("a")
    desk.is_now("acknowledged")
    page.keyboard.press("v")
    desk.is_now("verified")
    # Offered once the server has agreed.
    expect(page.get_by_test_id("deed-undo")).to_contain_text(desk.words["verify"])
    page.keyboard.press("b")
    desk.is_now("acknowledged")
    page.keyboard.press("v")
    desk.is_now("verified")
    page.keyboard.press("d")
    expect(desk.see("assign-dialog")).to_contain_text(desk.words["nearest"])
    page.keyboard.press("Enter")
    desk.is_now("dispatched")
    page.keyboard.press("c")
    page.keyboard.type("two shops")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("notes")).to_contain_text("two shops")
    # The unit itself tells that it is on its way.
    expect(page.get_by_test_id("assignments").locator("[data-state=en_route]")).to_be_visible()
    desk.is_now("en_route")

    page.keyboard.press("x")
    desk.is_now("closed")
    assert desk.incident()["notes"][0]["text"] == "two shops"


def test_a_call_is_taken_by_position_by_name_and_by_click(desk: Desk) -> None:
    page, at = desk.page, desk.place(25)

    # A phone has told where it is before anybody has asked.
    number, now = PHONE[desk.scenario], datetime.now(UTC)
    form = aml_form(at.lon, at.lat, 12.0, 0.9, FixMethod.GNSS, number, now)
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    told = httpx.post(f"{desk.system.url}/aml", content=form, headers=kind | desk.gateway)
    assert told.json()["trusted"], told.text
    page.keyboard.press("n")
    page.get_by_test_id("call-hazard-medical").check(force=True)
    desk.see("waiting-positions").get_by_role("button").first.click()
    desk.see("call-taken")
    expect(desk.see("call-cameras")).to_contain_text(desk.words["sees"])
    live = desk.see("live-video")
    expect(live).to_have_attribute("data-state", "video")
    desk.plays(live)
    page.get_by_test_id("call-submit").click()
    page.get_by_test_id("call-incident").click()
    incident = desk.incident()

    # A second caller, by the name of the junction's road: the same event is suggested.
    page.keyboard.press("n")
    page.get_by_test_id("call-hazard-medical").check(force=True)
    page.get_by_test_id("call-search").fill("Jalan Raya")
    page.get_by_test_id("place-0").click()
    expect(page.get_by_test_id("call-lat")).not_to_have_value("")
    # ... and then shown on the map, where it was.
    eventually(lambda: page.evaluate("window.siaga.map?.idle() || null"), 60, "the map is drawn")
    page.get_by_test_id("call-lat").fill(f"{at.lat:.6f}")
    page.get_by_test_id("call-lon").fill(f"{at.lon:.6f}")
    page.get_by_test_id("call-lon").press("Tab")
    drawn = eventually(lambda: _drawn(page, incident["id"]), 60, "the incident is on the map")
    typed = page.get_by_test_id("call-lat").input_value()
    page.get_by_test_id("map").locator("canvas").click(
        position={"x": drawn["x"] + 6, "y": drawn["y"] - 6}
    )
    expect(page.get_by_test_id("call-lat")).not_to_have_value(typed)
    add = desk.see(f"call-add-{incident['id']}")
    assert float(add.get_attribute("data-probability") or "nan") > 0.5
    add.click()
    page.get_by_test_id("call-submit").click()
    page.get_by_test_id("call-incident").click()
    expect(desk.panel).to_have_attribute("data-incident", incident["id"])
    assert len(desk.incident()["estimate"]["call_ids"]) == 2


def _drawn(page: Page, incident_id: str) -> Any:
    """Where an incident lies on the screen, once the map stands still there."""
    found = page.evaluate("() => window.siaga.map?.idle() ? window.siaga.map.incidents() : []")
    box = page.get_by_test_id("map").locator("canvas").bounding_box()
    assert box is not None
    inside = (
        one
        for one in found
        if one["id"] == incident_id
        and 20 < one["x"] < box["width"] - 20
        and 20 < one["y"] < box["height"] - 20
    )
    return next(inside, None)


def test_the_wall_shows_what_is_near_and_looks_back(desk: Desk) -> None:
    page = desk.page
    desk.alarm("crime", desk.place(22), desk.place(23))
    page.keyboard.press("w")
    page.keyboard.press("2")
    tile = desk.see(f"tile-{desk.camera['id']}")
    expect(tile).to_have_attribute("data-state", "video")
    expect(tile).to_contain_text(desk.words["live"])
    desk.plays(tile)
    tile.get_by_role("button").focus()
    page.keyboard.press(",")
    expect(page.get_by_test_id("wall-scrub")).to_have_value("-5")
    page.keyboard.press(".")
    expect(page.get_by_test_id("wall-scrub")).to_have_value("0")
    page.keyboard.press("Escape")
    desk.see("queue")


def test_a_shift_keeps_quiet_what_disturbs_and_hands_over(desk: Desk) -> None:
    page = desk.page
    desk.alarm("other", desk.place(20), desk.place(21), desk.place(22))
    # A colleague's doing, since no camera has told of this one (keys: tests/console).
    quiet = {
        "camera_id": desk.camera["id"],
        "hazard": "fire",
        "reason": "a fair until evening",
        "until": (datetime.now(UTC) + timedelta(hours=2)).isoformat(),
        "exercise": True,
    }
    desk.system.client.post("/api/v1/shelves", json=quiet).raise_for_status()
    desk.see("shelved")
    page.keyboard.press("h")
    page.get_by_test_id("handover-text").fill("fair at the square")
    page.get_by_test_id("handover-write").click()
    left = desk.see("handover-dialog").get_by_text("fair at the square").first
    expect(left).to_be_visible()
    # The next shift ends the quiet, and takes over.
    shelf = page.locator("[data-testid^=shelf-]")
    shelf.get_by_role("button").click()
    expect(shelf).to_have_count(0)
    page.get_by_test_id("handover-take").click()
    expect(page.get_by_test_id("handover-take")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("handover-waiting")).to_have_count(0)


def test_a_camera_is_registered_tried_and_calibrated(desk: Desk) -> None:
    page, known = desk.page, desk.sending()
    true = from_plain(CameraPose, known["pose"])
    projection = LocalProjection(true.position)
    camera = PinholeCamera.from_pose(true, projection)
    page.get_by_test_id("screen-cameras").click()
    page.get_by_test_id("camera-register").click()
    for field, value in {
        "name": desk.scenario, "url": known["url"],
        "lat": true.position.lat, "lon": true.position.lon, "height_m": true.height_m,
        "bearing_deg": round(true.bearing_deg + 6, 1), "tilt_deg": round(true.tilt_deg - 2, 1),
        "hfov_deg": round(true.hfov_deg + 3, 1),
    }.items():  # fmt: skip
        page.get_by_test_id(f"field-{field}").fill(str(value))
    page.get_by_test_id("camera-save").click()
    detail = desk.see("camera-detail")
    camera_id = detail.get_attribute("data-camera")
    page.get_by_test_id("camera-probe").click()
    expect(page.get_by_test_id("camera-probe-answer")).to_have_attribute("data-state", "live")
    picture = detail.locator("img").first
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100

    page.get_by_test_id("camera-calibrate").click()
    stage = desk.see("cal-picture")
    expect(stage.locator("img")).to_be_visible()
    box = stage.bounding_box()
    assert box is not None

    def click(u: float, v: float) -> None:
        x, y = u / true.width_px * box["width"], v / true.height_px * box["height"]
        stage.click(position={"x": x, "y": y})

    sin, cos = math.sin(camera.yaw), math.cos(camera.yaw)
    for right_m, ahead_m in ((-4, 16), (5, 20), (-7, 34), (8, 42)):
        x = camera.x + right_m * cos + ahead_m * sin
        y = camera.y - right_m * sin + ahead_m * cos
        (spot,), seen = camera.project(np.array([(x, y, 0.0)]))
        assert seen.all()
        click(*spot)
        at = projection.place(x, y)
        eventually(lambda: page.evaluate("window.siagaSurvey?.idle() || null"), 60, "the map")
        place = {"lon": at.lon, "lat": at.lat}
        spot_px = page.evaluate("at => window.siagaSurvey.pixelOf(at)", place)
        page.get_by_test_id("cal-map").click(position=spot_px)
    page.get_by_test_id("mode-horizon").check(force=True)
    for side in (-3e5, 3e5):
        far = (camera.x + side * cos + 1e6 * sin, camera.y - side * sin + 1e6 * cos, camera.h)
        (spot,), _ = camera.project(np.array([far]))
        click(*np.clip(spot, 0, (true.width_px, true.height_px)))
    expect(page.get_by_test_id("calibrate")).to_have_attribute("data-asking", "false")
    page.get_by_test_id("cal-store").click()
    desk.see("cal-stored")
    pose = desk.system.get(f"/api/v1/cameras/{camera_id}")["camera"]["pose"]
    assert abs(pose["bearing_deg"] - true.bearing_deg) < 1.5
    assert abs(pose["tilt_deg"] - true.tilt_deg) < 1.0
    desk.go(f"cameras/{camera_id}")
    page.get_by_test_id("camera-remove").click()
    page.get_by_test_id("camera-remove-sure").click()
    expect(page.get_by_test_id(f"cam-{camera_id}")).to_have_count(0)
    desk.go("")


def test_an_exercise_is_started_seen_everywhere_and_scored(desk: Desk) -> None:
    page = desk.page
    page.get_by_test_id("screen-exercises").click()
    page.get_by_test_id(f"start-{desk.scenario}").click()
    banner = page.get_by_test_id("exercise-banner")
    expect(banner).to_have_attribute("data-scenario", desk.scenario)
    expect(banner).to_contain_text(desk.words["exercise"])
    desk.go("")
    expect(banner).to_have_attribute("data-scenario", desk.scenario)
    desk.go("exercises")
    # What is stopped at once was a mistake, and leaves no score.
    began = eventually(lambda: desk.system.get("/api/v1/exercises/current")["started_at"], 30, "it")
    at = datetime.fromisoformat(began)
    eventually(lambda: (datetime.now(UTC) - at).total_seconds() > 6, 30, "some seconds of it")
    page.get_by_test_id("exercise-stop").click()
    page.locator(f"tr[data-scenario={desk.scenario}]").get_by_role("button").first.click()
    desk.see("exercise-score")
    desk.see("score-found")
    expect(page.get_by_test_id("exercise-now")).to_have_count(0)
    desk.go("")
