"""All readers hear how loaded the desk is, when it matters, and once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from contracts import AlarmGroup, AlarmLevel, DeskLoad, Hazard, LogKind, LonLat
from incidents.errors import FencedOff
from incidents.fusing.burden import PAUSE, is_news
from incidents.log import LogFilter
from incidents.store import Store
from plumbing.bus import Bus
from plumbing.clock import SystemClock
from tests.incidents import make
from tests.incidents.make import CENTRE
from tests.incidents.running import leading, now, running, until
from tests.support.store import START

CALM = DeskLoad(
    at=START,
    alarms_last_ten_minutes=2,
    alarms_last_hour=4,
    budget_per_hour=6.0,
    odds_factor=1.0,
    odds_bound=8.0,
    flood_since=None,
    groups=(),
    chattering=(),
)
FIRES = AlarmGroup(hazard=Hazard.FIRE, place_name="Bekasi Timur", count=11)
FLOOD = replace(CALM, flood_since=START, groups=(FIRES,), odds_factor=2.0)
LOADS = LogFilter(kinds=frozenset({LogKind.DESK_LOAD}))


@pytest.fixture
async def store(sqlite_url: str) -> AsyncIterator[Store]:
    opened = await Store.open(sqlite_url, SystemClock())
    yield opened
    await opened.close()


def test_a_calm_desk_is_no_news() -> None:
    assert not is_news(None, CALM)
    assert not is_news(CALM, replace(CALM, alarms_last_hour=5, at=START + PAUSE))


def test_a_flood_is_told_at_once_when_it_begins_and_when_it_ends() -> None:
    assert is_news(None, FLOOD) and is_news(CALM, FLOOD) and is_news(FLOOD, CALM)


def test_what_a_flood_is_made_of_is_told_now_and_then() -> None:
    more = replace(FLOOD, groups=(replace(FIRES, count=12),))
    assert not is_news(FLOOD, replace(more, at=START + PAUSE / 2))
    assert is_news(FLOOD, replace(more, at=START + PAUSE))


@pytest.mark.parametrize(
    "change",
    [{"odds_factor": 1.5}, {"chattering": (FIRES,)}],
)
def test_what_is_held_back_is_told(change: dict[str, object]) -> None:
    changed = replace(CALM, at=START + PAUSE, **change)  # type: ignore[arg-type]
    assert is_news(CALM, changed) and is_news(None, changed)
    assert is_news(changed, replace(CALM, at=changed.at + PAUSE))


async def test_only_the_writer_tells(any_store: Store) -> None:
    await any_store.fusion.claim(2)
    with pytest.raises(FencedOff):
        await any_store.desk_loads.tell(FLOOD, fencing=1)
    assert await any_store.desk_loads.last() is None
    await any_store.desk_loads.tell(FLOOD, fencing=2)
    await any_store.desk_loads.tell(CALM, fencing=2)
    assert await any_store.desk_loads.last() == CALM
    assert (await any_store.snapshot()).desk_load == CALM


async def test_a_flood_of_calls_is_announced_and_outlives_its_leader(
    store: Store, bus: Bus
) -> None:
    async def flood() -> DeskLoad | None:
        load = await store.desk_loads.last()
        return load if load is not None and load.flood_since is not None else None

    async with running(store, bus) as service:
        await leading(service)
        for number in range(1, 13):
            at = now()
            place = LonLat(CENTRE.lon + 0.02 * number, CENTRE.lat)
            await store.reports.accept(
                [
                    make.call(number, received_at=at),
                    make.fix(
                        number,
                        call_number=number,
                        place=place,
                        received_at=at,
                        positioned_at=at,
                    ),
                ]
            )
        first = await until(flood)
        # The eleventh begins it; the twelfth may be decided about in the same go.
        assert first.alarms_last_ten_minutes in (11, 12) and first.odds_factor > 1
        assert sum(group.count for group in first.groups) == first.alarms_last_ten_minutes
    sounded = await store.desk_loads.alarms_since(now() - timedelta(hours=1))
    assert {incident.level for incident, _ in sounded} == {AlarmLevel.ALARM}
    told = await store.log.after(0, 500, LOADS)
    async with running(store, bus) as service:
        await leading(service)
        # A leader that had begun from an unburdened desk would tell that the flood is over.
        seq = (await store.reports.accept([make.call(20, received_at=now())]))[0].report.seq

        async def decided() -> bool:
            return service.counts.decided_to >= seq

        await until(decided)
    assert await flood() is not None
    assert len(await store.log.after(0, 500, LOADS)) <= len(told) + 1
