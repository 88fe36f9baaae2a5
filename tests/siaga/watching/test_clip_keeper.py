from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import numpy as np
import pytest

from camera_ingest import IngestSupervisor
from camera_ingest.keeping.mp4 import CAPTURE_START
from contracts import CameraId, ClipId, ClipReport, ClipState, IncidentId, KeepClip, StreamSource
from plumbing.address_guard import AddressGuard
from plumbing.clock import SystemClock
from plumbing.evidence import EvidenceStore, FolderEvidence
from plumbing.sealing import Sealer
from plumbing.settings import IngestSettings
from siaga.watching.clip_keeper import ClipKeeper
from tests.support.rtsp import RtspThread, read_clock, rtsp

__all__ = ["rtsp"]

STREET = CameraId("street")
SETTINGS = IngestSettings(
    open_timeout_s=3,
    max_fps=10,
    frame_width_px=160,
    retry_first_s=0.2,
    allow_private=("127.0.0.0/8",),
)


@dataclass
class Desk:
    """A worker's cameras, its store, and what it says of its clips."""

    ingest: IngestSupervisor
    store: EvidenceStore
    said: list[ClipReport] = field(default_factory=list)
    heard: asyncio.Event = field(default_factory=asyncio.Event)

    async def publish(self, report: ClipReport) -> None:
        self.said.append(report)
        self.heard.set()

    def keeper(self, most: int = 8) -> ClipKeeper:
        return ClipKeeper(
            self.ingest, lambda *what: self.store.put(*what), self.publish, SystemClock(), "w", most
        )

    async def until(self, look: Callable[[], bool], seconds: float = 20) -> None:
        async with asyncio.timeout(seconds):
            while not look():
                self.heard.clear()
                try:
                    async with asyncio.timeout(0.05):
                        await self.heard.wait()
                except TimeoutError:
                    pass

    @property
    def states(self) -> list[ClipState]:
        return [report.state for report in self.said]

    def seconds_held(self) -> float:
        preroll = self.ingest.preroll(STREET)
        run = preroll.latest(100) if preroll else None
        return (run.ended_at - run.began_at).total_seconds() if run else 0.0


@pytest.fixture
async def desk(rtsp: RtspThread, tmp_path: Path) -> AsyncIterator[Desk]:
    """Watching a camera whose pictures tell the time, long enough to have something in memory."""
    ingest = IngestSupervisor(
        SETTINGS,
        SystemClock(),
        AddressGuard(SETTINGS.allow_private),
        Sealer(tmp_path / "key", {}),
        lambda _: None,
    )
    made = Desk(ingest, FolderEvidence(tmp_path / "evidence", 0))
    ingest.set_sources([StreamSource(camera_id=STREET, url=rtsp.serve_clock("street"))])
    try:
        await made.until(lambda: made.seconds_held() > 1.5)
        yield made
    finally:
        await asyncio.to_thread(ingest.stop)


def command(number: int = 1, *, before_s: float = 60, after_s: float = 1) -> KeepClip:
    now = datetime.now(UTC)
    return KeepClip(
        clip_id=ClipId(f"incident-1/street/{number}"),
        incident_id=IncidentId("incident-1"),
        camera_id=STREET,
        since=now - timedelta(seconds=before_s),
        until=now + timedelta(seconds=after_s),
    )


def errors_s(content: bytes) -> list[float]:
    """By how much each picture's time in the file is wrong, by the clock that it shows."""
    found: list[float] = []
    with av.open(io.BytesIO(content), "r") as container:
        start = datetime.fromisoformat(container.metadata[CAPTURE_START])
        for frame in container.decode(video=0):
            at = start + timedelta(seconds=float(frame.time or 0))
            found.append(
                abs(read_clock(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8), at))
            )
    return found


async def test_a_clip_is_kept_from_before_the_alarm_to_after_it(desk: Desk) -> None:
    asked = command()
    keeper = desk.keeper()
    await keeper.heed(asked)
    await keeper.heed(asked)  # told again while it is being recorded
    await desk.until(lambda: ClipState.KEPT in desk.states)
    assert desk.states == [ClipState.RECORDING, ClipState.KEPT]
    first, second = desk.said[-1].parts
    alarm = asked.until - timedelta(seconds=1)
    assert (alarm - first.started_at).total_seconds() > 1.5
    assert second.started_at <= first.ended_at + timedelta(seconds=0.2)
    assert second.ended_at >= asked.until - timedelta(seconds=0.2)
    for part in (first, second):
        content, media_type = desk.store.get(part.evidence_id)
        assert media_type == "video/mp4"
        errors = errors_s(content)
        assert len(errors) == part.pictures
        # The source draws its clock in hundredths of a second.
        assert max(errors) <= 0.1
    await keeper.heed(asked)  # told again after it was kept: nothing is written twice
    assert desk.said[-1] == desk.said[-2]


async def test_a_full_disk_is_said_and_mended_by_itself(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("siaga.watching.clip_keeper.WAITS_S", (0.1,))
    roomy = desk.store
    desk.store = FolderEvidence(roomy._folder, 1 << 62)
    await desk.keeper().heed(command(after_s=0.1))
    await desk.until(lambda: ClipState.FAILED in desk.states)
    assert "must stay so" in desk.said[-1].detail
    desk.store = roomy
    await desk.until(lambda: ClipState.KEPT in desk.states)
    assert len(desk.said[-1].parts) == 2


async def test_a_worker_that_ends_keeps_what_it_has_and_leaves_the_rest(desk: Desk) -> None:
    keeper = desk.keeper()
    await keeper.heed(command(after_s=500))
    await desk.until(lambda: ClipState.RECORDING in desk.states)
    await asyncio.wait_for(keeper.end(), 5)
    assert set(desk.states) == {ClipState.RECORDING}
    assert len(desk.said[-1].parts) >= 1


async def test_too_many_at_once_keep_what_came_before(desk: Desk) -> None:
    keeper = desk.keeper(most=1)
    await keeper.heed(command(1, after_s=500))
    await keeper.heed(command(2, after_s=500))
    await desk.until(lambda: ClipState.KEPT in desk.states)
    (kept,) = [report for report in desk.said if report.state is ClipState.KEPT]
    assert kept.clip_id == command(2).clip_id
    assert "clips_at_once" in kept.detail
    await keeper.end()


async def test_a_reconnection_begins_another_part(desk: Desk, rtsp: RtspThread) -> None:
    keeper = desk.keeper()
    await keeper.heed(command(after_s=8))
    await desk.until(lambda: ClipState.RECORDING in desk.states)
    # Long enough for a picture between the first part and the drop: those are the second.
    await asyncio.sleep(2.0)
    rtsp.drop_readers("street")
    await desk.until(lambda: ClipState.KEPT in desk.states)
    assert len(desk.said[-1].parts) == 3


async def test_other_workers_cameras_are_left_to_them(desk: Desk) -> None:
    asked = command()
    keeper = desk.keeper()
    await keeper.heed(
        KeepClip(
            clip_id=asked.clip_id,
            incident_id=asked.incident_id,
            camera_id=CameraId("elsewhere"),
            since=asked.since,
            until=asked.until,
        )
    )
    await keeper.end()
    assert desk.said == []
