"""The register of cameras: taken over from a file, switched, watched, drawn on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from contracts import CameraHealth, CameraId, CameraState, ProbeAnswer, ProbeCamera
from tests.console.supervising.conftest import go
from tests.support.api import ApiThread

pytestmark = pytest.mark.timeout(300)

NOW = datetime.now(UTC)
REGISTER = """\
id,nama,url,lintang,bujur
a,Simpang A,rtsp://127.0.0.9:8554/a,-6.2383,106.992
b,Simpang B,rtsp://127.0.0.9:8554/b,-6.2390,106.993
c,Simpang C,rtsp://127.0.0.9:8554/c,-6.2401,106.994
"""


def test_a_register_is_looked_through_taken_over_and_switched(
    page: Page, api: ApiThread, tmp_path: Path
) -> None:
    go(page, "cameras")
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
    assert ("Barat", 3) in [(group["name"], group["cameras"]) for group in groups]
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
    outage = page.get_by_test_id("outage-127.0.0.9")
    expect(outage).to_have_attribute("data-cameras", "3")
    outage.locator("summary").click()
    page.get_by_test_id("cam-b").click()
    timeline = page.get_by_test_id("health-timeline")
    expect(timeline).to_have_attribute("data-spans", "2")
    # 55 of the 60 minutes, and of those that the test has taken since.
    expect(timeline).to_contain_text(re.compile(r"live (9\d|8\d)%"))


@pytest.fixture
def nobody_there(api: ApiThread) -> Iterator[None]:
    """A worker whose probes reach no camera."""

    async def answer(_: ProbeCamera) -> ProbeAnswer:
        return ProbeAnswer(state=CameraState.UNREACHABLE, detail="nobody answers")

    with api.beside(api.api.bus.answer_probes(answer)):
        yield


@pytest.mark.usefixtures("nobody_there")
def test_the_road_is_drawn_by_keys_and_stays_when_the_form_is_saved(
    page: Page, api: ApiThread
) -> None:
    with api.client() as client:
        camera = {
            "id": "road", "name": "Jalan", "url": "rtsp://127.0.0.1/road",
            "position": {"lon": 106.992, "lat": -6.2383},
        }  # fmt: skip
        client.post("/api/v1/cameras", json=camera).raise_for_status()
    go(page, "cameras/road")
    page.get_by_test_id("region-draw").click()
    stage = page.get_by_test_id("region-stage")
    for key in ("Shift+ArrowUp", "Enter", "Shift+ArrowRight", "ArrowDown"):
        stage.press(key)
    expect(page.get_by_test_id("region-words")).to_contain_text("15 % to 90 % across")
    # Whether a picture came or not.
    expect(page.get_by_test_id("region-save")).to_be_enabled()
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


def test_a_camera_that_turns_is_asked_itself_where_it_points(page: Page, api: ApiThread) -> None:
    go(page, "cameras")
    page.get_by_test_id("camera-register").click()
    for field, value in {
        "name": "Kepala", "url": "rtsp://127.0.0.1/turns", "lat": "-6.2383", "lon": "106.992",
        "height_m": "12", "bearing_deg": "0", "tilt_deg": "-20", "hfov_deg": "60",
    }.items():  # fmt: skip
        page.get_by_test_id(f"field-{field}").fill(value)
    page.get_by_test_id("camera-turns").check()
    page.get_by_test_id("field-wide_hfov_deg").fill("60")
    page.get_by_test_id("field-tele_hfov_deg").fill("3")
    page.get_by_test_id("camera-asks-head").check()
    page.get_by_test_id("field-pan_from_deg").fill("170")
    page.get_by_test_id("field-pan_to_deg").fill("-170")
    page.get_by_test_id("camera-save").click()
    expect(page.get_by_test_id("camera-form")).to_contain_text("lower end first")
    page.get_by_test_id("field-pan_from_deg").fill("-170")
    page.get_by_test_id("field-pan_to_deg").fill("170")
    page.get_by_test_id("field-onvif_port").fill("8080")
    page.get_by_test_id("camera-save").click()
    camera_id = page.get_by_test_id("camera-detail").get_attribute("data-camera")

    def head() -> dict[str, Any]:
        with api.client() as client:
            found: dict[str, Any] = client.get(f"/api/v1/cameras/{camera_id}").json()["camera"]
        return dict(found["head"])

    asked = {"port": 8080, "profile": "", "pan_deg": [-170, 170], "tilt_deg": [-90, 90]}
    assert head()["onvif"] == asked
    page.get_by_test_id("camera-edit").click()
    expect(page.get_by_test_id("field-onvif_port")).to_have_value("8080")
    page.get_by_test_id("camera-asks-head").uncheck()
    page.get_by_test_id("camera-save").click()
    expect(page.get_by_test_id("camera-form")).to_have_count(0)
    assert (head()["wide_hfov_deg"], head()["onvif"]) == (60, None)
