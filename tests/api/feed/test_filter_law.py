"""One law for every reader: what a filter lets through in memory, as the feed asks, is what it lets
through in the database, as pages and resuming readers ask; and the chain of ``prev_seq`` over it
has no gap, wherever a reader begins and however often it comes back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.feed.channels import Channel
from api.wire import EncodedEntry, changes_message, encode_entry
from contracts import (
    AgencyId,
    AlarmLevel,
    Hazard,
    IncidentId,
    LogKind,
    Unit,
    UnitId,
)
from incidents.log import EVERYTHING, LogFilter, TaggedEntry
from incidents.store import Store
from incidents.tags import tag_of
from tests.incidents import make
from tests.support.store import START

NAMES = ("north", "North", "north east", "north_east", "north  east", "nor_h", "50%", "ñ", "a:b")
"""Names that a careless comparison takes for one another."""
SOME_NAMES = st.frozensets(st.sampled_from(NAMES), min_size=1, max_size=3)


def some_of(values: Sequence[object]) -> st.SearchStrategy[frozenset[object] | None]:
    return st.none() | st.frozensets(st.sampled_from(values), min_size=1, max_size=3)


FILTERS = st.builds(
    LogFilter,
    hazards=some_of(list(Hazard)),
    levels=some_of(list(AlarmLevel)),
    areas=st.none() | SOME_NAMES,
    agencies=st.none() | SOME_NAMES,
    groups=st.none() | SOME_NAMES,
    kinds=some_of([LogKind.INCIDENT_UPDATED, LogKind.CAMERA_SAVED, LogKind.UNIT_SAVED]),
    exercise=st.sampled_from([None, True, False]),
)


async def fill(store: Store) -> list[TaggedEntry]:
    """A log of all that filters look at, with each of the names; made once a database."""
    known, _ = await store.log.scan(0, 500)
    if known:
        return known
    for number, name in enumerate(NAMES * 3):
        other = NAMES[(number + 4) % len(NAMES)]
        exercise = number % 4 == 0
        estimate = replace(
            make.estimate("report-call-1"),
            hazard=list(Hazard)[number % len(Hazard)],
            exercise=exercise,
        )
        told = replace(
            make.incident(),
            id=IncidentId(f"incident-{number % 7}"),
            estimate=estimate,
            level=list(AlarmLevel)[number % len(AlarmLevel)],
            place_name=name,
            camera_groups=(name, other)[: number % 3],
            agency_ids=(AgencyId(name),),
            verified_at=START if number % 2 else None,
        )
        unit = Unit(id=UnitId(f"u-{number}"), agency_id=AgencyId(name), name="m")
        camera = make.camera(number, group=other)
        async with store._database.writing() as writing:
            writing.log(LogKind.INCIDENT_UPDATED, told, exercise=exercise)
            # By which something leaves a filter passes it, too.
            writing.log(
                LogKind.INCIDENT_ACTED,
                replace(told, place_name=other),
                exercise=exercise,
                before=told,
            )
            writing.log(LogKind.CAMERA_SAVED, camera, exercise=camera.exercise)
            writing.log(LogKind.UNIT_SAVED, unit, exercise=False)
    return (await store.log.scan(0, 500))[0]


LAW = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@LAW
@given(only=FILTERS, limit=st.integers(20, 90))
async def test_memory_and_database_let_the_same_through(
    any_store: Store, only: LogFilter, limit: int
) -> None:
    everything = await fill(any_store)
    passing = [one.entry.seq for one in everything if only.passes(one.entry, one.tags)]
    found: list[int] = []
    place, last = 0, everything[-1].entry.seq
    while place < last:
        page, place = await any_store.log.scan(place, limit, only)
        found += [one.entry.seq for one in page]
    assert found == passing
    assert [one.seq for one in await any_store.log.after(0, 500, only)] == passing


class Reader:
    """A follower that keeps what it is told, and is full now and then."""

    def __init__(self) -> None:
        self.told: list[dict[str, int]] = []
        self.can_take_more = True
        self.cursor = 0
        self.fell_behind_at: tuple[int, int] | None = None

    def offer(self, frame: bytes) -> bool:
        if self.can_take_more:
            message = json.loads(frame)
            self.told += message.get("items", [message])
        return self.can_take_more

    def fall_behind(self, cursor: int, told: int) -> None:
        self.fell_behind_at = (cursor, told)

    def overrun(self) -> None:
        raise AssertionError("nothing here is overrun")


@LAW
@given(only=FILTERS, growth=st.lists(st.tuples(st.integers(1, 30), st.booleans()), max_size=20))
async def test_the_chain_has_no_gap_however_a_reader_comes_and_goes(
    store: Store, only: LogFilter, growth: list[tuple[int, bool]]
) -> None:
    everything = await fill(store)
    encoded = [encode_entry(one.entry, one.tags) for one in everything]
    passing = [one.seq for one in encoded if only.passes(one, one.tags)]
    reader = Reader()
    channel = Channel(only, 0, lambda message: message)
    channel.join(reader, 0)
    place = 0
    for count, is_stalled in [*growth, (len(encoded), False)]:
        reader.can_take_more = not is_stalled
        channel.hand_over(encoded[place : place + count], place)
        place = min(place + count, len(encoded))
        if reader.fell_behind_at is not None:
            _catch_up(reader, only, encoded[:place])
            channel.join(reader, reader.told[-1]["seq"] if reader.told else 0)
    assert [one["seq"] for one in reader.told] == passing
    assert [one["prev_seq"] for one in reader.told] == [0, *passing][: len(passing)]


def _catch_up(reader: Reader, only: LogFilter, encoded: Sequence[EncodedEntry]) -> None:
    """As a connection does from the ring: from its place, with the last that it was told of."""
    assert reader.fell_behind_at is not None
    cursor, told = reader.fell_behind_at
    rest = [one for one in encoded if one.seq > cursor and only.passes(one, one.tags)]
    if rest:
        reader.can_take_more = True
        assert reader.offer(changes_message(rest, told))
    reader.fell_behind_at = None


@given(st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20))
def test_no_two_names_are_one_tag_and_none_ends_early(one: str, other: str) -> None:
    assert (tag_of("group", one) == tag_of("group", other)) is (one == other)
    assert tag_of("group", one).split() == [tag_of("group", one)]
    assert tag_of("area", "Bekasi Timur") == "area:Bekasi_Timur"


def test_a_filter_of_nothing_is_everything() -> None:
    assert LogFilter() == EVERYTHING
