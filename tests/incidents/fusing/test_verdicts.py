"""What operators decide is kept a camera's track, and reaches the workers over the bus."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contracts import CameraId, IncidentAction, IncidentId
from contracts.verdicts import Truth, Verdict
from incidents.store import Store
from plumbing.bus import Bus
from plumbing.clock import HeldClock
from tests.incidents.make import detection, found, updated
from tests.incidents.running import leading, running, until
from tests.incidents.writer import Writer

A = IncidentAction
ONE, TWO = IncidentId("incident-1"), IncidentId("incident-2")


@pytest.fixture
async def writer(any_store: Store) -> Writer:
    """One incident of two looks at one track, another of another track."""
    writer = Writer(any_store)
    await writer.apply(detection(1), found(ONE, "report-detection-1"))
    await writer.apply(detection(2), updated(ONE, "report-detection-1", "report-detection-2"))
    await writer.apply(detection(3, track=2), found(TWO, "report-detection-3"))
    return writer


async def test_a_rejection_is_one_verdict_a_track_about_what_was_seen_last(
    any_store: Store, writer: Writer, clock: HeldClock
) -> None:
    after = await any_store.incidents.get(ONE)
    clock.advance(5)
    await any_store.incidents.act(
        ONE, A.REJECT, actor="sari", version=after.version, reason="lampu"
    )
    (verdict,) = await any_store.verdicts.since()
    seen = detection(2)
    assert (verdict.truth, verdict.actor, verdict.decided_at) == (
        Truth.REJECTED,
        "sari",
        clock.now(),
    )
    assert (verdict.camera_id, verdict.track_id, verdict.box, verdict.model_version) == (
        seen.camera_id,
        seen.track_id,
        seen.box,
        seen.model_version,
    )


async def test_a_rejection_that_is_taken_back_leaves_nothing(
    any_store: Store, writer: Writer
) -> None:
    version = (await any_store.incidents.get(ONE)).version
    incident = await any_store.incidents.act(
        ONE, A.REJECT, actor="sari", version=version, reason="lampu"
    )
    incident = await any_store.incidents.act(
        ONE, A.REOPEN, actor="budi", version=incident.version, reason="api"
    )
    assert await any_store.verdicts.since() == []
    await any_store.incidents.act(ONE, A.VERIFY, actor="budi", version=incident.version)
    (verdict,) = await any_store.verdicts.since()
    assert verdict.truth is Truth.CONFIRMED


async def test_looking_says_nothing_of_the_truth(any_store: Store, writer: Writer) -> None:
    version = (await any_store.incidents.get(ONE)).version
    await any_store.incidents.act(ONE, A.ACKNOWLEDGE, actor="sari", version=version)
    assert await any_store.verdicts.since() == []


async def test_old_verdicts_stay_for_training_and_are_not_told_to_workers(
    any_store: Store, writer: Writer, clock: HeldClock
) -> None:
    for incident_id in (ONE, TWO):
        version = (await any_store.incidents.get(incident_id)).version
        await any_store.incidents.act(
            incident_id, A.REJECT, actor="sari", version=version, reason="lampu"
        )
        clock.advance(86_400)
    lately = await any_store.verdicts.by_camera(clock.now() - timedelta(days=1.5))
    assert [len(some) for some in lately.values()] == [1]
    assert len(await any_store.verdicts.since()) == 2


async def test_a_rejection_reaches_the_workers_at_once_and_after_the_bus_forgot(
    store: Store, bus: Bus
) -> None:
    writer = Writer(store)
    await writer.apply(detection(1), found(ONE, "report-detection-1"))
    camera = detection(1).camera_id

    async def told() -> tuple[Verdict, ...] | None:
        return (await bus.read_verdicts([camera]) or {}).get(camera)

    async with running(store, bus) as service:
        await leading(service)
        version = (await store.incidents.get(ONE)).version
        await store.incidents.act(ONE, A.REJECT, actor="sari", version=version, reason="lampu")
        (verdict,) = await until(told)
        assert verdict == (await store.verdicts.since())[0]


async def test_workers_read_only_what_changed(bus: Bus, store: Store) -> None:
    one, two = CameraId("cam-1"), CameraId("cam-2")
    assert await bus.read_verdicts([one]) is None
    await bus.publish_verdicts({})
    assert await bus.read_verdicts([one]) == {one: ()}
    assert await bus.read_verdicts([one]) is None
    assert await bus.read_verdicts([one, two]) == {one: (), two: ()}
    assert await bus.verdicts_are_published()
