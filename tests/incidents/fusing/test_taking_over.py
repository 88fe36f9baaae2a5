"""What lies between a commit and what follows from it: whoever leads next does it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from contracts import CallId, Incident, IncidentId, IncidentState, LogKind, LonLat, Report
from incidents import engines
from incidents.fusing.mind import Mind
from incidents.log import LogFilter
from incidents.store import Store
from plumbing.bus import DETECTIONS, Bus
from plumbing.clock import HeldClock, SystemClock
from tests.incidents.fusing.test_service import FAR
from tests.incidents.live import call_bodies, detection
from tests.incidents.make import CENTRE, camera, found, updated
from tests.incidents.make import detection as a_detection
from tests.incidents.running import decided, leading, running, until
from tests.incidents.writer import Writer
from tests.support.store import START


async def regroupings_told(store: Store, incident_id: IncidentId) -> int:
    only = LogFilter(
        kinds=frozenset({LogKind.INCIDENT_UPDATED}), subject_ids=frozenset({incident_id})
    )
    return sum(entry.detail == "regrouped" for entry in await store.log.after(0, only=only))


async def two_calls(store: Store, bus: Bus) -> tuple[Incident, Incident]:
    """Two incidents of a call each, far from one another."""
    async with running(store, bus) as service:
        await leading(service)
        await store.reports.accept(call_bodies(1))  # type: ignore[arg-type]
        await store.reports.accept(call_bodies(2, FAR))  # type: ignore[arg-type]
        await decided(service, 4)
    one, two = (await store.snapshot()).incidents
    return one, two


async def merge(store: Store, one: Incident, two: Incident) -> None:
    await store.regrouping.merge(
        one.id,
        two.id,
        actor="sari",
        version=one.version,
        other_version=two.version,
        reason="satu kejadian",
    )


async def test_clips_that_a_leader_died_before_asking_for_are_asked_for(
    live_store: Store, bus: Bus
) -> None:
    seen = detection(1)
    # All that the dead one came to.
    await Writer(live_store).apply(seen, found("incident-1", seen.id, camera_ids=("camera-1",)))
    assert await live_store.clips.unfinished() == []
    async with running(live_store, bus) as service:
        await leading(service)

        async def asked() -> bool:
            return bool(await live_store.clips.of_incident(IncidentId("incident-1")))

        await until(asked)


async def test_a_merge_that_a_leader_died_over_is_thought_of_by_the_next(
    live_store: Store, bus: Bus
) -> None:
    one, two = await two_calls(live_store, bus)
    await merge(live_store, one, two)
    async with running(live_store, bus) as service:
        await leading(service)

        async def told() -> bool:
            return bool(await regroupings_told(live_store, one.id))

        await until(told)


async def test_a_split_in_the_middle_of_a_decision_is_thought_of(
    live_store: Store, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    near = LonLat(CENTRE.lon + 0.0002, CENTRE.lat)
    async with running(live_store, bus) as service:
        await leading(service)
        await live_store.reports.accept(call_bodies(1))  # type: ignore[arg-type]
        await live_store.reports.accept(call_bodies(2, near))  # type: ignore[arg-type]
        await decided(service, 4)
        (one,) = (await live_store.snapshot()).incidents
        loop, decide = asyncio.get_running_loop(), Mind.decide
        split: list[IncidentId] = []

        async def part() -> None:
            _, new = await live_store.regrouping.split(
                one.id,
                call_ids=[CallId("call-2")],
                actor="sari",
                version=one.version,
                reason="dua kejadian",
            )
            split.append(new.id)

        def meanwhile(mind: Mind, reports: Sequence[Report], budget_s: float) -> Any:
            outcomes = decide(mind, reports, budget_s)
            if not split:
                asyncio.run_coroutine_threadsafe(part(), loop).result(20)
            return outcomes

        monkeypatch.setattr(Mind, "decide", meanwhile)
        await live_store.reports.accept(call_bodies(3))  # type: ignore[arg-type]
        await decided(service, 6)
        assert await regroupings_told(live_store, split[0]) == 1


async def test_what_ended_by_itself_goes_on_in_sight_when_more_is_heard_of_it(
    store: Store, clock: HeldClock
) -> None:
    writer, one = Writer(store), IncidentId("incident-1")
    await writer.apply(a_detection(1), found(one, "report-detection-1", probability=0.02))
    clock.advance(3600)
    assert await store.fusion.expire(clock.now() - timedelta(minutes=1), fencing=1) == 1
    await writer.apply(a_detection(2), updated(one, "report-detection-1", "report-detection-2"))
    (shown,) = (await store.snapshot()).incidents
    assert (shown.state, shown.closed_at, shown.reason) == (IncidentState.DETECTED, None, "")
    assert shown.created_at == START


async def test_what_is_in_hand_while_the_database_is_locked_comes_as_soon_as_it_is_not(
    sqlite_url: str, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "LONGEST_WAIT_S", 0.2)
    store = await Store.open(sqlite_url, SystemClock())
    await store.cameras.save(camera(1), actor="budi", version=None)
    path = sqlite_url.removeprefix("sqlite+aiosqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None)) as other, capture_logs() as lines:
        async with running(store, bus) as service:
            await leading(service)
            other.execute("BEGIN IMMEDIATE")
            await bus.publish(DETECTIONS, detection(1))

            async def refused() -> bool:
                return any(line["event"].startswith("the database takes") for line in lines)

            await until(refused)
            other.execute("ROLLBACK")
            # What a dead consumer had would come after 15 s.
            await decided(service, 1, seconds=10)
    await store.close()
