from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from contracts import (
    AlarmLevel,
    CameraId,
    ClipId,
    ClipPart,
    ClipReport,
    ClipState,
    EvidenceClip,
    EvidenceId,
    Incident,
    IncidentState,
    KeepClip,
)
from incidents.fusing.clipping import clips_for
from incidents.register.clips import NOBODY_HAD_IT
from incidents.store import Store
from plumbing.bus import CLIPS, DETECTIONS, Bus
from plumbing.settings import EvidenceSettings
from tests.incidents.fusing.test_service import FAR
from tests.incidents.live import call_bodies, detection
from tests.incidents.make import incident as some_incident
from tests.incidents.running import leading, now, running, until
from tests.support.store import START


def part(number: int) -> ClipPart:
    return ClipPart(
        evidence_id=EvidenceId(f"{number:064x}"),
        started_at=START + timedelta(seconds=number),
        ended_at=START + timedelta(seconds=number + 10),
        n_bytes=1_000,
        pictures=100,
        mime='video/mp4; codecs="avc1.42c01f"',
        width_px=1280,
        height_px=720,
    )


def report(clip: EvidenceClip, state: ClipState, *numbers: int, detail: str = "") -> ClipReport:
    return ClipReport(
        clip_id=clip.id,
        camera_id=clip.camera_id,
        worker="host-1",
        state=state,
        reported_at=START,
        parts=tuple(map(part, numbers)),
        detail=detail,
    )


async def founded(store: Store, bus: Bus) -> Incident:
    """An incident that fusion made of a detection, with the clips that it wants."""
    await bus.publish(DETECTIONS, detection())

    async def look() -> Incident | None:
        found = (await store.snapshot()).incidents
        return found[0] if found and await store.clips.of_incident(found[0].id) else None

    return await until(look)


async def test_an_incidents_clips_are_asked_for_told_and_settled(
    live_store: Store, bus: Bus
) -> None:
    asked: asyncio.Queue[KeepClip] = asyncio.Queue()

    async def collect() -> None:
        async for cue in bus.told():
            if isinstance(cue, KeepClip):
                asked.put_nowait(cue)

    collector = asyncio.create_task(collect())
    async with running(live_store, bus) as service:
        await leading(service)
        incident = await founded(live_store, bus)
        wanted = await live_store.clips.of_incident(incident.id)
        assert {clip.camera_id for clip in wanted} >= set(incident.estimate.camera_ids)
        command = await asyncio.wait_for(asked.get(), 10)
        clip = next(clip for clip in wanted if clip.id == command.clip_id)
        assert (command.since, command.until) == (clip.since, clip.until)
        assert clip.since <= incident.created_at - timedelta(seconds=10)

        await bus.publish(CLIPS, report(clip, ClipState.RECORDING, 1))
        await bus.publish(CLIPS, report(clip, ClipState.KEPT, 1, 11))

        async def kept() -> EvidenceClip | None:
            found = await live_store.clips.of_incident(incident.id)
            return next((one for one in found if one.state is ClipState.KEPT), None)

        done = await until(kept)
        assert done.parts == (part(1), part(11))
    collector.cancel()
    entries = await live_store.log.after(0)
    told = [entry.detail for entry in entries if entry.subject_id == clip.id]
    assert told == ["wanted", "recording", "kept"]
    # The proof that these files are the ones stands in the chained log, each once.
    page = await live_store.audit.page(action="evidence.kept")
    proofs = [entry.details["sha256"] for entry in page.entries if entry.details]
    assert sorted(proofs) == [part(1).evidence_id, part(11).evidence_id]
    assert (await live_store.audit.verify()).holds


