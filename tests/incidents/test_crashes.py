"""``kill -9`` at any moment, then a restart: nothing that was accepted is missing or doubled."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import redis.asyncio
from sqlalchemy import select

from contracts import (
    Detection,
    Incident,
    LogKind,
    LonLat,
    Report,
    ReportBody,
    SourceKind,
    TrackId,
)
from incidents.fusing.mind import Mind
from incidents.rows import latest
from incidents.store import Store
from incidents.tables import IncidentRow
from plumbing.bus import DETECTIONS, Bus
from plumbing.clock import HeldClock, SystemClock
from plumbing.embedded_bus import EmbeddedBus
from plumbing.settings import Settings
from tests.incidents import make
from tests.incidents.forks import Forks
from tests.incidents.make import CENTRE, PLAIN, camera
from tests.incidents.running import now, until
from tests.incidents.test_database import chain
from tests.support.store import START

DEATHS = 20


def eventful(seed: int, count: int) -> list[ReportBody]:
    """Tracks of two cameras and calls around two places, in a random but repeatable order."""
    chance = random.Random(seed)  # noqa: S311 - a scenario, no secret
    at = now()
    places = [CENTRE, LonLat(CENTRE.lon + 0.004, CENTRE.lat + 0.003)]
    bodies: list[ReportBody] = []
    for number in range(count):
        if chance.random() < 0.3:
            place = chance.choice(places)
            near = LonLat(place.lon + chance.gauss(0, 3e-4), place.lat + chance.gauss(0, 3e-4))
            bodies.append(make.call(number, received_at=at))
            bodies.append(
                make.fix(number, call_number=number, place=near, received_at=at, positioned_at=at)
            )
        else:
            bodies.append(
                make.detection(
                    number,
                    camera=chance.randint(1, 2),
                    track_id=TrackId(f"track-{chance.randint(1, 6)}"),
                    llr=chance.uniform(-2, 8),
                    captured_at=at + timedelta(seconds=number / 5),
                    received_at=at,
                    started_at=at,
                )
            )
    return bodies


async def feed(bodies: Iterable[ReportBody], store: Store, bus: Bus) -> None:
    """Calls through the database, as the API does; detections over the bus, as workers do."""
    for body in bodies:
        if isinstance(body, Detection):
            await bus.publish(DETECTIONS, body)
        else:
            await store.reports.accept([body])
        await asyncio.sleep(0.04)


@pytest.mark.timeout(300)
async def test_whenever_fusion_dies_the_outcome_is_the_undisturbed_one(
    sqlite_url: str,
    tmp_path: Path,
    forks: Forks,
    shared_server: EmbeddedBus,
    namespace: str,
) -> None:
    chance = random.Random(20261122)  # noqa: S311 - a scenario, no secret
    bodies = eventful(7, 110)
    store = await Store.open(sqlite_url, SystemClock())
    for number in (1, 2):
        await store.cameras.save(camera(number), actor="budi", version=None)
    server = redis.asyncio.Redis.from_url(shared_server.url)
    async with Bus(shared_server.url, namespace) as bus:
        feeding = asyncio.create_task(feed(bodies, store, bus))
        died_at: list[int] = []
        for _ in range(DEATHS):
            pid = forks.start("fuse", sqlite_url, shared_server.url, namespace)
            # Anywhere between its first breath and its twelfth report.
            enough = await store.fusion.progress() + chance.randint(0, 12)
            for _ in range(100):
                if await store.fusion.progress() >= min(enough, len(bodies)):
                    break
                await asyncio.sleep(0.02)
            await asyncio.sleep(chance.uniform(0, 0.1))
            forks.kill(pid)
            died_at.append(await store.fusion.progress())
            # As if the dead one's lease had lapsed: waiting for it each time takes too long.
            await server.delete(f"{namespace}:lease:fusion")
        await feeding
        pid = forks.start("fuse", sqlite_url, shared_server.url, namespace)

        async def all_decided() -> bool:
            return await store.fusion.progress() == len(bodies)

        await until(all_decided)
        forks.kill(pid)
    await server.aclose()
    # The test is one only if fusion died in the middle of its work.
    assert len(set(died_at)) > DEATHS / 3

    reports = await store.reports.after(0, limit=10_000)
    assert sorted(report.id for report in reports) == sorted(body.id for body in bodies)
    assert await store.reports.set_aside() == []
    entries = await store.log.after(0, limit=10_000)
    chain(entries)
    told: dict[str, Incident] = {}
    for entry in entries:
        if isinstance(entry.subject, Incident):
            before = told.get(entry.subject_id)
            assert entry.subject.version == (before.version + 1 if before else 1)
            told[entry.subject_id] = entry.subject
    assert {one.id: one for one in (await store.snapshot()).incidents} == {
        key: one for key, one in told.items() if one.state.is_open
    }
    assert await outcome(store) == await undisturbed(reports, tmp_path)
    await store.close()


async def test_a_writer_that_sleeps_through_its_lease_is_replaced_and_writes_no_more(
    sqlite_url: str, forks: Forks, shared_server: EmbeddedBus, namespace: str
) -> None:
    store = await Store.open(sqlite_url, SystemClock())
    await store.cameras.save(camera(1), actor="budi", version=None)

    async def decided_to(seq: int) -> None:
        async def look() -> bool:
            return await store.fusion.progress() >= seq

        await until(look)

    async def accept(start: int) -> None:
        await store.reports.accept(
            [make.detection(number, llr=3.0) for number in range(start, start + 20)]
        )

    sleeper = forks.start("fuse", sqlite_url, shared_server.url, namespace)
    await accept(0)
    await decided_to(20)
    await asleep(sleeper, sqlite_url)
    fencing = await store.fusion.fencing()
    await accept(20)
    standby = forks.start("fuse", sqlite_url, shared_server.url, namespace)
    await decided_to(40)
    assert await store.fusion.fencing() > fencing
    os.kill(sleeper, signal.SIGCONT)
    await accept(40)
    await decided_to(60)
    forks.kill(standby)
    # The one that slept is a standby now, and takes over in its turn.
    await accept(60)
    await decided_to(80)
    forks.kill(sleeper)
    chain(await store.log.after(0, limit=1_000))
    memory = await store.fusion.remember(now() - timedelta(days=1))
    assert len(memory.assignment) == 80
    assert len(set(memory.assignment.values())) == 1
    founded = [e for e in await store.log.after(0) if e.kind is LogKind.INCIDENT_FOUNDED]
    assert len(founded) == 1
    await store.close()


async def asleep(pid: int, sqlite_url: str) -> None:
    """Suspend a process between two of its transactions: in one it would keep the database."""
    file = sqlite_url.split(":///", 1)[1]
    for _ in range(200):
        os.kill(pid, signal.SIGSTOP)
        try:
            with closing(sqlite3.connect(file, timeout=0.5, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                other.execute("ROLLBACK")
        except sqlite3.OperationalError:
            os.kill(pid, signal.SIGCONT)
            await asyncio.sleep(0.05)
        else:
            return
    raise AssertionError("it is always in a transaction")


async def outcome(store: Store) -> dict[str, object]:
    """Everything that fusion's work came to, as far as it doesn't depend on the hour."""
    memory = await store.fusion.remember(now() - timedelta(days=1))
    found: dict[str, object] = {"assignment": dict(memory.assignment)}
    async with store._database.reading() as connection:
        for row in await connection.execute(select(IncidentRow)):
            one = latest(row)
            # Who leads looks again at once, and counts the calls that should have come by then. The
            # probability is the sum of what is left and of that.
            told = tuple(
                share
                for share in one.estimate.contributions
                if share.source is not SourceKind.CALL_COUNT
            )
            estimate = replace(
                one.estimate, last_report_at=START, contributions=told, probability=0.0
            )
            found[one.id] = (one.state, one.duplicate_of, one.level, estimate)
    return found


async def undisturbed(reports: Sequence[Report], tmp_path: Path) -> dict[str, object]:
    """The same reports in the same order and at the same times, by one process that nobody
    kills.
    """
    clock = HeldClock(reports[0].recorded_at)
    store = await Store.open(f"sqlite:///{tmp_path / 'undisturbed.sqlite3'}", clock)
    settings = Settings()
    mind = Mind(settings.city, settings.fusion)
    mind.rebuild(None, [camera(1), camera(2)])
    await store.fusion.claim(1)
    for told in reports:
        clock.advance((told.recorded_at - clock.now()).total_seconds())
        await store.reports.accept([told.body])
    again = await store.reports.after(0, limit=10_000)
    assert [one.recorded_at for one in again] == [one.recorded_at for one in reports]
    for report in again:
        (one,) = mind.decide([report], 1.0)
        assert not one.problem
        await store.fusion.apply([one], fencing=1, known_seq=0, enrichment=PLAIN)
    found = await outcome(store)
    await store.close()
    return found
