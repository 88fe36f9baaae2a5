"""What is forgotten when, on both databases; and that nothing else is."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

from hypothesis import given
from structlog.testing import capture_logs

from contracts import (
    Attachment,
    CallChannel,
    CallId,
    Disc,
    Hazard,
    IncidentAction,
    IncidentState,
    ReportId,
)
from geo.projection import distance_m
from incidents.fusing.decisions import Outcome
from incidents.keeping.coarsening import coarsened
from incidents.message_rows import NewMessage
from incidents.people.accounts import Role
from incidents.store import Store
from plumbing.clock import HeldClock
from plumbing.evidence import EvidenceStore, FolderEvidence
from plumbing.evidence.bucket import ACCESS_KEY, SECRET_KEY, BucketEvidence
from plumbing.settings import Settings
from tests.incidents import make
from tests.incidents.make import CENTRE, PLAIN
from tests.support.nouns import fixes

DAYS = 86_400.0


def retention(store: Store, evidence: EvidenceStore | None = None):  # type: ignore[no-untyped-def]
    return store.retention(Settings(), evidence)


async def incident_of(store: Store, number: int, **changes: object) -> str:
    """An incident of one call, as fusion founds it."""
    accepted = await store.reports.accept(
        [make.call(number, **changes), make.fix(number, call_number=number, **changes)]
    )
    decision = make.found(
        f"incident-{number}",
        f"report-call-{number}",
        f"report-fix-{number}",
        call_ids=(CallId(f"call-{number}"),),
        exercise=bool(changes.get("exercise", False)),
    )
    await store.fusion.claim(1)
    await store.fusion.apply(
        [Outcome(accepted[0].report), Outcome(accepted[1].report, (decision,))],
        fencing=1,
        known_seq=await store.log.last_seq(),
        enrichment=PLAIN,
    )
    return decision.incident_id


async def test_positions_are_coarsened_everywhere_and_those_under_hold_stay(
    any_store: Store, clock: HeldClock
) -> None:
    await incident_of(any_store, 1)
    held = await incident_of(any_store, 2)
    now = await any_store.incidents.get(held)  # type: ignore[arg-type]
    await any_store.incidents.hold(
        now.id, is_held=True, actor="rina", version=now.version, reason="court order 7"
    )
    assert (await retention(any_store).run()).calls_coarsened == 0
    clock.advance(31 * DAYS)
    assert (await retention(any_store).run()).calls_coarsened == 1
    assert (await retention(any_store).run()).calls_coarsened == 0
    open_call = await any_store.calls.get(CallId("call-1"))
    shape = open_call.fixes[0].shape
    assert isinstance(shape, Disc)
    assert shape.radius_m == 1_000
    assert distance_m(shape.centre, CENTRE) < 800
    report = await any_store.reports.by_id(ReportId("report-fix-1"))
    entries = await any_store.log.after(0)
    told = [entry.subject for entry in entries if entry.subject_id == "call-1"]
    for body in (report.body, told[-1].fixes[0]):  # type: ignore[union-attr]
        assert body.shape == shape  # type: ignore[union-attr]
    kept = await any_store.calls.get(CallId("call-2"))
    assert kept.fixes[0].shape == make.fix(2).shape
    after = await any_store.incidents.get(now.id)
    await any_store.incidents.hold(
        now.id, is_held=False, actor="rina", version=after.version, reason="case closed"
    )
    await retention(any_store).run()
    assert (await any_store.calls.get(CallId("call-2"))).fixes[0].shape == shape


@given(fixes)
def test_coarsening_twice_is_coarsening_once(fix) -> None:  # type: ignore[no-untyped-def]
    once = coarsened(fix)
    assert coarsened(once) == once
    assert once.raw is None


async def test_the_log_is_shortened_from_its_beginning_and_stays_gapless(
    any_store: Store, clock: HeldClock
) -> None:
    await incident_of(any_store, 1)
    clock.advance(400 * DAYS)
    await incident_of(any_store, 2)
    last = await any_store.log.last_seq()
    gone = (await retention(any_store).run()).log_entries
    assert gone > 0
    assert await any_store.log.oldest_seq() == gone + 1
    left = await any_store.log.after(0)
    assert [entry.seq for entry in left] == list(range(gone + 1, last + 1))
    assert {entry.subject_id for entry in left} >= {"incident-2", "call-2"}
    # New entries go on where the log was.
    await any_store.reports.accept([make.call(3)])
    assert await any_store.log.last_seq() == last + 1


async def test_a_held_incident_keeps_the_log_from_its_first_entry_on(
    any_store: Store, clock: HeldClock
) -> None:
    await any_store.reports.accept([make.call(9)])
    held = await incident_of(any_store, 1)
    now = await any_store.incidents.get(held)  # type: ignore[arg-type]
    await any_store.incidents.hold(
        now.id, is_held=True, actor="rina", version=now.version, reason="court order 7"
    )
    first = min(e.seq for e in await any_store.log.after(0) if e.subject_id == held)
    clock.advance(400 * DAYS)
    await retention(any_store).run()
    assert await any_store.log.oldest_seq() == first


async def test_messages_sessions_and_exercises_go_when_they_are_due(
    any_store: Store, clock: HeldClock
) -> None:
    await any_store.accounts.add("ani", "a long sentence for tests", Role.OPERATOR)
    token = await any_store.sessions.open("ani")
    message = NewMessage(id="m-1", channel="aml", sender="", sealed="x", is_trusted=False)
    await any_store.messages.take(message, timedelta(hours=1))
    drill = await incident_of(any_store, 1, exercise=True)
    real = await incident_of(any_store, 2)
    one = await any_store.incidents.get(drill)  # type: ignore[arg-type]
    done = await any_store.incidents.act(
        one.id, IncidentAction.CANCEL, actor="ani", version=one.version, reason="drill over"
    )
    assert done.state is IncidentState.CANCELLED
    clock.advance(31 * DAYS)
    found = await retention(any_store).run()
    assert (found.sessions, found.messages) == (1, 1)
    assert (found.exercise_reports, found.exercise_calls) == (2, 1)
    assert await any_store.sessions.find(token, idle=timedelta(days=99)) is None
    assert (await any_store.incidents.get(real)).hazard is Hazard.FIRE  # type: ignore[arg-type]
    assert len(await any_store.reports.after(0)) == 2
    assert any(entry.action == "retention.run" for entry in (await any_store.audit.page()).entries)


async def test_of_an_exercise_under_hold_nothing_goes(any_store: Store, clock: HeldClock) -> None:
    drills = [await incident_of(any_store, number, exercise=True) for number in (1, 2)]
    for drill in drills:
        one = await any_store.incidents.get(drill)  # type: ignore[arg-type]
        await any_store.incidents.act(
            one.id, IncidentAction.CANCEL, actor="ani", version=one.version, reason="drill over"
        )
    one = await any_store.incidents.get(drills[0])  # type: ignore[arg-type]
    await any_store.incidents.hold(
        one.id, is_held=True, actor="ani", version=one.version, reason="asked for by the court"
    )
    clock.advance(31 * DAYS)
    found = await retention(any_store).run()
    assert (found.exercise_reports, found.exercise_calls) == (2, 1)
    assert (await any_store.calls.get(CallId("call-1"))).fixes
    assert len(await any_store.reports.after(0)) == 2


async def test_pictures_go_by_what_became_of_them(
    store: Store, clock: HeldClock, tmp_path: Path
) -> None:
    evidence = FolderEvidence(tmp_path / "evidence", 0)
    pictures = {name: evidence.put(name.encode(), "image/jpeg") for name in ("lone", "open")}
    fresh = evidence.put(b"fresh", "image/jpeg")
    old = clock.now().timestamp() - 8 * DAYS
    for one in pictures.values():
        os.utime(evidence.path(one), (old, old))
    os.utime(evidence.path(fresh), (clock.now().timestamp(),) * 2)
    seen = make.detection(1, picture_id=pictures["open"])
    (accepted,) = await store.reports.accept([seen])
    await store.fusion.claim(1)
    await store.fusion.apply(
        [Outcome(accepted.report, (make.found("incident-1", seen.id),))],
        fencing=1,
        known_seq=await store.log.last_seq(),
        enrichment=PLAIN,
    )
    assert (await retention(store, evidence).run()).files == 1
    left = set(evidence.older_than(clock.now() + timedelta(days=1)))
    assert left == {pictures["open"], fresh}


async def test_a_store_of_evidence_that_is_away_keeps_nothing_else_from_going(
    store: Store, clock: HeldClock
) -> None:
    message = NewMessage(id="m-1", channel="aml", sender="", sealed="x", is_trusted=False)
    await store.messages.take(message, timedelta(hours=1))
    clock.advance(31 * DAYS)
    keys = {ACCESS_KEY: "someone", SECRET_KEY: "something long"}
    away = BucketEvidence("s3+http://127.0.0.1:9/siaga", keys)
    with capture_logs() as lines:
        found = await retention(store, away).run()
    assert (found.messages, found.files) == (1, 0)
    assert any("evidence can't be removed" in line["event"] for line in lines)


async def test_a_citizen_s_photos_stay_as_long_as_their_incident_s_evidence(
    store: Store, clock: HeldClock, tmp_path: Path
) -> None:
    evidence = FolderEvidence(tmp_path / "evidence", 0)
    await incident_of(store, 1)
    app = make.call(2, channel=CallChannel.APP)
    await store.reports.accept([app])
    kept, lone = [evidence.put(name, "image/jpeg") for name in (b"kept", b"lone")]
    old = clock.now().timestamp() - 8 * DAYS
    for number, photo in ((1, kept), (2, lone)):
        os.utime(evidence.path(photo), (old, old))
        call_id = CallId(f"call-{number}")
        if number == 1:
            await store.reports.accept([make.call(11, call_id=call_id, channel=CallChannel.APP)])
        attached = await store.calls.attach(
            call_id,
            Attachment(
                evidence_id=photo,
                name="banjir.jpg",
                media_type="image/jpeg",
                size_bytes=4,
                at=clock.now(),
                actor="app",
            ),
        )
        assert [one.evidence_id for one in attached.photos] == [photo]
    assert (await retention(store, evidence).run()).files == 1
    assert set(evidence.older_than(clock.now() + timedelta(days=1))) == {kept}
