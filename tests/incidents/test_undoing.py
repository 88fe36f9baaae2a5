"""One's own last step, taken back."""

from __future__ import annotations

import pytest

from contracts import Incident, IncidentAction, IncidentState
from incidents.errors import NothingToUndo, VersionConflict
from incidents.store import Store
from incidents.undoing import UNDO_WITHIN
from plumbing.clock import HeldClock
from tests.incidents.make import call, found
from tests.incidents.writer import Writer

A = IncidentAction


async def begun(store: Store) -> Incident:
    await Writer(store).apply(call(1), found("incident-1", "report-call-1"))
    return await store.incidents.get(found("incident-1").incident_id)


async def act(store: Store, action: IncidentAction, actor: str = "ani", **words: str) -> Incident:
    now = await store.incidents.get(found("incident-1").incident_id)
    return await store.incidents.act(now.id, action, actor=actor, version=now.version, **words)


async def undo(store: Store, now: Incident, actor: str = "ani") -> Incident:
    return await store.undoing.undo(now.id, actor=actor, version=now.version)


@pytest.mark.parametrize("action", [A.ACKNOWLEDGE, A.VERIFY, A.REJECT, A.CANCEL])
async def test_the_step_is_as_if_it_had_not_been(store: Store, action: IncidentAction) -> None:
    before = await begun(store)
    after = await undo(store, await act(store, action, reason="a lamp"))
    assert after.state is IncidentState.DETECTED
    assert (after.acknowledged_at, after.verified_at, after.closed_at) == (None, None, None)
    assert after.reason == before.reason
    assert after.version == before.version + 2
    assert await store.verdicts.since() == []


async def test_what_held_before_holds_again(store: Store) -> None:
    await begun(store)
    await act(store, A.VERIFY)
    after = await undo(store, await act(store, A.CLOSE))
    assert after.state is IncidentState.VERIFIED
    assert after.verified_at is not None
    assert after.closed_at is None


async def test_only_the_newest_step_and_only_ones_own(store: Store) -> None:
    now = await begun(store)
    with pytest.raises(NothingToUndo, match="nobody"):
        await undo(store, now)
    mine = await act(store, A.ACKNOWLEDGE)
    theirs = await act(store, A.VERIFY, actor="budi")
    with pytest.raises(VersionConflict):
        await undo(store, mine)
    with pytest.raises(NothingToUndo, match="budi"):
        await undo(store, theirs)
    undone = await undo(store, theirs, actor="budi")
    with pytest.raises(NothingToUndo, match="'undo'"):
        await undo(store, undone, actor="budi")


async def test_what_others_were_told_is_not_untold(store: Store) -> None:
    await begun(store)
    await act(store, A.VERIFY)
    with pytest.raises(NothingToUndo, match="dispatch"):
        await undo(store, await act(store, A.DISPATCH))


async def test_a_repeated_request_undoes_once(store: Store) -> None:
    await begun(store)
    await act(store, A.ACKNOWLEDGE)
    now = await act(store, A.VERIFY)
    words = {"actor": "ani", "version": now.version, "request_id": "r1"}
    first = await store.undoing.undo(now.id, **words)  # type: ignore[arg-type]
    assert await store.undoing.undo(now.id, **words) == first  # type: ignore[arg-type]
    assert first.state is IncidentState.ACKNOWLEDGED


async def test_later_it_is_reopened_in_the_open(store: Store, clock: HeldClock) -> None:
    await begun(store)
    now = await act(store, A.ACKNOWLEDGE)
    clock.advance(UNDO_WITHIN.total_seconds() + 1)
    with pytest.raises(NothingToUndo, match="10 minutes"):
        await undo(store, now)
