"""From a camera that is asked over ONVIF to the positions that detections take along."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from contracts import CameraId, HeadReport, OnvifHead, StreamSource
from plumbing.address_guard import AddressGuard
from plumbing.bus import Bus
from plumbing.clock import SystemClock
from plumbing.sealing import Sealer
from plumbing.settings import IngestSettings
from siaga.watching.head_polling import HeadPolling
from tests.camera_ingest.test_onvif import PASSWORD, USER, device

TURNING = CameraId("turning")
SETTINGS = IngestSettings(allow_private=("127.0.0.0/8",), open_timeout_s=2)


BROKEN = "broken.example"


def resolved(host: str, *given: Any, **named: Any) -> list[tuple[Any, ...]]:
    """As the system does; for one name it fails in a way that nobody thought of."""
    if host == BROKEN:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
    return socket.getaddrinfo(host, *given, **named)


class Polled:
    """A worker's polling of the sources that are listed here."""

    def __init__(self, bus: Bus, folder: Path) -> None:
        self.sources: list[StreamSource] = []
        self.sealer = Sealer(folder / "key")
        self._bus = bus
        guard = AddressGuard(SETTINGS.allow_private, resolved)
        polling = HeadPolling(
            bus, lambda: self.sources, guard, self.sealer, SETTINGS, SystemClock()
        )
        self._task = asyncio.create_task(polling.run())

    def add(self, url: str, head: OnvifHead) -> StreamSource:
        source = StreamSource(
            camera_id=TURNING,
            url=f"rtsp://{urlsplit(url).hostname}/stream",
            username=USER,
            sealed_password=self.sealer.seal(PASSWORD),
            turns=True,
            onvif_head=replace(head, port=urlsplit(url).port or 80),
        )
        self.sources = [source]
        return source

    async def reports(self, count: int) -> tuple[HeadReport, ...]:
        """So many reports, as the bus has them, the newest first."""
        async with asyncio.timeout(15):
            while True:
                if self._task.done():
                    self._task.result()
                found = (await self._bus.recent_heads([TURNING]))[TURNING]
                if len(found) >= count:
                    return found
                await asyncio.sleep(0.05)

    async def end(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


@pytest.fixture
async def polled(bus: Bus, tmp_path: Path) -> AsyncIterator[Polled]:
    made = Polled(bus, tmp_path)
    yield made
    await made.end()


async def test_positions_are_told_in_degrees_as_the_data_sheet_has_them(polled: Polled) -> None:
    with device() as (url, asked):
        polled.add(url, OnvifHead(pan_deg=(-170, 170), tilt_deg=(-90, 30)))
        newest = (await polled.reports(2))[0]
        polled.sources = []
    assert newest.pan_deg == pytest.approx(0.25 * 170)
    assert newest.tilt_deg == pytest.approx(-60)
    assert newest.zoom == pytest.approx(0.1)
    assert abs((SystemClock().now() - newest.at).total_seconds()) < 10
    names = [name for name, _ in asked]
    assert names.count("GetProfiles") == 1, "it is asked which profile turns once"


async def test_a_camera_that_tells_degrees_is_believed(polled: Polled) -> None:
    space = "http://www.onvif.org/ver10/tptz/PanTiltSpaces/SphericalPositionSpaceDegrees"
    status = (
        f'<ptz:R><tt:Position><tt:PanTilt x="123.5" y="-12" space="{space}"/></tt:Position></ptz:R>'
    )
    with device(GetStatus=status) as (url, _):
        polled.add(url, OnvifHead(profile="main"))
        newest = (await polled.reports(1))[0]
        polled.sources = []
    assert (newest.pan_deg, newest.tilt_deg, newest.zoom) == (123.5, -12, None)


async def test_one_that_is_silent_is_said_once_and_hinders_nobody(
    polled: Polled, caplog: pytest.LogCaptureFixture
) -> None:
    with device() as (url, _):
        turning = polled.add(url, OnvifHead(profile="main"))
        silent = replace(turning, camera_id=CameraId("silent"), onvif_head=OnvifHead(port=9))
        refused = replace(turning, camera_id=CameraId("inside"), url="rtsp://169.254.169.254/")
        polled.sources = [silent, refused, turning]
        await polled.reports(3)
        polled.sources = []
    said = [record.getMessage() for record in caplog.records]
    said = [text for text in said if "does not tell where it points" in text]
    assert sorted("silent" in text for text in said) == [False, True]


async def test_a_fault_with_one_of_them_ends_nobody_s_watch(
    polled: Polled, caplog: pytest.LogCaptureFixture
) -> None:
    with device() as (url, _):
        turning = polled.add(url, OnvifHead(profile="main"))
        broken = replace(turning, camera_id=CameraId("broken"), url=f"rtsp://{BROKEN}/stream")
        polled.sources = [broken, turning]
        await polled.reports(3)
        polled.sources = []
    said = [record.getMessage() for record in caplog.records]
    assert sum("head_failed" in text and "Too many open files" in text for text in said) == 1
