"""The main job on real footage: fire and crash clips over RTSP, a call, one map, two browsers, and
three deaths.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from websockets.sync.client import connect

from contracts import ReportId
from plumbing.tracing import Stage, trace_id_of
from tests.support.collector import Collector, collecting
from tests.support.data import data_folder
from tests.support.system import (
    RunningSystem,
    chromium,
    eventually,
    open_console,
)

pytestmark = [pytest.mark.end_to_end, pytest.mark.alone, pytest.mark.timeout(420)]

CLIPS = ("fire_street_night.mp4", "crash_junction_day.mp4")


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with collecting() as listening:
        yield listening


@pytest.fixture(scope="module")
def system(
    tmp_path_factory: pytest.TempPathFactory, collector: Collector
) -> Iterator[RunningSystem]:
    clips = tmp_path_factory.mktemp("clips")
    for name in CLIPS:
        shutil.copy(data_folder("hazards/videos") / name, clips / name)
    running = RunningSystem(
        tmp_path_factory.mktemp("data"),
        ["--videos", str(clips)],
        {
            "SIAGA__LOG__LEVEL": "debug",
            "SIAGA__LOG__FORMAT": "json",
            "SIAGA__TRACING__URL": collector.url,
        },
    )
    yield running
    code = running.stop()
    # Shown by pytest where a test has failed.
    print(running.output[-8000:])
    assert code == 0


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    yield from chromium()


def test_one_id_leads_from_the_frame_to_the_websocket(
    system: RunningSystem, collector: Collector
) -> None:
    cookies = "; ".join(f"{name}={value}" for name, value in system.client.cookies.items())
    address = f"{system.url.replace('http', 'ws', 1).rstrip('/')}/ws/v1/feed?after=0"
    told: set[str] = set()
    with connect(address, additional_headers={"Cookie": cookies}) as feed:

        def found() -> str | None:
            """A report that a worker sent and a message of the feed names last."""
            message = json.loads(feed.recv(timeout=60))
            for change in message.get("items", [message]):
                told.update(
                    change.get("subject", {}).get("estimate", {}).get("report_ids", [])[-1:]
                )
            return next((one for one in told if len(_lines_of(system, one)) >= 3), None)

        report_id = eventually(found, 120, "a detection of footage is told of on the feed")
    lines = _lines_of(system, report_id)
    assert {"detection sent", "decided", "told"} <= lines.keys()
    assert lines["detection sent"]["role"].startswith("worker")
    assert (lines["decided"]["role"], lines["told"]["role"]) == ("fusion", "api")
    trace_id = trace_id_of(ReportId(report_id))
    assert {line["trace_id"] for line in lines.values()} == {trace_id}

    stages = [Stage.FRAME, Stage.SEND, Stage.ACCEPT, Stage.FUSE, Stage.TELL]
    eventually(
        lambda: collector.traces()[trace_id].keys() >= set(stages), 20, "all its spans are sent"
    )
    spans = {name: group[0] for name, group in collector.traces()[trace_id].items()}
    assert spans[Stage.FRAME].parent_id == ""
    assert {spans[name].parent_id for name in stages[1:]} == {spans[Stage.FRAME].span_id}
    roles = [spans[name].role.split("-")[0] for name in stages]
    assert roles == ["worker", "worker", "fusion", "fusion", "api"]


def _lines_of(system: RunningSystem, report_id: str) -> dict[str, dict[str, Any]]:
    """What the roles' logs say of a report, by event."""
    lines = (line for line in system.output.splitlines() if line.startswith("{"))
    return {
        line["event"]: line
        for line in map(json.loads, filter(lambda line: report_id in line, lines))
        if line.get("report_id") == report_id
    }


