"""Incidents merged and split by people, and what is shelved: fusion follows the desk."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from sqlalchemy import select

from contracts import (
    AlarmLevel,
    CallId,
    CameraId,
    ContractError,
    Hazard,
    Incident,
    IncidentAction,
    IncidentId,
    IncidentState,
    LonLat,
    Shelf,
    ShelfId,
)
from incidents.desk import DeskRules
from incidents.errors import IllegalStep, VersionConflict
from incidents.store import Store
from incidents.tables import ReportRow
from plumbing.bus import Bus
from plumbing.clock import HeldClock, SystemClock
from plumbing.settings import RoutingSettings
from tests.incidents import make
from tests.incidents.make import CENTRE, camera, estimate, incident
from tests.incidents.running import leading, now, running, until

FAR = LonLat(CENTRE.lon + 0.02, CENTRE.lat)


@pytest.fixture
async def live_store(any_url: str) -> AsyncIterator[Store]:
    """A store on the machine's own clock, with a camera that looks at the centre."""
    opened = await Store.open(any_url, SystemClock())
    await opened.cameras.save(camera(1), actor="budi", version=None)
    yield opened
    await opened.close()


@asynccontextmanager
async def fusing(store: Store, bus: Bus) -> AsyncIterator[None]:
    async with running(store, bus) as service:
        await leading(service)
        yield


async def report_call(store: Store, number: int, place: LonLat = CENTRE) -> None:
    at = now()
    await store.reports.accept(
        [
            make.call(number, received_at=at),
            make.fix(number, call_number=number, place=place, received_at=at, positioned_at=at),
        ]
    )


async def report_fix(store: Store, number: int, call: int, place: LonLat = CENTRE) -> None:
    at = now()
    await store.reports.accept(
        [make.fix(number, call_number=call, place=place, received_at=at, positioned_at=at)]
    )


async def open_incidents(
    store: Store, holds: Callable[[tuple[Incident, ...]], bool]
) -> tuple[Incident, ...]:
    async def look() -> tuple[Incident, ...] | None:
        found = (await store.incidents.page(is_open=True)).incidents
        return found if holds(found) else None

    return await until(look)


async def when(
    store: Store, incident_id: IncidentId, holds: Callable[[Incident], bool]
) -> Incident:
    async def look() -> Incident | None:
        one = await store.incidents.get(incident_id)
        return one if holds(one) else None

    return await until(look)


async def belongs_to(store: Store, report_id: str, incident_id: IncidentId) -> None:
    """Wait until fusion has put a report there; anywhere else is a failure."""

    async def look() -> str | None:
        async with store._database.reading() as connection:
            found: str | None = await connection.scalar(
                select(ReportRow.incident_id).where(ReportRow.id == report_id)
            )
        return found

    assert await until(look) == incident_id


async def two_calls(store: Store) -> tuple[Incident, Incident]:
    """Two fires, 2 km apart, each of one call."""
    await report_call(store, 1)
    await report_call(store, 2, FAR)
    found = await open_incidents(store, lambda all_of: len(all_of) == 2)
    first, second = sorted(found, key=lambda one: one.estimate.call_ids)
    return first, second


async def test_a_merge_by_a_person_stands_and_fusion_thinks_of_both(
    live_store: Store, bus: Bus
) -> None:
    async with fusing(live_store, bus):
        first, second = await two_calls(live_store)
        merged = await live_store.regrouping.merge(
            first.id,
            second.id,
            actor="ani",
            version=first.version,
            other_version=second.version,
            reason="one warehouse, seen from both sides",
        )
        assert set(merged.estimate.call_ids) == {"call-1", "call-2"}
        gone = await live_store.incidents.get(second.id)
        assert (gone.state, gone.duplicate_of) == (IncidentState.DUPLICATE, first.id)
        # What fusion thinks of both is more than the sum of two lists.
        thought = await when(live_store, first.id, lambda one: one.version > merged.version)
        assert set(thought.estimate.call_ids) == {"call-1", "call-2"}
        # A later report of either caller goes where people have put it, and nothing comes apart.
        await report_fix(live_store, 3, 2, FAR)
        await belongs_to(live_store, "report-fix-3", first.id)
        open_ones = (await live_store.incidents.page(is_open=True)).incidents
        assert [one.id for one in open_ones] == [first.id]


async def test_a_split_by_a_person_stands_and_each_half_has_its_own_place(
    live_store: Store, bus: Bus
) -> None:
    async with fusing(live_store, bus):
        await report_call(live_store, 1)
        await report_call(live_store, 2)
        (one,) = await open_incidents(
            live_store, lambda found: any(len(each.estimate.call_ids) == 2 for each in found)
        )
        left, new = await live_store.regrouping.split(
            one.id,
            call_ids=[CallId("call-2")],
            actor="ani",
            version=one.version,
            reason="two kitchens in one street",
        )
        assert left.estimate.call_ids == ("call-1",)
        assert new.estimate.call_ids == ("call-2",)
        assert new.state is IncidentState.ACKNOWLEDGED
        await when(live_store, new.id, lambda half: half.version > new.version)
        # What the second caller adds belongs to the new one from now on.
        await report_fix(live_store, 3, 2)
        await belongs_to(live_store, "report-fix-3", new.id)
        assert (await live_store.incidents.get(one.id)).estimate.call_ids == ("call-1",)


