from contracts import AlarmLevel, Hazard, LogKind
from incidents.fusing.application import Outcome
from incidents.log import LogFilter
from incidents.store import Store
from tests.incidents.make import PLAIN, call, camera, detection, found, health


async def fill(store: Store) -> None:
    """Seven entries: two cameras, a health, a real call, an exercise's, two incidents."""
    await store.cameras.save(camera(1), actor="budi", version=None)
    await store.cameras.save(camera(2, exercise=True), actor="budi", version=None)
    await store.cameras.record_health(health(1))
    await store.reports.accept([call(1), call(2, exercise=True), detection(1), detection(2)])
    reports = (await store.reports.after(0))[2:]
    decisions = [
        found("incident-fire", reports[0].id),
        found("incident-flood", reports[1].id, hazard=Hazard.FLOOD, probability=0.02),
    ]
    await store.fusion.claim(1)
    await store.fusion.apply(
        [Outcome(report, (one,)) for report, one in zip(reports, decisions, strict=True)],
        fencing=1,
        known_seq=await store.log.last_seq(),
        enrichment=PLAIN,
    )


async def test_filters_let_through_what_they_say_and_the_numbers_stay(any_store: Store) -> None:
    await fill(any_store)

    async def seen(**only: object) -> list[int]:
        return [e.seq for e in await any_store.log.after(0, only=LogFilter(**only))]  # type: ignore[arg-type]

    assert await seen() == [1, 2, 3, 4, 5, 6, 7]
    assert await seen(exercise=True) == [2, 5]
    assert await seen(exercise=False) == [1, 3, 4, 6, 7]
    assert await seen(kinds=frozenset({LogKind.CAMERA_SAVED})) == [1, 2]
    assert await seen(hazards=frozenset({Hazard.FLOOD})) == [1, 2, 3, 4, 5, 7]
    assert await seen(levels=frozenset({AlarmLevel.ALARM})) == [1, 2, 3, 4, 5, 6]
    assert await seen(subject_ids=frozenset({"camera-1"})) == [1, 3]
    assert await seen(
        kinds=frozenset({LogKind.INCIDENT_FOUNDED}),
        levels=frozenset({AlarmLevel.CANDIDATE, AlarmLevel.SIGNAL}),
    ) == [7]


async def test_a_cursor_takes_up_where_it_stopped(any_store: Store) -> None:
    await fill(any_store)
    whole = await any_store.log.after(0)
    assert await any_store.log.after(0, limit=3) == whole[:3]
    assert await any_store.log.after(3, limit=3) == whole[3:6]
    assert await any_store.log.after(whole[-1].seq) == []


async def test_the_ends_of_the_log(any_store: Store) -> None:
    assert (await any_store.log.oldest_seq(), await any_store.log.last_seq()) == (1, 0)
    await fill(any_store)
    assert (await any_store.log.oldest_seq(), await any_store.log.last_seq()) == (1, 7)
