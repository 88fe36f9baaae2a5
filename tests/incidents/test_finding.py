import random
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from sqlalchemy import select

from contracts import AgencyId, AlarmLevel, Hazard, Incident, IncidentId, IncidentState, LonLat
from incidents import migrations
from incidents.finding import Asked, find_numbers, find_page
from incidents.rows import add_row, change_row
from incidents.store import Store
from incidents.tables import IncidentWordRow
from incidents.words import words_of
from tests.incidents.make import estimate, incident
from tests.support.store import START

T = TypeVar("T")

AREAS = ("Bekasi Utara", "Rawalumbu", "Pondok Gede")
GROUPS = ("Timur", "Barat")
AGENCIES = (AgencyId("damkar"), AgencyId("bpbd"))


def drawn(chance: random.Random, number: int) -> Incident:
    """Some began long before they were founded, some last for days, some are open."""
    at = START + timedelta(hours=number)
    is_open = chance.random() < 0.3
    place = LonLat(106.99 + chance.uniform(-0.1, 0.1), -6.24 + chance.uniform(-0.1, 0.1))
    return replace(
        incident(IncidentState.DETECTED if is_open else IncidentState.CLOSED),
        id=IncidentId(f"inc-{number}"),
        level=chance.choice(list(AlarmLevel)),
        created_at=at,
        place_name=chance.choice(AREAS),
        camera_groups=tuple(chance.sample(GROUPS, chance.randrange(3))),
        agency_ids=tuple(chance.sample(AGENCIES, chance.randrange(3))),
        closed_at=None if is_open else at + timedelta(hours=chance.choice((1, 20, 90))),
        estimate=replace(
            estimate(),
            hazard=chance.choice((Hazard.FIRE, Hazard.FLOOD, Hazard.CRASH)),
            location=place,
            exercise=chance.random() < 0.2,
            started_at=at - timedelta(hours=chance.choice((0, 1, 70))),
        ),
    )


def question(chance: random.Random) -> Asked:
    def some(values: tuple[T, ...], share: float = 0.3) -> frozenset[T] | None:
        if chance.random() > share:
            return None
        return frozenset(chance.sample(values, chance.randrange(len(values) + 1)))

    west, south = 106.99 + chance.uniform(-0.1, 0.1), -6.24 + chance.uniform(-0.1, 0.1)
    size = chance.choice((0.003, 0.05, 0.15, 3.0))
    across = (170.0, -90.0, 107.0, 90.0)
    since = START + timedelta(hours=chance.uniform(-30, 130))
    return Asked(
        is_open=chance.choice((None, None, True, False)),
        exercise=chance.choice((None, True, False)),
        hazards=some(tuple(Hazard)),
        levels=some(tuple(AlarmLevel)),
        areas=some((*AREAS, "Nowhere")),
        agencies=some((*AGENCIES, AgencyId("nobody"))),
        groups=some((*GROUPS, "Utara")),
        box=chance.choice((None, None, (west, south, west + size, south + size), across)),
        since=chance.choice((None, since)),
        until=chance.choice((None, since + timedelta(hours=chance.choice((0, 5, 60))))),
    )


def fits(asked: Asked, one: Incident) -> bool:
    """The law, said plainly."""
    lon, lat = one.estimate.location.lon, one.estimate.location.lat
    if asked.box is not None:
        west, south, east, north = asked.box
        inside = west <= lon <= east if west <= east else lon >= west or lon <= east
        if not (inside and south <= lat <= north):
            return False
    groups = set(one.camera_groups)
    return (
        (asked.is_open is None or one.state.is_open == asked.is_open)
        and (asked.exercise is None or one.estimate.exercise == asked.exercise)
        and (asked.hazards is None or one.hazard in asked.hazards)
        and (asked.levels is None or one.level in asked.levels)
        and (asked.areas is None or one.place_name in asked.areas)
        and (asked.agencies is None or bool(set(one.told_agencies) & asked.agencies))
        and (asked.groups is None or not groups or bool(groups & asked.groups))
        and (asked.since is None or one.closed_at is None or one.closed_at >= asked.since)
        and (asked.until is None or one.estimate.started_at <= asked.until)
    )


async def filled(store: Store, chance: random.Random) -> list[Incident]:
    incidents = [drawn(chance, number) for number in range(100)]
    async with store._database.changing() as connection:
        for number, one in enumerate(incidents):
            more = {"guard_version": 1, "acted_seq": 0, "told_at": START}
            await add_row(connection, one, founded_seq=number + 1, **more)
        for number in range(0, 100, 7):
            # What has changed is found by what it is now.
            changed = drawn(chance, number)
            await change_row(connection, incidents[number], changed)
            incidents[number] = changed
    return incidents


async def test_what_fits_is_found_newest_first_page_by_page(any_store: Store) -> None:
    chance = random.Random(1)  # noqa: S311 - no secret
    incidents = await filled(any_store, chance)
    found_some = 0
    for _ in range(100):
        asked = question(chance)
        fitting = [n for n in range(100, 0, -1) if fits(asked, incidents[n - 1])]
        found_some += bool(fitting)
        async with any_store._database.reading() as connection:
            assert await find_numbers(connection, asked, before=None, limit=1000) == fitting, asked
            told: list[str] = []
            before = None
            while True:
                page = await find_page(connection, asked, before=before, limit=7)
                told += [one.id for one in page.incidents]
                if (before := page.next) is None:
                    break
        assert told == [f"inc-{number - 1}" for number in fitting]
    assert found_some > 30


async def test_what_was_there_before_is_found_after_a_migration(any_store: Store) -> None:
    chance = random.Random(2)  # noqa: S311 - no secret
    incidents = await filled(any_store, chance)
    async with any_store._database.changing() as connection:
        await connection.run_sync(migrations.downgrade, "0010")
        await connection.run_sync(migrations.upgrade)
        rows = (await connection.execute(select(IncidentWordRow))).all()
    assert {(row.word, row.founded_seq) for row in rows} == {
        (word, number + 1) for number, one in enumerate(incidents) for word in words_of(one)
    }
