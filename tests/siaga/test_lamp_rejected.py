"""One lamp, rejected once at the desk: no camera's worker alarms for it again, and for a fire that
burns in the same place every one does.

Real all the way: RTSP, a worker, the bus, fusion, the API. Only the network is a rule.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from contracts import Camera, CameraId, Detection, Hazard, Incident, IncidentId, LonLat, Sighting
from detection import Detector
from incidents.people.accounts import Role
from incidents.store import Store
from plumbing.bus import Bus
from plumbing.clock import SystemClock
from plumbing.settings import Settings
from siaga.watching.clutter_maps import ClutterMaps
from siaga.watching.pipeline import Watch, Watched
from siaga.watching.worker import Worker
from simulator.rtsp import RenderedSource
from tests.detection.conftest import CLASSES, make_card
from tests.incidents.running import leading, running, until
from tests.siaga.watching.burning import RedNetwork
from tests.support.api import RunningApi, api_settings, running_api
from tests.support.rtsp import RtspThread, rtsp

__all__ = ["rtsp"]

pytestmark = pytest.mark.timeout(120)

STREET = CameraId("street")
LOOKS = 20
"""Of a worker at a lamp that must not alarm: it alarmed after three."""


@dataclass
class Street:
    """A street with a lamp in it, or with flames in front of the lamp."""

    width_px: int = 320
    height_px: int = 180
    burns: threading.Event = field(default_factory=threading.Event)

    def render(self, at: datetime) -> NDArray[np.uint8]:
        ground = np.random.default_rng(3).integers(70, 130, (9, 16, 3), np.uint8)
        picture = ground.repeat(20, axis=0).repeat(20, axis=1)
        picture[80:110, 100:130] = (235, 90, 20)
        if self.burns.is_set():
            rng = np.random.default_rng(int(at.timestamp() * 10))
            picture[60 - int(rng.integers(0, 30)) : 112, 90 : 140 + int(rng.integers(0, 30))] = (
                235,
                int(rng.integers(60, 140)),
                20,
            )
        return picture


class CountingNetwork(RedNetwork):
    """Counts the pictures it has seen."""

    seen = 0

    def run(self, squares: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
        self.seen += len(squares)
        return super().run(squares)


class NotedWatch(Watch):
    """Notes what it told."""

    def __init__(self, settings: Settings, name: str) -> None:
        self.network = CountingNetwork()
        self.told: list[Detection] = []
        card = make_card("detect", CLASSES, (Sighting.FIRE, Sighting.SMOKE, Sighting.CRASH))
        clutter = ClutterMaps(settings.data_dir / name)
        super().__init__(Detector(card, self.network), None, clutter)

    def look(self, *given: Any) -> list[Watched]:
        looked = super().look(*given)
        self.told += [detection for one in looked for detection in one.detections]
        return looked


@asynccontextmanager
async def worker(settings: Settings, bus: Bus, name: str) -> AsyncIterator[NotedWatch]:
    """A worker that runs until the end of the block; what it raises fails the test."""
    watch = NotedWatch(settings, name)
    stopping = asyncio.Event()
    made = Worker(settings, bus, SystemClock(), name, watch)
    task = asyncio.create_task(made.run(stopping))
    try:
        yield watch
    finally:
        stopping.set()
        await task


async def reject(api: RunningApi, incident_id: IncidentId) -> None:
    async def rejected() -> bool:
        # Fusion goes on deciding about it until it is closed, so the version may be an old one.
        version = (await api.store.incidents.get(incident_id)).version
        body = {"action": "reject", "reason": "lampu jalan", "version": version}
        answer = await client.post(f"/api/v1/incidents/{incident_id}/actions", json=body)
        assert answer.status_code in (200, 409, 412), answer.text
        return answer.status_code == 200

    async with api.client(Role.OPERATOR) as client:
        await until(rejected)


async def test_a_lamp_is_rejected_once_and_a_fire_in_its_place_is_told_of(
    tmp_path: Path, bus: Bus, rtsp: RtspThread
) -> None:
    street = Street()
    url = rtsp.serve("street", RenderedSource(street, fps=10, keyframe_every_s=0.2))
    settings = api_settings(tmp_path, ingest__max_fps=5, ingest__frame_width_px=320)
    async with running_api(settings, bus) as api, running(api.store, bus) as service:
        await leading(service)
        camera = Camera(id=STREET, name="Simpang", url=url, position=LonLat(107.0, -6.2))
        await api.store.cameras.save(camera, actor="budi", version=None)

        async with worker(settings, bus, "w1") as watch:
            lamp = await until(lambda: newest(api.store, set()))
            await reject(api, lamp.id)
            enough = watch.network.seen + LOOKS
            await until(lambda: reached(watch, enough))
        # Another worker takes the camera over. To its verification, the lamp is new.
        async with worker(settings, bus, "w2") as other:
            await until(lambda: reached(other, LOOKS))
            assert other.told == [], "the lamp has alarmed again"
            assert await newest(api.store, {lamp.id}) is None
            street.burns.set()
            fire = await until(lambda: newest(api.store, {lamp.id}))
        assert fire.hazard is Hazard.FIRE
        assert {d.sighting for d in watch.told + other.told} == {Sighting.FIRE}


async def newest(store: Store, known: set[str]) -> Incident | None:
    """An incident that isn't known yet, or None."""
    page = await store.incidents.page()
    return next((one for one in page.incidents if one.id not in known), None)


async def reached(watch: NotedWatch, looks: int) -> bool:
    return watch.network.seen >= looks