def test_from_footage_to_a_verified_incident_through_three_deaths(
    system: RunningSystem, browser: Browser
) -> None:
    fire_camera = _camera_of(system, "fire")
    crash_camera = _camera_of(system, "crash")

    # A citizen calls: 25 m before the camera that films the fire.
    call = system.client.post(
        "/api/v1/calls",
        json={
            "hazard": "fire",
            "note": "Ada api di depan ruko",
            "location": {**_ahead_of(fire_camera, 25), "radius_m": 30, "confidence": 0.68},
        },
    )
    call.raise_for_status()
    call_id = call.json()["call"]["id"]
    assert fire_camera["camera"]["id"] in [row["camera_id"] for row in call.json()["cameras"]]

    # And one before the other: a camera that sees the same crash every fourteen seconds is soon
    # believed no more, and what it once was believed stands in the log.
    crash_call = system.client.post(
        "/api/v1/calls",
        json={
            "hazard": "crash",
            "location": {**_ahead_of(crash_camera, 25), "radius_m": 30, "confidence": 0.68},
        },
    )
    crash_call.raise_for_status()

    first, second = open_console(browser, system), open_console(browser, system)
    fire = eventually(
        lambda: _incident(system, "fire", fire_camera, call_id), 60, "a fire incident of both"
    )
    crash = eventually(lambda: _told(system, "crash", crash_camera), 120, "a crash of its camera")
    assert fire["id"] != crash["id"]
    assert _distance_m(fire["estimate"]["location"], crash["estimate"]["location"]) > 100

    # Once in the list and once on the map, with the camera's and the caller's own positions.
    expect(first.get_by_test_id(f"incident-{fire['id']}")).to_have_count(1)
    drawn = eventually(lambda: _drawn(first, fire["id"]), 30, "the fire is drawn on the map")
    assert len([item for item in drawn["incidents"] if item["id"] == fire["id"]]) == 1
    assert call_id in [item["id"] for item in drawn["callers"]]
    assert fire_camera["camera"]["id"] in [item["id"] for item in drawn["cameras"]]
    # The map opens around what alarms; the crash, 700 m off, comes into view when it is chosen.
    first.get_by_test_id(f"incident-{crash['id']}").click(timeout=90_000)
    eventually(lambda: _drawn(first, crash["id"]), 30, "the crash is drawn on the map")

    # Verified by keyboard in one browser, seen in the other.
    first.get_by_test_id(f"incident-{fire['id']}").click()
    first.keyboard.press("a")
    _expect_state(first, fire["id"], "acknowledged")
    first.keyboard.press("v")
    for page in (first, second):
        _expect_state(page, fire["id"], "verified")

    # Each part dies once; what was accepted stays, and stays single.
    accepted = [call_id]
    for role in ("worker-1", "bus", "api"):
        system.kill(role)
        accepted.append(_call_about_nothing_near(system, fire_camera))
    for page in (first, second):
        expect(page.get_by_test_id("connection")).to_have_attribute(
            "data-state", "live", timeout=30_000
        )
    eventually(lambda: _watched_since_restart(system, fire_camera), 60, "the camera is live again")
    calls = [row["id"] for row in system.get("/api/v1/calls")["calls"]]
    assert all(calls.count(accepted_id) == 1 for accepted_id in accepted)
    assert _incident(system, "fire", fire_camera, call_id)["id"] == fire["id"]
    assert _incident(system, "fire", fire_camera)["state"] == "verified"
    _assert_log_is_gapless(system)
    _assert_every_report_counts_once(system)
    for page in (first, second):
        _expect_state(page, fire["id"], "verified")


def _camera_of(system: RunningSystem, word: str) -> dict[str, Any]:
    rows = system.get("/api/v1/cameras")["cameras"]
    return eventually(
        lambda: next(
            (
                row
                for row in system.get("/api/v1/cameras")["cameras"]
                if word in row["camera"]["name"].lower() or word in row["camera"]["id"]
            ),
            None,
        ),
        40,
        f"a camera named {word} among {rows}",
    )


def _incident(
    system: RunningSystem, hazard: str, camera: dict[str, Any], call_id: str | None = None
) -> Any:
    """The one incident of a hazard that this camera (and this call) speaks for, once shown."""
    found = [
        incident
        for incident in system.get("/api/v1/incidents?open=true")["incidents"]
        if incident["estimate"]["hazard"] == hazard
        and camera["camera"]["id"] in incident["estimate"]["camera_ids"]
        and (call_id is None or call_id in incident["estimate"]["call_ids"])
    ]
    assert len(found) <= 1, f"{hazard} is doubled: {[incident['id'] for incident in found]}"
    return found[0] if found and found[0]["level"] != "signal" else None