async def test_reports_may_come_twice_and_from_two_workers(live_store: Store, bus: Bus) -> None:
    async with running(live_store, bus) as service:
        await leading(service)
        incident = await founded(live_store, bus)
    clip = (await live_store.clips.of_incident(incident.id))[0]
    seq = await live_store.log.last_seq()
    for _ in range(3):
        await live_store.clips.record([report(clip, ClipState.RECORDING, 5)])
    assert await live_store.log.last_seq() == seq + 1
    await live_store.clips.record([report(clip, ClipState.FAILED, 5, detail="no room")])
    (failed,) = (c for c in await live_store.clips.unfinished() if c.id == clip.id)
    assert (failed.state, failed.detail) == (ClipState.FAILED, "no room")
    # Another worker took the camera over, and was too late for the beginning.
    await live_store.clips.record([report(clip, ClipState.KEPT, 20)])
    await live_store.clips.record([report(clip, ClipState.EMPTY)])
    (kept,) = (c for c in await live_store.clips.of_incident(incident.id) if c.id == clip.id)
    assert (kept.state, kept.parts) == (ClipState.KEPT, (part(5), part(20)))
    await live_store.clips.record([report(replace(clip, id=ClipId("unheard")), ClipState.KEPT, 1)])


async def test_what_nobody_has_is_given_up_with_the_reason(live_store: Store, bus: Bus) -> None:
    async with running(live_store, bus) as service:
        await leading(service)
        incident = await founded(live_store, bus)
    await live_store.clips.give_up([clip.id for clip in await live_store.clips.unfinished()])
    assert await live_store.clips.unfinished() == []
    for clip in await live_store.clips.of_incident(incident.id):
        assert (clip.state, clip.detail) == (ClipState.EMPTY, NOBODY_HAD_IT)


@pytest.mark.parametrize(
    ("level", "kept"),
    [(AlarmLevel.SIGNAL, []), (AlarmLevel.CANDIDATE, ["a"]), (AlarmLevel.ALARM, ["a", "b"])],
)
def test_what_is_kept_grows_with_the_level(level: AlarmLevel, kept: list[str]) -> None:
    incident = some_incident()
    incident = replace(
        incident,
        level=level,
        estimate=replace(incident.estimate, camera_ids=(CameraId("a"),)),
        best_camera_ids=(CameraId("b"),),
    )
    clips = clips_for(incident, now(), EvidenceSettings())
    assert [clip.camera_id for clip in clips] == kept


def test_contributors_come_before_the_best_views_and_none_twice() -> None:
    incident = some_incident()
    seen = tuple(map(CameraId, ("a", "b")))
    incident = replace(
        incident,
        state=IncidentState.DETECTED,
        level=AlarmLevel.ALARM,
        estimate=replace(incident.estimate, camera_ids=seen),
        best_camera_ids=tuple(map(CameraId, ("c", "a", "d", "e"))),
    )
    clips = clips_for(incident, now(), EvidenceSettings(cameras=3))
    assert [clip.camera_id for clip in clips] == ["a", "b", "c"]
    assert len({clip.id for clip in clips}) == 3
    closed = replace(incident, state=IncidentState.CLOSED)
    assert clips_for(closed, now(), EvidenceSettings()) == []


async def test_clips_follow_an_incident_that_is_merged_into_another(
    live_store: Store, bus: Bus
) -> None:
    async with running(live_store, bus) as service:
        await leading(service)
        first = await founded(live_store, bus)
        await live_store.reports.accept(call_bodies(1, FAR))  # type: ignore[arg-type]

        async def both() -> tuple[Incident, ...] | None:
            found = (await live_store.snapshot()).incidents
            return found if len(found) == 2 else None

        other = next(one for one in await until(both) if one.id != first.id)
        first = await live_store.incidents.get(first.id)
        clips = await live_store.clips.of_incident(first.id)
        await live_store.regrouping.merge(
            other.id,
            first.id,
            actor="sari",
            version=other.version,
            other_version=first.version,
            reason="satu kejadian",
        )
    moved = await live_store.clips.of_incident(other.id)
    assert {clip.id for clip in moved} == {clip.id for clip in clips}
    assert {clip.incident_id for clip in moved} == {other.id}
    assert await live_store.clips.of_incident(first.id) == []