async def test_regrouping_needs_the_versions_looked_at_a_reason_and_something_to_move(
    live_store: Store, bus: Bus
) -> None:
    async with fusing(live_store, bus):
        first, second = await two_calls(live_store)
        await live_store.incidents.act(
            second.id, IncidentAction.ACKNOWLEDGE, actor="budi", version=second.version
        )
        with pytest.raises(VersionConflict):
            await live_store.regrouping.merge(
                first.id,
                second.id,
                actor="ani",
                version=first.version,
                other_version=second.version,
                reason="same",
            )
        for calls in ((), ("call-1",), ("nobody",)):
            with pytest.raises(ContractError) as refused:
                await live_store.regrouping.split(
                    first.id,
                    call_ids=[CallId(one) for one in calls],
                    actor="ani",
                    version=first.version,
                    reason="why",
                )
            assert refused.value.field == "call_ids"
        closed = await live_store.incidents.act(
            first.id, IncidentAction.REJECT, actor="ani", version=first.version, reason="no fire"
        )
        with pytest.raises(IllegalStep):
            await live_store.regrouping.merge(
                first.id,
                second.id,
                actor="ani",
                version=closed.version,
                other_version=second.version + 1,
                reason="same",
            )


async def test_a_repeated_merge_does_nothing_again(live_store: Store, bus: Bus) -> None:
    async with fusing(live_store, bus):
        first, second = await two_calls(live_store)
        for _ in range(2):
            merged = await live_store.regrouping.merge(
                first.id,
                second.id,
                actor="ani",
                version=first.version,
                other_version=second.version,
                reason="one",
                request_id="r1",
            )
        assert merged.version == first.version + 1


def test_what_is_shelved_is_told_quietly_unless_people_speak_of_it(clock: HeldClock) -> None:
    rules = DeskRules(RoutingSettings())
    seen = incident(estimate=estimate("r", camera_ids=("camera-1",)))
    assert rules.complete(seen).level is AlarmLevel.ALARM
    rules.note_shelf(
        Shelf(
            id=ShelfId("shelf-1"),
            camera_id=CameraId("camera-1"),
            hazard=None,
            reason="welding",
            actor="ani",
            since=clock.now(),
            until=clock.now() + timedelta(hours=1),
        )
    )
    quiet = rules.complete(seen)
    assert (quiet.level, quiet.shelved) == (AlarmLevel.CANDIDATE, True)
    called = incident(estimate=estimate("r", camera_ids=("camera-1",), call_ids=("call-1",)))
    assert rules.complete(called).level is AlarmLevel.ALARM
    two = incident(estimate=estimate("r", camera_ids=("camera-1", "camera-2")))
    assert rules.complete(two).level is AlarmLevel.ALARM
    clock.advance(3601)
    assert rules.drop_ended(clock.now())
    assert rules.complete(seen).level is AlarmLevel.ALARM


async def test_shelving_a_camera_quiets_its_alarm_and_ending_it_sounds_again(
    live_store: Store, bus: Bus
) -> None:
    async with fusing(live_store, bus):
        at = now()
        seen = make.detection(1, llr=14.0, captured_at=at, received_at=at, started_at=at)
        await live_store.reports.accept([seen])
        (loud,) = await open_incidents(
            live_store, lambda found: any(one.level is AlarmLevel.ALARM for one in found)
        )
        shelf = await live_store.shelves.put(
            camera_id=camera(1).id,
            hazard=Hazard.FIRE,
            reason="welding until six",
            until=now() + timedelta(hours=2),
            actor="ani",
        )
        quiet = await when(live_store, loud.id, lambda one: one.shelved)
        assert quiet.level is AlarmLevel.CANDIDATE
        await live_store.shelves.end(shelf.id, actor="ani")
        await when(live_store, loud.id, lambda one: one.level is AlarmLevel.ALARM)


async def test_what_was_shelved_sounds_when_its_time_is_over(
    store: Store, bus: Bus, clock: HeldClock
) -> None:
    await store.cameras.save(camera(1), actor="budi", version=None)

    async def shelve() -> None:
        await store.shelves.put(
            camera_id=camera(1).id,
            hazard=None,
            reason="welding",
            until=clock.now() + timedelta(seconds=30),
            actor="ani",
        )

    await shelve()
    async with running(store, bus, clock=clock):
        await store.reports.accept([make.detection(1, llr=14.0)])
        (quiet,) = await open_incidents(store, lambda found: bool(found))
        assert quiet.shelved
        clock.advance(31)
        await when(store, quiet.id, lambda one: one.level is AlarmLevel.ALARM)
        await shelve()
        await when(store, quiet.id, lambda one: one.shelved)
    # This one ends while nobody leads.
    clock.advance(31)
    async with running(store, bus, clock=clock):
        await when(store, quiet.id, lambda one: one.level is AlarmLevel.ALARM)
