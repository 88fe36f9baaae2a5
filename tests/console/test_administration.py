"""A supervisor's work beside the incidents: accounts, keys, what was learnt, exercises, cameras."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import insert

from contracts import (
    CameraHealth,
    CameraId,
    CameraState,
    ExerciseRecord,
    LearntFigure,
    ScenarioReport,
    ScenarioSummary,
    StartScenario,
    to_json,
)
from contracts.models import ModelFacts, ModelFigure, ModelsReport, Promotion, PromotionLoss
from incidents.people.accounts import Role
from incidents.tables import LearntRow
from plumbing.embedded_bus import EmbeddedBus
from tests.api.test_exercises import SCORE
from tests.console.conftest import ADMIN, signed_in
from tests.support.accessibility import serious_faults
from tests.support.api import PASSWORD, ApiThread, api_in_thread, api_settings
from tests.support.system import eventually

pytestmark = pytest.mark.timeout(300)

NOW = datetime.now(UTC)
FLOOD = ScenarioSummary(
    name="spreading-flood",
    title="A flood spreads",
    judul="Banjir meluas",
    seconds=300,
    cameras=6,
    events=1,
    conditions="rain",
)
REGISTER = """\
id,nama,url,lintang,bujur
a,Simpang A,rtsp://127.0.0.1:8554/a,-6.2383,106.992
b,Simpang B,rtsp://127.0.0.1:8554/b,-6.2390,106.993
c,Simpang C,rtsp://127.0.0.1:8554/c,-6.2401,106.994
"""


@pytest.fixture(scope="module")
def api(
    tmp_path_factory: pytest.TempPathFactory, shared_server: EmbeddedBus
) -> Iterator[ApiThread]:
    """One system for all of these: each test stays with its own things."""
    folder = tmp_path_factory.mktemp("admin")
    with api_in_thread(api_settings(folder), shared_server.url, "console-admin") as running:
        running.run(running.api.store.accounts.add(ADMIN, PASSWORD, Role.SUPERVISOR))
        yield running


@pytest.fixture(scope="module")
def page(browser: Browser, api: ApiThread) -> Iterator[Page]:
    with signed_in(browser, api) as page:
        yield page


def _go(page: Page, place: str) -> None:
    page.evaluate("place => { location.hash = '#/' + place }", place)


def _signs_in(api: ApiThread, username: str, password: str) -> bool:
    with api.client(None) as browser:
        body = {"username": username, "password": password}
        return browser.post("/api/v1/session", json=body).is_success


def test_an_account_is_made_changed_and_shut_out(page: Page, api: ApiThread) -> None:
    with api.client() as client:
        camera = {
            "name": "One", "url": "rtsp://127.0.0.2/one", "group": "Timur",
            "position": {"lon": 106.992, "lat": -6.2383},
        }  # fmt: skip
        client.post("/api/v1/cameras", json=camera).raise_for_status()
    page.get_by_test_id("screen-admin").click()
    page.get_by_test_id("account-new").click()
    page.get_by_test_id("field-username").fill("budi")
    page.get_by_test_id("field-password").fill("short")
    page.get_by_test_id("account-save").click()
    expect(page.get_by_test_id("account-form")).to_contain_text("15 to 200")
    page.get_by_test_id("suggest-password").click()
    password = page.get_by_test_id("field-password").input_value()
    page.get_by_test_id("groups-some").check()
    page.get_by_test_id("group-Timur").check()
    page.get_by_test_id("account-save").click()
    row = page.get_by_test_id("account-budi")
    expect(row).to_contain_text("Timur")
    assert _signs_in(api, "budi", password)

    page.get_by_test_id("edit-budi").click()
    expect(page.get_by_test_id("sessions")).to_have_attribute("data-count", "1")
    page.get_by_test_id("sessions-end").click()
    expect(page.get_by_test_id("sessions")).to_have_attribute("data-count", "0")
    page.get_by_test_id("suggest-new-password").click()
    other = page.get_by_test_id("field-new-password").input_value()
    assert other != password
    page.get_by_test_id("password-set").click()
    expect(page.get_by_test_id("password-done")).to_be_visible()
    assert not _signs_in(api, "budi", password)
    page.get_by_test_id("field-role").select_option("dispatch")
    page.get_by_test_id("account-save").click()
    expect(row).to_contain_text("Dispatch")
    page.get_by_test_id("account-enable").click()
    expect(row).to_have_attribute("data-enabled", "false")
    assert not _signs_in(api, "budi", other)


def test_a_key_is_shown_once_narrowed_rotated_and_revoked(page: Page, api: ApiThread) -> None:
    _go(page, "admin/keys")
    page.get_by_test_id("key-new").click()
    page.get_by_test_id("field-key-name").fill("bridge")
    page.get_by_test_id("scope-incidents:read").check()
    page.get_by_test_id("key-issue").click()
    key = page.get_by_test_id("key-once-value").input_value()

    def status(path: str, one: str) -> int:
        with api.client(None) as machine:
            return machine.get(path, headers={"Authorization": f"Bearer {one}"}).status_code

    assert status("/api/v1/incidents", key) == 200
    assert status("/api/v1/units", key) == 403
    page.get_by_test_id("key-once-close").click()
    expect(page.get_by_test_id("key-once")).to_have_count(0)
    expect(page.get_by_test_id("admin-screen")).not_to_contain_text(key)

    page.get_by_test_id("rotate-bridge").click()
    page.get_by_test_id("field-overlap").fill("2")
    page.get_by_test_id("rotate-do").click()
    rotated = page.get_by_test_id("key-once-value").input_value()
    assert [status("/api/v1/incidents", one) for one in (key, rotated)] == [200, 200]
    expect(page.get_by_test_id("key-bridge")).to_contain_text("old one until")
    page.get_by_test_id("revoke-bridge").click()
    page.get_by_test_id("revoke-sure").click()
    expect(page.get_by_test_id("key-bridge")).to_have_attribute("data-state", "revoked")
    assert status("/api/v1/incidents", rotated) == 401


def test_what_was_learnt_is_frozen_and_reset(page: Page, api: ApiThread) -> None:
    name = "caller_distance_factor"
    figure = LearntFigure(name=name, value=(1.4,), assumed=(1.0,), samples=96, learnt_at=NOW)

    async def learn() -> None:
        async with api.api.store._database.changing() as connection:
            row = {"name": name, "frozen": False, "body": to_json(figure).decode()}
            await connection.execute(insert(LearntRow).values(row))

    api.run(learn())
    _go(page, "admin/learning")
    row = page.get_by_test_id(f"learnt-{name}")
    expect(row).to_contain_text("1.40")
    expect(row).to_contain_text("96")
    page.get_by_test_id(f"freeze-{name}").click()
    expect(row).to_have_attribute("data-frozen", "true")
    page.get_by_test_id(f"reset-{name}").click()
    page.get_by_test_id("reset-sure").click()
    expect(row).to_contain_text("reset")
    with api.client() as client:
        (kept,) = client.get("/api/v1/learning").json()["figures"]
    assert (kept["frozen"], kept["value"], kept["samples"]) == (True, [], 0)


def test_models_stand_with_their_figures_and_the_gates_answer(page: Page, api: ApiThread) -> None:
    fire = ModelFigure(
        hazard="fire", operating_point=0.15, recall=0.96, recall_95=(0.91, 1.0), fpr=0.062,
        fpr_95=None,
    )  # fmt: skip
    model = ModelFacts(
        part="detector", name="hazards", version="hazards-1", input_size_px=320, figures=(fire,),
        card="# hazards: where it fails",
    )  # fmt: skip
    loss = PromotionLoss(hazard="smoke", measure="recall", live=0.9, candidate=0.7)
    answer = Promotion(
        live="hazards-1", candidate="hazards-2", at=NOW, promoted=False, losses=(loss,)
    )
    report = ModelsReport(models=(model,), promotions=(answer,))
    api.run(api.api.bus.publish_models("w1", report))
    _go(page, "admin/models")
    detector = page.get_by_test_id("model-detector")
    expect(detector).to_contain_text("96%")
    detector.get_by_text("Model card").click()
    expect(detector).to_contain_text("where it fails")
    expect(page.get_by_test_id("promotions")).to_contain_text("hazards-2 stays out")
    expect(page.get_by_test_id("promotions")).to_contain_text("90% → 70%")


def test_an_exercise_is_started_seen_everywhere_and_scored(page: Page, api: ApiThread) -> None:
    bus = api.api.bus

    async def take(command: StartScenario) -> ScenarioReport:
        report = ScenarioReport(
            name=command.name or "everyday",
            title=FLOOD.title,
            judul=FLOOD.judul,
            exercise_id="exercise-1" if command.name else "",
            asked_by=command.asked_by,
            is_playing=True,
            started_at=datetime.now(UTC),
            ends_at=datetime.now(UTC) + timedelta(seconds=300) if command.name else None,
            available=(FLOOD,),
        )
        await bus.publish_exercise(report)
        if command.name is None:
            record = ExerciseRecord(
                id="exercise-1", scenario=FLOOD.name, title=FLOOD.title, judul=FLOOD.judul, seed=3,
                asked_by=ADMIN, started_at=NOW, ended_at=NOW, score=json.dumps(SCORE | MORE),
            )  # fmt: skip
            await api.api.store.exercises.keep(record, actor="city")
        return report

    async def answer() -> asyncio.Task[None]:
        await bus.publish_exercise(
            ScenarioReport(name="everyday", is_playing=True, available=(FLOOD,))
        )
        return asyncio.ensure_future(bus.answer_city(take))

    async def end() -> None:
        city.cancel()
        await asyncio.gather(city, return_exceptions=True)

    city = api.run(answer())
    try:
        page.get_by_test_id("screen-exercises").click()
        page.get_by_test_id("start-spreading-flood").click()
        now = page.get_by_test_id("exercise-now")
        expect(now).to_contain_text("A flood spreads")
        expect(now).to_contain_text(f"started by {ADMIN}")
        expect(page.get_by_test_id("start-spreading-flood")).to_be_disabled()
        page.get_by_test_id("exercise-stop").click()
        expect(now).to_have_count(0)
    finally:
        api.run(end())
    row = page.get_by_test_id("exercise-exercise-1")
    expect(row).to_contain_text("=ani")
    row.get_by_role("button").click()
    expect(page.get_by_test_id("score-found")).to_contain_text("1 / 1")
    expect(page.get_by_test_id("trainee-=ani")).to_contain_text("10 s (2×)")
    expect(page.get_by_test_id("score-events")).to_contain_text("cameras and calls")
    expect(page.get_by_test_id("citizen-sheet")).not_to_contain_text("ani")
    with page.expect_download() as download:
        page.get_by_test_id("exercise-csv").click()
    text = Path(download.value.path()).read_text(encoding="utf-8-sig")
    (exported,) = csv.DictReader(io.StringIO(text))
    assert exported["dismissed"] == "1"


MORE = {
    "seconds": 300.0,
    "events": [
        {
            "id": "flood-1", "kind": "flood", "hazard": "flood", "starts_s": 20.0, "found": True,
            "by": "both", "shown_after_s": 31.0, "alarmed_after_s": 44.0, "place_error_m": 12.0,
            "in_region": {"50": False, "90": True, "95": True}, "hazard_is_right": True,
            "duplicates": 0,
        }
    ],
    "in_vain": [],
    "false_calls": [],
    "totals": {
        "events": 1, "found": 1, "found_once": 1, "duplicates": 0, "in95": 1, "false_alarms": 0,
        "false_candidates": 0, "false_calls": 0, "signals": 0,
    },
    "operators": {
        "acknowledged_s": 9.5, "verified_s": 31.0, "dispatched_s": None, "untouched": 0,
    },
}  # fmt: skip


def test_a_register_is_looked_through_taken_over_and_switched(
    page: Page, api: ApiThread, tmp_path: Path
) -> None:
    _go(page, "cameras")
    page.get_by_test_id("camera-import-open").click()
    file = tmp_path / "register.csv"
    file.write_text(REGISTER.replace("-6.2390", "116.2390"), encoding="utf-8")
    page.get_by_test_id("import-file").set_input_files(file)
    report = page.get_by_test_id("import-report")
    expect(report).to_have_attribute("data-written", "false")
    expect(page.get_by_test_id("import-problems")).to_contain_text("116.239")
    expect(page.get_by_test_id("import-do")).to_have_count(0)
    mended = tmp_path / "mended.csv"
    mended.write_text(REGISTER, encoding="utf-8")
    page.get_by_test_id("import-file").set_input_files(mended)
    expect(report).to_have_attribute("data-new", "3")
    page.get_by_test_id("import-do").click()
    expect(report).to_have_attribute("data-written", "true")
    page.get_by_test_id("import-close").click()

    page.get_by_test_id("camera-search").fill("Simpang")
    page.get_by_test_id("camera-choose").click()
    page.get_by_test_id("bulk-all").click()
    page.get_by_test_id("bulk-group").fill("Barat")
    page.get_by_test_id("bulk-move").click()
    expect(page.get_by_test_id("bulk-answer")).to_have_attribute("data-changed", "3")
    with api.client() as client:
        groups = client.get("/api/v1/camera-groups").json()["groups"]
    assert {"name": "Barat", "cameras": 3}.items() <= groups[0].items()
    expect(page.get_by_test_id("cam-a")).to_contain_text("Barat")
    page.get_by_test_id("bulk-off").click()
    expect(page.get_by_test_id("cam-a")).to_have_attribute("data-enabled", "false")
    page.get_by_test_id("bulk-on").click()
    expect(page.get_by_test_id("cam-a")).to_have_attribute("data-enabled", "true")
    page.get_by_test_id("camera-choose").click()

    # All cameras of one recorder fall silent: one trouble, that can be opened.
    healths = [
        CameraHealth(
            camera_id=CameraId(name),
            state=state,
            since=NOW - timedelta(minutes=minutes),
            detail="connected, but nothing came for 8 s",
        )
        for state, minutes in ((CameraState.LIVE, 60), (CameraState.STALLED, 5))
        for name in "abc"
    ]
    api.run(api.api.store.cameras.record_health(*healths[:3]))
    api.run(api.api.store.cameras.record_health(*healths[3:]))
    outage = page.get_by_test_id("outage-127.0.0.1")
    expect(outage).to_have_attribute("data-cameras", "3")
    outage.locator("summary").click()
    page.get_by_test_id("cam-b").click()
    timeline = page.get_by_test_id("health-timeline")
    expect(timeline).to_have_attribute("data-spans", "2")
    # 55 of the 60 minutes, and of those that the test has taken since.
    expect(timeline).to_contain_text(re.compile(r"live (9\d|8\d)%"))


def test_the_road_is_drawn_by_keys_and_stays_when_the_form_is_saved(
    page: Page, api: ApiThread
) -> None:
    with api.client() as client:
        camera = {
            "id": "road", "name": "Jalan", "url": "rtsp://127.0.0.1/road",
            "position": {"lon": 106.992, "lat": -6.2383},
        }  # fmt: skip
        client.post("/api/v1/cameras", json=camera).raise_for_status()
    _go(page, "cameras/road")
    page.get_by_test_id("region-draw").click()
    stage = page.get_by_test_id("region-stage")
    for key in ("Shift+ArrowUp", "Enter", "Shift+ArrowRight", "ArrowDown"):
        stage.press(key)
    expect(page.get_by_test_id("region-words")).to_contain_text("15 % to 90 % across")
    # Whether a picture came or not: nobody answers probes here.
    expect(page.get_by_test_id("region-save")).to_be_enabled(timeout=60_000)
    page.get_by_test_id("region-save").click()
    expect(page.get_by_test_id("road-region")).to_have_attribute("data-drawn", "true")

    def drawn() -> object:
        with api.client() as client:
            return client.get("/api/v1/cameras/road").json()["camera"]["road_region"]

    assert drawn() == {"x0": 0.15, "y0": 0.505, "x1": 0.9, "y1": 0.9}
    page.get_by_test_id("camera-edit").click()
    page.get_by_test_id("field-name").fill("Jalan Raya")
    page.get_by_test_id("camera-save").click()
    expect(page.get_by_test_id("camera-detail")).to_contain_text("Jalan Raya")
    assert drawn() == {"x0": 0.15, "y0": 0.505, "x1": 0.9, "y1": 0.9}


def test_the_reports_map_draws_what_no_camera_sees(page: Page, api: ApiThread) -> None:
    with api.client() as client:
        camera = {
            "name": "Seeing", "url": "rtsp://127.0.0.1/seeing",
            "position": {"lon": 106.992, "lat": -6.2383},
            "pose": {
                "position": {"lon": 106.992, "lat": -6.2383}, "height_m": 8, "bearing_deg": 30,
                "tilt_deg": -12, "hfov_deg": 60, "width_px": 1280, "height_px": 720,
            },
        }  # fmt: skip
        client.post("/api/v1/cameras", json=camera).raise_for_status()
    _go(page, "reports")
    page.get_by_test_id("report-places").scroll_into_view_if_needed()
    eventually(lambda: page.evaluate("window.siagaPlaces?.idle() || null"), 60, "the map is drawn")
    expect(page.get_by_test_id("alarms-average")).to_have_attribute("data-met", "true")
    expect(page.get_by_test_id("report-coverage")).to_contain_text("of the city is seen")


SCREENS = [
    "reports", "reports/audit", "exercises", "exercises/exercise-1", "admin/accounts",
    "admin/keys", "admin/learning", "admin/models", "cameras", "cameras/road",
]  # fmt: skip


@pytest.mark.parametrize("theme", ["day", "night"])
def test_axe_finds_nothing_serious_on_any_of_these_screens(page: Page, theme: str) -> None:
    page.evaluate(
        """theme => {
          if (document.documentElement.dataset.theme !== theme)
            document.querySelector('[data-testid=theme]').click();
        }""",
        theme,
    )
    found = {}
    for screen in SCREENS:
        _go(page, screen)
        expect(page.get_by_text("Starting…")).to_have_count(0)
        if violations := serious_faults(page):
            found[screen] = violations
    assert not found
