"""What a real Chromium shows of a camera: a clip of an incident, and live video. The camera's
pictures tell the time they were taken, and are read off the screen."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from contracts import (
    Camera,
    CameraId,
    ClipId,
    ClipReport,
    ClipState,
    IncidentId,
    KeepClip,
    LonLat,
    StreamSource,
)
from plumbing.clock import SystemClock
from plumbing.embedded_bus import EmbeddedBus
from plumbing.evidence import FolderEvidence
from siaga.watching.clip_keeper import ClipKeeper
from tests.siaga.test_live_view import SmallWorker
from tests.support.api import PASSWORD, USERNAME, ApiThread, api_in_thread, api_settings
from tests.support.rtsp import RtspThread, read_clock
from tests.support.system import chromium, eventually

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(180)]

STREET = CameraId("street")
GRAB = """(name) => {
  const video = window[name];
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  canvas.getContext('2d').drawImage(video, 0, 0);
  return [video.currentTime, canvas.toDataURL('image/png').split(',')[1]];
}"""
PLAY_CLIP = """(url) => {
  const video = window.clip = document.createElement('video');
  Object.assign(video, { muted: true, src: url, preload: 'auto' });
  document.body.append(video);
}"""
PLAY_LIVE = """(url) => {
  const video = window.live = document.createElement('video');
  video.muted = true;
  document.body.append(video);
  const told = window.told = { start: null, firstPictureMs: null, error: null };
  const began = performance.now();
  const socket = window.socket = new WebSocket(url);
  socket.binaryType = 'arraybuffer';
  const waiting = [];
  let buffer = null;
  const append = () => {
    if (buffer && !buffer.updating && waiting.length) buffer.appendBuffer(waiting.shift());
  };
  video.onloadeddata = () => { told.firstPictureMs ??= performance.now() - began; };
  video.onerror = () => { told.error = video.error.message; };
  socket.onmessage = ({ data }) => {
    if (typeof data !== 'string') { waiting.push(data); append(); return; }
    const message = JSON.parse(data);
    if (message.type !== 'start') return;
    told.start = message;
    const source = new MediaSource();
    video.src = URL.createObjectURL(source);
    source.onsourceopen = () => {
      buffer = source.addSourceBuffer(message.mime);
      buffer.onupdateend = append;
      append();
    };
    video.play();
  };
}"""


@pytest.fixture
def api(tmp_path: Path, shared_server: EmbeddedBus) -> Iterator[ApiThread]:
    settings = api_settings(tmp_path, ingest__max_fps=10, ingest__frame_width_px=160)
    with api_in_thread(settings, shared_server.url, f"video-{tmp_path.name}") as running:
        yield running


@pytest.fixture
def worker(api: ApiThread) -> Iterator[SmallWorker]:
    """Watching a camera whose pictures tell the time."""
    with RtspThread() as rtsp:
        url = rtsp.serve_clock("street", width_px=640)

        async def start() -> SmallWorker:
            camera = Camera(id=STREET, name="Simpang", url=url, position=LonLat(107.0, -6.2))
            await api.api.store.cameras.save(camera, actor="budi", version=None)
            await api.api.bus.publish_register([StreamSource(camera_id=STREET, url=url)])
            made = SmallWorker(api.api.settings, api.api.bus, "w1")
            await made.start()
            return made

        made = api.run(start())
        yield made
        api.run(made.stop())


@pytest.fixture
def page() -> Iterator[Page]:
    browsers: Iterator[Browser] = chromium()
    yield next(browsers).new_page()
    for _ in browsers:
        pass


def signed_in(page: Page, api: ApiThread) -> None:
    page.goto(f"{api.api.url}/healthz")
    status = page.evaluate(
        """async ([username, password]) => (await fetch('/api/v1/session', {
          method: 'POST', headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify({ username, password }) })).status""",
        [USERNAME, PASSWORD],
    )
    assert status < 300


def grabbed(page: Page, name: str) -> tuple[float, Any]:
    """A video's time, and the picture that it shows."""
    at_s, data = page.evaluate(GRAB, name)
    picture = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return at_s, cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def held_s(worker: SmallWorker) -> float:
    preroll = worker.ingest.preroll(STREET)
    run = preroll.latest(100) if preroll else None
    return (run.ended_at - run.began_at).total_seconds() if run else 0.0


def test_a_clip_plays_from_before_the_alarm_at_its_capture_times(
    api: ApiThread, worker: SmallWorker, page: Page
) -> None:
    eventually(lambda: held_s(worker) > 11, 40, "eleven seconds in the camera's memory")
    alarm = datetime.now(UTC)
    said: list[ClipReport] = []

    async def keep() -> None:
        async def publish(report: ClipReport) -> None:
            said.append(report)

        store = FolderEvidence(api.api.settings.evidence_folder, 0)
        keeper = ClipKeeper(worker.ingest, store.put, publish, SystemClock(), "w1", 4)
        await keeper.heed(
            KeepClip(
                clip_id=ClipId("i/street/alarm"),
                incident_id=IncidentId("i"),
                camera_id=STREET,
                since=alarm - timedelta(seconds=15),
                until=alarm + timedelta(seconds=1),
            )
        )
        async with asyncio.timeout(15):
            while not said or said[-1].state is not ClipState.KEPT:  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    api.run(keep())
    part = said[-1].parts[0]
    assert (alarm - part.started_at).total_seconds() >= 10
    signed_in(page, api)
    page.evaluate(PLAY_CLIP, f"/api/v1/evidence/{part.evidence_id}")
    eventually(lambda: page.evaluate("window.clip.readyState >= 2"), 15, "the clip is loaded")
    length_s = (part.ended_at - part.started_at).total_seconds()
    assert page.evaluate("window.clip.duration") == pytest.approx(length_s, abs=0.3)
    for wished_s in (0.0, length_s / 2, length_s - 0.5):
        page.evaluate(
            """(at) => {
              window.sought = false;
              window.clip.onseeked = () => { window.sought = true; };
              window.clip.currentTime = at;
            }""",
            wished_s + 0.01,
        )
        eventually(lambda: page.evaluate("window.sought"), 10, f"a jump to {wished_s} s")
        at_s, picture = grabbed(page, "clip")
        # A picture is shown until the next one, a tenth of a second later.
        lag_s = read_clock(picture, part.started_at + timedelta(seconds=at_s))
        assert -0.1 <= lag_s <= 0.2
    assert page.evaluate("window.clip.error") is None


@pytest.mark.alone
def test_live_video_is_seen_within_a_second(
    api: ApiThread, worker: SmallWorker, page: Page
) -> None:
    eventually(lambda: held_s(worker) > 1, 20, "a group of pictures in the camera's memory")
    signed_in(page, api)
    page.evaluate(PLAY_LIVE, f"/live/v1/{STREET}")
    eventually(
        lambda: page.evaluate("window.told.firstPictureMs ?? window.told.error"), 15, "a picture"
    )
    told = page.evaluate("window.told")
    assert told["error"] is None
    print(f"first picture after {told['firstPictureMs']:.0f} ms")
    time.sleep(1.0)
    at_s, picture = grabbed(page, "live")
    started_at = datetime.fromisoformat(told["start"]["started_at"])
    assert -0.1 <= read_clock(picture, started_at + timedelta(seconds=at_s)) <= 0.2
    page.evaluate("window.socket.close()")
