from datetime import timedelta

import pytest

from contracts import Hazard, IncidentAction, IncidentId, LogKind, LonLat
from incidents import migrations
from incidents.database import Database
from incidents.errors import NotFound
from incidents.keeping.archive import Extent
from incidents.store import Store
from plumbing.clock import HeldClock
from tests.incidents.make import detection, found, updated
from tests.incidents.writer import Writer
from tests.support.store import START

ONE, TWO, THREE = (IncidentId(f"incident-{number}") for number in (1, 2, 3))
EAST = LonLat(107.05, -6.20)


@pytest.fixture
async def writer(any_store: Store) -> Writer:
    """One in the centre, one in the east an hour later, and an exercise."""
    writer = Writer(any_store)
    await writer.apply(detection(1), found(ONE, "report-detection-1"))
    later = START + timedelta(hours=1)
    await writer.apply(
        detection(2, track=2),
        found(TWO, "report-detection-2", place=EAST, hazard=Hazard.FLOOD, started_at=later),
    )
    await writer.apply(
        detection(3, track=3, exercise=True), found(THREE, "report-detection-3", exercise=True)
    )
    return writer


async def ids(store: Store, extent: Extent) -> list[str]:
    page = await store.archive.page(extent, exercise=False)
    return [incident.id for incident in page.incidents]


async def test_a_box_finds_what_lies_in_it(any_store: Store, writer: Writer) -> None:
    assert await ids(any_store, Extent()) == [TWO, ONE]
    assert await ids(any_store, Extent(west_south_east_north=(107.0, -6.3, 107.1, -6.1))) == [TWO]
    assert await ids(any_store, Extent(west_south_east_north=(107.1, -6.3, 107.0, -6.1))) == [ONE]
    assert await ids(any_store, Extent(west_south_east_north=(-6.3, 106.9, -6.1, 107.1))) == []


async def test_a_time_finds_what_was_going_on(
    any_store: Store, writer: Writer, clock: HeldClock
) -> None:
    clock.advance(1800)
    await any_store.incidents.act(
        ONE, IncidentAction.REJECT, actor="sari", version=1, reason="lampu"
    )
    soon, half = START + timedelta(minutes=10), START + timedelta(minutes=45)
    assert await ids(any_store, Extent(since=soon)) == [TWO, ONE]
    assert await ids(any_store, Extent(since=half)) == [TWO]
    assert await ids(any_store, Extent(until=half)) == [ONE]
    assert await ids(any_store, Extent(since=half, until=half)) == []


async def test_pages_and_partitions(any_store: Store, writer: Writer) -> None:
    first = await any_store.archive.page(exercise=False, limit=1)
    assert [one.id for one in first.incidents] == [TWO]
    second = await any_store.archive.page(exercise=False, limit=1, before=first.next)
    assert [one.id for one in second.incidents] == [ONE]
    assert second.next is None
    exercises = await any_store.archive.page(exercise=True)
    assert [one.id for one in exercises.incidents] == [THREE]


async def test_an_incident_s_history(any_store: Store, writer: Writer, clock: HeldClock) -> None:
    clock.advance(5)
    await writer.apply(detection(4), updated(ONE, "report-detection-4", hazard=Hazard.CRASH))
    clock.advance(5)
    verified = await any_store.incidents.act(ONE, IncidentAction.VERIFY, actor="sari", version=2)
    told = await any_store.archive.history(ONE)
    assert [(one.kind, one.detail, one.hazard) for one in told] == [
        (LogKind.INCIDENT_FOUNDED, "", Hazard.FIRE),
        (LogKind.INCIDENT_UPDATED, "", Hazard.CRASH),
        (LogKind.INCIDENT_ACTED, "verify", Hazard.CRASH),
    ]
    assert told[-1].recorded_at == clock.now()
    assert await any_store.archive.as_told(told[-1].seq) == verified
    for missing in (any_store.archive.history(IncidentId("no")), any_store.archive.as_told(99)):
        with pytest.raises(NotFound):
            await missing


async def test_what_was_lately_decided(any_store: Store, writer: Writer, clock: HeldClock) -> None:
    clock.advance(60)
    for version in (1, 2):
        await any_store.incidents.act(
            ONE, IncidentAction.NOTE, actor="sari", version=version, note="?"
        )
    assert await any_store.archive.lately_decided(START, exercise=False, limit=9) == []
    for action in (IncidentAction.ACKNOWLEDGE, IncidentAction.VERIFY):
        version = (await any_store.incidents.get(TWO)).version
        await any_store.incidents.act(TWO, action, actor="sari", version=version)
    assert await any_store.archive.lately_decided(START, exercise=False, limit=9) == [TWO]
    assert await any_store.archive.lately_decided(START, exercise=True, limit=9) == []
    after = clock.now() + timedelta(seconds=1)
    assert await any_store.archive.lately_decided(after, exercise=False, limit=9) == []


async def test_incidents_of_before_get_their_place_and_time(any_url: str, clock: HeldClock) -> None:
    store = await Store.open(any_url, clock)
    writer = Writer(store)
    await writer.apply(detection(1), found(ONE, "report-detection-1", place=EAST))
    clock.advance(60)
    await store.incidents.act(ONE, IncidentAction.CANCEL, actor="sari", version=1, reason="-")
    box = Extent(west_south_east_north=(107.0, -6.3, 107.1, -6.1), since=START, until=START)
    before = await store.archive.page(box, exercise=False)
    await store.close()
    database = await Database.open(any_url, clock)
    async with database.changing() as connection:
        await connection.run_sync(migrations.downgrade, "0002")
        await connection.run_sync(migrations.upgrade)
    await database.close()
    again = await Store.open(any_url, clock)
    assert await again.archive.page(box, exercise=False) == before
    ended = Extent(since=clock.now() + timedelta(seconds=1))
    assert (await again.archive.page(ended, exercise=False)).incidents == ()
    assert len(before.incidents) == 1
    await again.close()
