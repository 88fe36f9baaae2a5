import asyncio

import pytest

from contracts import ContractError, Hazard, IncidentAction, IncidentId, IncidentState, LogKind
from incidents.errors import IllegalStep, NotFound, VersionConflict
from incidents.store import Store
from plumbing.clock import HeldClock
from tests.incidents.make import detection, found, updated
from tests.incidents.writer import Writer

A = IncidentAction
ONE, TWO = IncidentId("incident-1"), IncidentId("incident-2")


@pytest.fixture
async def writer(any_store: Store) -> Writer:
    """Two incidents, each of one detection."""
    writer = Writer(any_store)
    await writer.apply(detection(1), found(ONE, "report-detection-1"))
    await writer.apply(detection(2, track=2), found(TWO, "report-detection-2"))
    return writer


async def test_an_action_is_one_version_and_one_log_entry(
    any_store: Store, writer: Writer, clock: HeldClock
) -> None:
    clock.advance(4)
    after = await any_store.incidents.act(ONE, A.ACKNOWLEDGE, actor="sari", version=1)
    assert (after.state, after.version) == (IncidentState.ACKNOWLEDGED, 2)
    assert after.acknowledged_at == clock.now()
    assert await any_store.incidents.get(ONE) == after
    entry = (await any_store.log.after(0))[-1]
    assert (entry.kind, entry.actor, entry.detail) == (
        LogKind.INCIDENT_ACTED,
        "sari",
        "acknowledge",
    )
    assert entry.subject == after


async def test_of_two_operators_one_is_told_to_look_again(any_store: Store, writer: Writer) -> None:
    both = await asyncio.gather(
        any_store.incidents.act(ONE, A.VERIFY, actor="sari", version=1),
        any_store.incidents.act(ONE, A.REJECT, actor="budi", version=1, reason="lampu"),
        return_exceptions=True,
    )
    (conflict,) = [one for one in both if isinstance(one, VersionConflict)]
    (winner,) = [one for one in both if not isinstance(one, BaseException)]
    assert conflict.current == winner
    with pytest.raises(VersionConflict):
        await any_store.incidents.act(ONE, A.NOTE, actor="sari", version=99, note="?")


async def test_a_mere_refinement_takes_no_action_from_an_operator(
    any_store: Store, writer: Writer, clock: HeldClock
) -> None:
    clock.advance(2)
    await writer.apply(detection(3), updated(ONE, "report-detection-3", probability=0.95))
    assert (await any_store.incidents.get(ONE)).version == 2
    after = await any_store.incidents.act(ONE, A.VERIFY, actor="sari", version=1)
    assert (after.version, after.estimate.probability) == (3, 0.95)


async def test_another_hazard_is_no_mere_refinement(any_store: Store, writer: Writer) -> None:
    await writer.apply(detection(3), updated(ONE, "report-detection-3", hazard=Hazard.CRASH))
    with pytest.raises(VersionConflict) as conflict:
        await any_store.incidents.act(ONE, A.VERIFY, actor="sari", version=1)
    assert conflict.value.current == await any_store.incidents.get(ONE)


async def test_a_person_decides_on_the_newest_that_fusion_knows(
    any_store: Store, writer: Writer
) -> None:
    # Within the pause after its founding a refinement isn't told yet, but it is known.
    await writer.apply(detection(3), updated(ONE, "report-detection-3", probability=0.95))
    assert (await any_store.incidents.get(ONE)).estimate.probability == 0.9
    after = await any_store.incidents.act(ONE, A.ACKNOWLEDGE, actor="sari", version=1)
    assert after.estimate.probability == 0.95


async def test_refused_steps_leave_no_trace(any_store: Store, writer: Writer) -> None:
    before = await any_store.log.last_seq()
    refusals = [
        (IllegalStep, {"action": A.CLOSE}),
        (ContractError, {"action": A.REJECT}),
        (NotFound, {"incident_id": IncidentId("incident-9"), "action": A.VERIFY}),
        (
            NotFound,
            {"action": A.MARK_DUPLICATE, "duplicate_of": IncidentId("incident-9")},
        ),
    ]
    for error, asked in refusals:
        with pytest.raises(error):
            await any_store.incidents.act(
                **({"incident_id": ONE, "actor": "sari", "version": 1} | asked)  # type: ignore[arg-type]
            )
    assert await any_store.log.last_seq() == before
    assert (await any_store.incidents.get(ONE)).version == 1


async def test_duplicates_form_no_chains(any_store: Store, writer: Writer) -> None:
    act = any_store.incidents.act
    repeat = await act(ONE, A.MARK_DUPLICATE, actor="sari", version=1, duplicate_of=TWO)
    assert (repeat.state, repeat.duplicate_of) == (IncidentState.DUPLICATE, TWO)
    with pytest.raises(ContractError, match="itself a duplicate; name 'incident-2'"):
        await act(TWO, A.MARK_DUPLICATE, actor="sari", version=1, duplicate_of=ONE)


async def test_a_repeated_request_acts_once(any_store: Store, writer: Writer) -> None:
    async def note(request_id: str | None) -> int:
        after = await any_store.incidents.act(
            ONE, A.NOTE, actor="sari", version=1, note="ada saksi", request_id=request_id
        )
        return len(after.notes)

    assert await note("r-1") == 1
    assert await note("r-1") == 1
    with pytest.raises(VersionConflict):
        await note("r-2")
    assert len((await any_store.incidents.get(ONE)).notes) == 1


async def test_other_words_under_a_used_key_are_not_taken_for_a_repeat(
    any_store: Store, writer: Writer
) -> None:
    async def note(text: str, version: int) -> tuple[str, ...]:
        after = await any_store.incidents.act(
            ONE, A.NOTE, actor="sari", version=version, note=text, request_id="r-1"
        )
        return tuple(one.text for one in after.notes)

    assert await note("ada saksi", 1) == ("ada saksi",)
    with pytest.raises(VersionConflict):
        await note("dua korban", 1)
    assert await note("dua korban", 2) == ("ada saksi", "dua korban")


async def test_pages_and_filters(any_store: Store, writer: Writer) -> None:
    for number in range(3, 8):
        hazard = Hazard.FLOOD if number % 2 else Hazard.FIRE
        await writer.apply(
            detection(number, track=number),
            found(f"incident-{number}", f"report-detection-{number}", hazard=hazard),
        )
    await any_store.incidents.act(ONE, A.CANCEL, actor="sari", version=1, reason="salah")
    page = any_store.incidents.page

    first = await page(limit=4)
    rest = await page(limit=4, before=first.next)
    ids = [one.id for one in first.incidents + rest.incidents]
    assert ids == [f"incident-{number}" for number in range(7, 0, -1)]
    assert rest.next is None
    assert [one.id for one in (await page(is_open=False)).incidents] == [ONE]
    floods = (await page(hazards=[Hazard.FLOOD], is_open=True)).incidents
    assert [one.id for one in floods] == ["incident-7", "incident-5", "incident-3"]
    assert (await page(exercise=True)).incidents == ()
    assert len((await page(levels=[floods[0].level])).incidents) == 7


async def test_an_unknown_incident(store: Store) -> None:
    with pytest.raises(NotFound, match="no incident 'incident-9'"):
        await store.incidents.get(IncidentId("incident-9"))