def _told(system: RunningSystem, hazard: str, camera: dict[str, Any]) -> Any:
    """The first incident of a hazard that was ever shown by what this camera saw of it."""
    for entry in _log(system):
        estimate = entry["subject"].get("estimate", {})
        if (
            estimate.get("hazard") == hazard
            and camera["camera"]["id"] in estimate["camera_ids"]
            and entry["subject"]["level"] != "signal"
        ):
            return entry["subject"]
    return None


def _drawn(page: Page, incident_id: str) -> Any:
    """What the map's canvas shows, once the incident is among it."""
    drawn = page.evaluate(
        """() => {
            const map = window.siaga?.map;
            if (!map || !map.idle()) return null;
            return {incidents: map.incidents(), callers: map.callers(), cameras: map.cameras(),
                    rendered: map.rendered("incidents")};
        }"""
    )
    if not drawn or incident_id not in drawn["rendered"]:
        return None
    return drawn


def _expect_state(page: Page, incident_id: str, state: str) -> None:
    expect(page.get_by_test_id(f"incident-{incident_id}")).to_have_attribute(
        "data-state", state, timeout=15_000
    )


def _call_about_nothing_near(system: RunningSystem, camera: dict[str, Any]) -> str:
    """A medical call 2 km off, accepted as soon as the API is back."""

    def post() -> str | None:
        try:
            answer = system.client.post(
                "/api/v1/calls",
                json={
                    "hazard": "medical",
                    "note": "",
                    "location": {**_ahead_of(camera, 2000), "radius_m": 20, "confidence": 0.9},
                },
            )
        except OSError:
            return None
        except Exception as error:  # httpx raises its own family while the API is away
            if "httpx" in type(error).__module__ or "httpcore" in type(error).__module__:
                return None
            raise
        answer.raise_for_status()
        call_id: str = answer.json()["call"]["id"]
        return call_id

    return eventually(post, 30, "a call is accepted")


def _watched_since_restart(system: RunningSystem, camera: dict[str, Any]) -> bool:
    health = system.get(f"/api/v1/cameras/{camera['camera']['id']}")["health"]
    return bool(health and health["state"] == "live")


def _log(system: RunningSystem) -> Iterator[dict[str, Any]]:
    after = 0
    while page := system.get(f"/api/v1/log?after={after}&limit=200")["entries"]:
        yield from page
        after = page[-1]["seq"]


def _assert_log_is_gapless(system: RunningSystem) -> None:
    numbers = [entry["seq"] for entry in _log(system)]
    assert numbers == list(range(1, len(numbers) + 1))


def _assert_every_report_counts_once(system: RunningSystem) -> None:
    incidents = system.get("/api/v1/incidents?limit=200")["incidents"]
    # What was merged into another keeps what was thought of it then, its reports among it.
    standing = [incident for incident in incidents if incident["duplicate_of"] is None]
    reports = [report for one in standing for report in one["estimate"]["report_ids"]]
    assert len(reports) == len(set(reports))


def _ahead_of(camera: dict[str, Any], distance_m: float) -> dict[str, float]:
    pose = camera["camera"]["pose"]
    bearing = math.radians(pose["bearing_deg"])
    lat = pose["position"]["lat"] + distance_m * math.cos(bearing) / 110_574
    lon = pose["position"]["lon"] + distance_m * math.sin(bearing) / (
        111_320 * math.cos(math.radians(lat))
    )
    return {"lon": lon, "lat": lat}


def _distance_m(one: dict[str, float], other: dict[str, float]) -> float:
    north = (one["lat"] - other["lat"]) * 110_574
    east = (one["lon"] - other["lon"]) * 111_320 * math.cos(math.radians(one["lat"]))
    return math.hypot(north, east)
