"""From a camera's packets through a worker and the API to somebody who watches."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from camera_ingest import IngestSupervisor
from contracts import Camera, CameraId, LonLat, StreamSource
from incidents.people.accounts import Role
from plumbing.address_guard import AddressGuard
from plumbing.bus import Bus
from plumbing.clock import SystemClock
from plumbing.live_pass import VALID_FOR, PassRefused, check_pass, make_pass
from plumbing.sealing import Sealer
from plumbing.settings import Settings
from siaga.watching.leases import CameraLeases, OwnCameras
from siaga.watching.live_server import LiveServer
from tests.support.api import RunningApi, api_settings, running_api
from tests.support.rtsp import RtspThread, read_clock, rtsp

__all__ = ["rtsp"]

STREET = CameraId("street")


class SmallWorker:
    """What of a worker live view needs: cameras, leases, and its address."""

    def __init__(self, settings: Settings, bus: Bus, name: str) -> None:
        clock = SystemClock()
        sealer = Sealer(settings.key_file)
        self.ingest = IngestSupervisor(
            settings.ingest,
            clock,
            AddressGuard(settings.ingest.allow_private),
            sealer,
            lambda _: None,
        )
        self.live = LiveServer(self.ingest, sealer, clock, settings.worker)
        own = OwnCameras(
            costs=self.ingest.costs,
            has_pictures=self.ingest.has_pictures,
            address=lambda: self.live.address,
        )
        self.leases = CameraLeases(bus, name, settings.worker, own, clock)

    async def start(self) -> None:
        await self.live.start()
        await self.look()

    async def look(self) -> None:
        await self.leases.refresh()
        self.ingest.set_sources(self.leases.sources)

    async def stop(self) -> None:
        await self.live.close()
        await self.leases.release_all()
        await asyncio.to_thread(self.ingest.stop)


@dataclass
class Scene:
    api: RunningApi
    bus: Bus
    worker: SmallWorker

    def watch(self, query: str = "", role: Role = Role.OPERATOR, camera: str = STREET) -> connect:
        url = self.api.url.replace("http://", "ws://")
        return connect(
            f"{url}/live/v1/{camera}{query}",
            additional_headers=self.api.headers(role),
            max_size=None,
            proxy=None,
        )

    async def ready(self) -> None:
        async with asyncio.timeout(20):
            while not self.worker.ingest.has_pictures(STREET):  # noqa: ASYNC110
                await asyncio.sleep(0.02)


@pytest.fixture
async def scene(tmp_path: Path, bus: Bus, rtsp: RtspThread) -> AsyncIterator[Scene]:
    settings = api_settings(tmp_path, ingest__max_fps=10, ingest__frame_width_px=160)
    url = rtsp.serve_clock("street")
    async with running_api(settings, bus) as api:
        camera = Camera(id=STREET, name="Simpang", url=url, position=LonLat(107.0, -6.2), group="b")
        await api.store.cameras.save(camera, actor="budi", version=None)
        await bus.publish_register([StreamSource(camera_id=STREET, url=url)])
        worker = SmallWorker(settings, bus, "w1")
        await worker.start()
        made = Scene(api, bus, worker)
        await made.ready()
        try:
            yield made
        finally:
            await worker.stop()


async def next_text(watcher: ClientConnection, kind: str) -> dict[str, Any]:
    async with asyncio.timeout(20):
        async for message in watcher:
            if isinstance(message, str) and json.loads(message)["type"] == kind:
                found: dict[str, Any] = json.loads(message)
                return found
    raise AssertionError("the line was closed")


async def video(watcher: ClientConnection, pictures: int) -> list[av.VideoFrame]:
    content = b""
    async with asyncio.timeout(20):
        async for message in watcher:
            if isinstance(message, bytes):
                content += message
                if content.count(b"moof") >= pictures:
                    break
    with av.open(io.BytesIO(content), "r") as container:
        return list(container.decode(video=0))


async def test_many_watch_one_camera_through_one_connection(scene: Scene, rtsp: RtspThread) -> None:
    async with contextlib.AsyncExitStack() as stack:
        watchers = [await stack.enter_async_context(scene.watch()) for _ in range(5)]
        starts = [await next_text(watcher, "start") for watcher in watchers]
        found = await asyncio.gather(*(video(watcher, 8) for watcher in watchers))
    for start, frames in zip(starts, found, strict=True):
        assert start["mode"] == "video"
        for frame in frames:
            at = datetime.fromisoformat(start["started_at"]) + timedelta(seconds=frame.time or 0)
            picture = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
            assert abs(read_clock(picture, at)) <= 0.1
    assert rtsp.reader_count("street") == 1
    # Who watched stands in the audit log, once, before the first picture was shown.
    page = await scene.api.store.audit.page(action="view.live")
    assert [entry.subject for entry in page.entries] == [STREET]


async def test_watching_makes_the_camera_hot(scene: Scene) -> None:
    watch = scene.worker.ingest._watches[STREET]
    assert not watch._hot
    async with scene.watch() as watcher:
        await next_text(watcher, "start")
        async with asyncio.timeout(5):
            while not watch._hot:  # noqa: ASYNC110
                await asyncio.sleep(0.02)


async def test_a_camera_that_moves_is_watched_on(scene: Scene) -> None:
    async with scene.watch() as watcher:
        await next_text(watcher, "start")
        other = SmallWorker(scene.api.settings, scene.bus, "w2")
        await scene.worker.stop()
        await other.start()
        try:
            await next_text(watcher, "start")
            assert len(await video(watcher, 3)) >= 3
        finally:
            await other.stop()
        await next_text(watcher, "unwatched")


async def test_single_pictures(scene: Scene) -> None:
    async with scene.api.client(Role.OPERATOR) as client:
        answer = await client.get(f"/api/v1/cameras/{STREET}/picture.jpg")
        assert answer.headers["content-type"] == "image/jpeg"
        picture = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        assert picture.shape[1] == 320
        ways = (await client.get(f"/api/v1/cameras/{STREET}/live")).json()
    assert ways == {
        "websocket": "/live/v1/street",
        "picture": "/api/v1/cameras/street/picture.jpg",
        "relay_url": None,
    }


@pytest.mark.parametrize(
    ("query", "role", "camera", "status"),
    [
        ("", Role.AUDITOR, STREET, 403),
        ("", Role.OPERATOR, "nowhere", 404),
        ("?back=-1", Role.OPERATOR, STREET, 422),
        ("?back=x", Role.OPERATOR, STREET, 422),
        ("?codecs=vp9", Role.OPERATOR, STREET, 422),
    ],
)
async def test_who_may_not_is_told_why(
    scene: Scene, query: str, role: Role, camera: str, status: int
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with scene.watch(query, role, camera):
            pass
    assert refused.value.response.status_code == status


async def test_nobody_watches_without_signing_in(scene: Scene) -> None:
    url = scene.api.url.replace("http://", "ws://")
    with pytest.raises(InvalidStatus) as refused:
        async with connect(f"{url}/live/v1/street", proxy=None):
            pass
    assert refused.value.response.status_code == 401


async def test_a_revoked_key_ends_the_watching(scene: Scene) -> None:
    async with scene.watch(role=Role.DISPATCH) as watcher:
        await next_text(watcher, "start")
        name = next(key.name for key in await scene.api.store.keys.all() if "dispatch" in key.name)
        await scene.api.store.keys.revoke(name)
        with pytest.raises(ConnectionClosed) as closed:
            async with asyncio.timeout(20):
                while True:
                    await watcher.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401


async def test_a_worker_opens_to_this_installation_alone(scene: Scene, tmp_path: Path) -> None:
    address = scene.worker.live.address
    foreign = make_pass(Sealer(tmp_path / "other" / "key", {}), STREET, SystemClock().now())
    for headers in ({}, {"Authorization": f"Bearer {foreign}"}, {"Authorization": "Bearer x"}):
        with pytest.raises(InvalidStatus) as refused:
            async with connect(
                f"ws://{address}/live/street", additional_headers=headers, proxy=None
            ):
                pass
        assert refused.value.response.status_code == 401


def test_a_pass_is_for_one_camera_and_a_moment(tmp_path: Path) -> None:
    sealer, now = Sealer(tmp_path / "key", {}), SystemClock().now()
    shown = make_pass(sealer, STREET, now)
    check_pass(sealer, shown, STREET, now)
    with pytest.raises(PassRefused, match="another camera"):
        check_pass(sealer, shown, CameraId("alley"), now)
    with pytest.raises(PassRefused, match="expired"):
        check_pass(sealer, shown, STREET, now + VALID_FOR + timedelta(seconds=1))
