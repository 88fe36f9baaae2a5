"""Live video as an operator sees it: the built console in a real Chromium, from an incident's panel
through the API to a worker and its cameras."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from contracts import Camera, CameraId, LonLat, StreamSource
from plumbing.embedded_bus import EmbeddedBus
from tests.incidents.make import call, found
from tests.incidents.writer import Writer
from tests.siaga.test_live_view import SmallWorker
from tests.support.api import PASSWORD, USERNAME, ApiThread, api_in_thread, api_settings
from tests.support.rtsp import RtspThread, read_clock, small_video
from tests.support.system import chromium, eventually

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(180)]

STREET, MODERN = CameraId("street"), CameraId("modern")
"""One that every browser plays, and one whose H.265 Debian's Chromium can't."""
GRAB = """(video) => {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  canvas.getContext('2d').drawImage(video, 0, 0);
  return canvas.toDataURL('image/png').split(',')[1];
}"""
NOTE_FIRST_PICTURE = """() => {
  window.firstPictureMs = null;
  document.addEventListener('click', (event) => {
    if (event.target.closest('[data-testid=video-live], [data-testid=video-open]'))
      window.clickedMs = performance.now();
  }, true);
  document.addEventListener('loadeddata', () => {
    window.firstPictureMs ??= performance.now() - window.clickedMs;
  }, true);
}"""


@pytest.fixture
def api(tmp_path: Path, shared_server: EmbeddedBus) -> Iterator[ApiThread]:
    settings = api_settings(tmp_path, ingest__max_fps=10, ingest__frame_width_px=160)
    with api_in_thread(settings, shared_server.url, f"console-{tmp_path.name}") as running:
        yield running


@pytest.fixture
def worker(api: ApiThread, tmp_path: Path) -> Iterator[SmallWorker]:
    """Watching both cameras, which an incident names."""
    modern = small_video(tmp_path / "modern.mp4", seconds=3, width_px=320, codec="libx265")
    with RtspThread() as rtsp:
        urls = {
            STREET: rtsp.serve_clock("street", width_px=640),
            MODERN: rtsp.serve_file("modern", modern),
        }

        async def renew(made: SmallWorker) -> None:
            while True:
                await asyncio.sleep(1)
                await made.look()

        async def start() -> tuple[SmallWorker, asyncio.Task[None]]:
            for camera_id, url in urls.items():
                camera = Camera(
                    id=camera_id, name=camera_id.title(), url=url, position=LonLat(107.0, -6.2)
                )
                await api.api.store.cameras.save(camera, actor="budi", version=None)
            await api.api.bus.publish_register(
                [StreamSource(camera_id=camera_id, url=url) for camera_id, url in urls.items()]
            )
            seen = found("incident-1", "report-call-1", camera_ids=(STREET, MODERN))
            await Writer(api.api.store).apply(call(1), seen)
            made = SmallWorker(api.api.settings, api.api.bus, "w1")
            await made.start()
            return made, asyncio.create_task(renew(made))

        async def stop() -> None:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)
            await made.stop()

        made, renewing = api.run(start())
        yield made
        api.run(stop())


@pytest.fixture
def page(api: ApiThread) -> Iterator[Page]:
    expect.set_options(timeout=30_000)
    for browser in chromium():
        page = browser.new_page(viewport={"width": 1600, "height": 1000})
        page.add_init_script(
            "localStorage.setItem('siaga.language', 'en');"
            "localStorage.setItem('siaga.playsVideo', 'off')"
        )
        page.goto(api.api.url)
        page.get_by_test_id("signin-user").fill(USERNAME)
        page.get_by_test_id("signin-password").fill(PASSWORD)
        page.get_by_test_id("signin-submit").click()
        page.get_by_test_id("connection").wait_for()
        yield page


def has_pictures(worker: SmallWorker, camera_id: CameraId) -> bool:
    preroll = worker.ingest.preroll(camera_id)
    return preroll is not None and preroll.latest(1) is not None


def open_video(page: Page) -> None:
    page.get_by_test_id("incident-incident-1").first.press("Enter")
    page.get_by_test_id("video-open").press("Enter")


def picture_of(page: Page) -> Any:
    data = page.get_by_test_id("live-video").locator("video").evaluate(GRAB)
    picture = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def test_an_operator_sees_what_a_camera_sees_now(worker: SmallWorker, page: Page) -> None:
    eventually(lambda: has_pictures(worker, STREET), 30, "the camera's pictures")
    page.evaluate(NOTE_FIRST_PICTURE)
    open_video(page)
    live = page.get_by_test_id("live-video")
    expect(live).to_have_attribute("data-state", "video")
    expect(live).to_have_attribute("data-camera", STREET)
    eventually(lambda: page.evaluate("window.firstPictureMs"), 20, "a picture")
    print(f"first picture {page.evaluate('window.firstPictureMs'):.0f} ms after the click")
    expect(page.get_by_test_id("live-state")).to_contain_text("LIVE")

    def lag_s() -> float:
        return read_clock(picture_of(page), datetime.now(UTC))

    eventually(lambda: -0.5 < lag_s() < 3.0, 20, "the picture of now")
    seen_at = datetime.now(UTC)
    later = timedelta(seconds=3)
    eventually(
        lambda: datetime.now(UTC) - seen_at > later and lag_s() < 3.0, 20, "video that goes on"
    )


def test_what_a_browser_cannot_play_is_said_and_shown_as_pictures(
    worker: SmallWorker, page: Page
) -> None:
    eventually(lambda: has_pictures(worker, MODERN), 30, "the camera's pictures")
    open_video(page)
    page.get_by_test_id("video-camera").select_option(MODERN)
    live = page.locator(f"[data-testid=live-video][data-camera={MODERN}]")
    expect(live).to_have_attribute("data-state", "pictures")
    expect(page.get_by_test_id("live-why")).to_contain_text("H.265")
    shown = page.get_by_test_id("live-picture")
    expect(shown).to_be_visible()
    assert shown.evaluate("(img) => img.decode().then(() => img.naturalWidth)") == 320
    first = shown.get_attribute("src")
    expect(shown).not_to_have_attribute("src", first or "")
