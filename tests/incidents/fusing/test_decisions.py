from datetime import timedelta

import pytest

from contracts import (
    AlarmLevel,
    CameraId,
    DecisionKind,
    IncidentAction,
    IncidentId,
    IncidentState,
    LogKind,
    LonLat,
    ReportId,
)
from incidents.errors import ActedMeanwhile, FencedOff
from incidents.fusing.application import Outcome
from incidents.fusing.drafts import MOST_REPORTS_TOLD
from incidents.store import Store
from plumbing.clock import HeldClock
from tests.incidents.make import CENTRE, PLAIN, decide, detection, found, picture, updated
from tests.incidents.writer import Writer
from tests.support.store import START

ONE, TWO = IncidentId("incident-1"), IncidentId("incident-2")


@pytest.fixture
def writer(any_store: Store) -> Writer:
    return Writer(any_store)


async def kinds(store: Store) -> list[LogKind]:
    return [entry.kind for entry in await store.log.after(0)]


async def test_a_founded_incident_has_all_that_follows_from_its_estimate(
    any_store: Store, writer: Writer
) -> None:
    seen = detection(1, picture_id=picture(1))
    await writer.apply(seen, found(ONE, seen.id, camera_ids=(seen.camera_id,)))
    one = await any_store.incidents.get(ONE)
    assert (one.state, one.level, one.priority) == (IncidentState.DETECTED, AlarmLevel.ALARM, 1)
    assert one.place_name == "Bekasi Timur"
    assert one.key_picture is not None
    assert one.key_picture.picture_id == picture(1)
    assert await kinds(any_store) == [LogKind.INCIDENT_FOUNDED]
    memory = await any_store.fusion.remember(START)
    assert memory.assignment == {seen.id: ONE}
    assert memory.report_seq == 1


async def test_an_outcome_takes_effect_once(any_store: Store, writer: Writer) -> None:
    report = await writer.accept(detection(1))
    outcome = Outcome(report, (found(ONE, report.id),))
    assert len((await writer.apply_all([outcome])).told) == 1
    assert (await writer.apply_all([outcome])).told == ()
    assert await kinds(any_store) == [LogKind.INCIDENT_FOUNDED]


async def test_a_replaced_writer_can_write_nothing(any_store: Store, writer: Writer) -> None:
    report = await writer.accept(detection(1))
    outcome = Outcome(report, (found(ONE, report.id),))
    await any_store.fusion.claim(5)
    await any_store.fusion.claim(7)
    assert await any_store.fusion.fencing() == 7
    for stale in (
        any_store.fusion.claim(6),
        any_store.fusion.apply([outcome], fencing=5, known_seq=0, enrichment=PLAIN),
        any_store.fusion.publish_pending(fencing=5),
    ):
        with pytest.raises(FencedOff) as fenced:
            await stale
        assert fenced.value.current == 7
    assert await kinds(any_store) == []
    assert await any_store.fusion.progress() == 0
    await any_store.fusion.apply([outcome], fencing=7, known_seq=0, enrichment=PLAIN)
    assert await any_store.fusion.progress() == 1


async def test_what_a_person_did_meanwhile_stops_a_decision_made_without_it(
    any_store: Store, writer: Writer
) -> None:
    await writer.apply(detection(1), found(ONE, "report-detection-1"))
    known_seq = await any_store.log.last_seq()
    await any_store.incidents.act(
        ONE, IncidentAction.REJECT, actor="sari", version=1, reason="lampu"
    )
    report = await writer.accept(detection(2))
    outcome = Outcome(report, (updated(ONE, report.id, probability=0.99),))
    with pytest.raises(ActedMeanwhile) as stopped:
        await writer.apply_all([outcome], known_seq=known_seq)
    assert stopped.value.incident_id == ONE
    assert await any_store.fusion.progress() == 1
    memory = await any_store.fusion.remember(START)
    assert (memory.touched, memory.ended) == ({ONE}, {ONE})
    await writer.apply_all([Outcome(report)])
    assert await any_store.fusion.progress() == 2


async def test_a_live_fire_does_not_flood_the_log(
    any_store: Store, writer: Writer, clock: HeldClock
) -> None:
    await writer.apply(detection(0), found(ONE, "report-detection-0"))
    for number in range(1, 51):
        clock.advance(0.1)
        await writer.apply(
            detection(number), updated(ONE, "report-detection-0", probability=0.5 + number / 200)
        )
    entries = await any_store.log.after(1)
    assert 4 <= len(entries) <= 6
    assert {entry.kind for entry in entries} == {LogKind.INCIDENT_UPDATED}
    clock.advance(1)
    await any_store.fusion.publish_pending(fencing=1, only=[ONE])
    assert (await any_store.incidents.get(ONE)).estimate.probability == 0.75


async def test_what_nobody_could_see_is_not_told_and_what_counts_is_told_at_once(
    any_store: Store, writer: Writer, clock: HeldClock
) -> None:
    base = {"probability": 0.55}
    await writer.apply(detection(1), found(ONE, "report-detection-1", **base))
    clock.advance(10)
    near = LonLat(CENTRE.lon, CENTRE.lat + 1 / 111_320)
    quiet = await writer.apply(
        detection(2), updated(ONE, "report-detection-2", place=near, probability=0.555)
    )
    assert (quiet.told, quiet.waiting) == ((), frozenset())
    told = await writer.apply(detection(3), updated(ONE, "report-detection-3", probability=0.61))
    assert [(kind, one.level) for kind, one in told.told] == [
        (LogKind.INCIDENT_UPDATED, AlarmLevel.ALARM)
    ]
    # 10 ms later another camera sees it: that can't wait.
    clock.advance(0.01)
    seen = updated(ONE, "report-detection-4", probability=0.61, camera_ids=(CameraId("camera-2"),))
    assert len((await writer.apply(detection(4), seen)).told) == 1
    # A drift in small steps is told once it has become visible.
    tellings = 0
    for number in range(5, 15):
        clock.advance(2)
        drift = updated(
            ONE,
            f"report-detection-{number}",
            probability=0.61 + (number - 4) * 0.004,
            camera_ids=(CameraId("camera-2"),),
        )
        tellings += len((await writer.apply(detection(number), drift)).told)
    assert tellings == 3


async def test_news_that_changes_nothing_says_now_and_then_that_it_goes_on(
    any_store: Store, writer: Writer, clock: HeldClock
) -> None:
    await writer.apply(detection(1), found(ONE, "report-detection-1"))
    tellings = 0
    for seconds in range(5, 95, 5):
        clock.advance(5)
        goes_on = updated(
            ONE, "report-detection-1", last_report_at=START + timedelta(seconds=seconds)
        )
        tellings += len((await writer.apply(detection(seconds), goes_on)).told)
    assert tellings == 3


async def test_a_batch_tells_of_each_incident_once(any_store: Store, writer: Writer) -> None:
    reports = [await writer.accept(detection(number)) for number in range(1, 9)]
    outcomes = [Outcome(reports[0], (found(ONE, reports[0].id),))]
    outcomes += [
        Outcome(report, (updated(ONE, reports[0].id, report.id, probability=0.9),))
        for report in reports[1:]
    ]
    await writer.apply_all(outcomes)
    assert await kinds(any_store) == [LogKind.INCIDENT_FOUNDED]
    assert (await any_store.incidents.get(ONE)).estimate.report_ids[-1] == reports[-1].id
    memory = await any_store.fusion.remember(START)
    assert set(memory.assignment.values()) == {ONE}
    assert len(memory.assignment) == 8


async def test_a_merge_moves_every_report_and_the_better_picture(
    any_store: Store, writer: Writer
) -> None:
    await writer.apply(detection(1, picture_id=picture(1)), found(ONE, "report-detection-1"))
    # The first of this track is no longer named by the estimate, but must move with it.
    await writer.apply(detection(2, track=2), found(TWO, "report-detection-2"))
    await writer.apply(
        detection(3, track=2, score=0.9, picture_id=picture(3)), updated(TWO, "report-detection-3")
    )
    ids = ("report-detection-1", "report-detection-3", "report-detection-4")
    await writer.apply(detection(4, track=1), decide(DecisionKind.MERGE, ONE, *ids, other=TWO))
    one, two = await any_store.incidents.get(ONE), await any_store.incidents.get(TWO)
    assert one.state is IncidentState.DETECTED
    assert one.key_picture is not None
    assert one.key_picture.picture_id == picture(3)
    assert (two.state, two.duplicate_of, two.last_actor) == (IncidentState.DUPLICATE, ONE, "system")
    assert [one.id for one in (await any_store.snapshot()).incidents] == [ONE]
    memory = await any_store.fusion.remember(START)
    assert set(memory.assignment.values()) == {ONE}
    merged = [e for e in await any_store.log.after(0) if e.kind is LogKind.INCIDENT_MERGED]
    assert {entry.subject_id for entry in merged} == {ONE, TWO}


async def test_a_split_takes_its_reports_along_and_what_was_merged_comes_back(
    any_store: Store, writer: Writer
) -> None:
    await writer.apply(detection(1), found(ONE, "report-detection-1"))
    await writer.apply(detection(2, track=2), found(TWO, "report-detection-2"))
    both = ("report-detection-1", "report-detection-2", "report-detection-3")
    await writer.apply(detection(3), decide(DecisionKind.MERGE, ONE, *both, other=TWO))
    await writer.apply(
        detection(4, track=2),
        updated(ONE, "report-detection-1", "report-detection-3"),
        decide(DecisionKind.SPLIT, TWO, "report-detection-2", "report-detection-4", other=ONE),
    )
    two = await any_store.incidents.get(TWO)
    assert (two.state, two.duplicate_of, two.closed_at) == (IncidentState.DETECTED, None, None)
    memory = await any_store.fusion.remember(START)
    assert memory.assignment == {
        ReportId("report-detection-1"): ONE,
        ReportId("report-detection-2"): TWO,
        ReportId("report-detection-3"): ONE,
        ReportId("report-detection-4"): TWO,
    }


async def test_a_report_that_breaks_fusion_is_set_aside(any_store: Store, writer: Writer) -> None:
    bad = await writer.accept(detection(1))
    good = await writer.accept(detection(2))
    await writer.apply_all(
        [Outcome(bad, problem="ZeroDivisionError"), Outcome(good, (found(ONE, good.id),))]
    )
    assert await any_store.reports.set_aside() == [(bad.id, "ZeroDivisionError")]
    memory = await any_store.fusion.remember(START)
    assert [report.id for report in memory.reports] == [good.id]
    assert memory.report_seq == 2


async def test_what_is_silent_for_long_is_not_remembered(
    any_store: Store, writer: Writer, clock: HeldClock
) -> None:
    await writer.apply(detection(1), found(ONE, "report-detection-1"))
    await writer.apply(detection(2, track=2), found(TWO, "report-detection-2"))
    clock.advance(3600)
    await writer.apply(detection(3), updated(ONE, "report-detection-1", "report-detection-3"))
    memory = await any_store.fusion.remember(clock.now() - timedelta(minutes=5))
    assert memory.assignment == {
        ReportId("report-detection-1"): ONE,
        ReportId("report-detection-3"): ONE,
    }
    memory = await any_store.fusion.remember(clock.now() - timedelta(hours=2))
    assert set(memory.assignment.values()) == {ONE, TWO}


async def test_what_never_became_an_alarm_ends_by_itself(
    any_store: Store, writer: Writer, clock: HeldClock
) -> None:
    await writer.apply(detection(1), found(ONE, "report-detection-1", probability=0.02))
    await writer.apply(detection(2, track=2), found(TWO, "report-detection-2"))
    await writer.apply(
        detection(3, track=3), found("incident-3", "report-detection-3", probability=0.02)
    )
    await any_store.incidents.act(
        IncidentId("incident-3"), IncidentAction.ACKNOWLEDGE, actor="sari", version=1
    )
    clock.advance(3600)
    assert await any_store.fusion.expire(clock.now() - timedelta(hours=2), fencing=1) == 0
    assert await any_store.fusion.expire(clock.now() - timedelta(minutes=1), fencing=1) == 1
    ended = await any_store.incidents.get(ONE)
    assert (ended.state, ended.reason) == (IncidentState.CANCELLED, "expired")
    assert [one.id for one in (await any_store.snapshot()).incidents] == [TWO, "incident-3"]


async def test_a_long_fire_names_some_of_its_reports_and_keeps_all(
    any_store: Store, writer: Writer
) -> None:
    reports = [
        accepted.report
        for accepted in await any_store.reports.accept([detection(n) for n in range(1, 451)])
    ]
    ids = [report.id for report in reports]
    outcomes = [Outcome(reports[0], (found(ONE, ids[0]),))]
    outcomes += [
        Outcome(report, (updated(ONE, *ids[: number + 1]),))
        for number, report in enumerate(reports[1:], start=1)
    ]
    for start in range(0, 450, 50):
        await writer.apply_all(outcomes[start : start + 50])
    told = (
        await any_store.incidents.act(ONE, IncidentAction.VERIFY, actor="sari", version=1)
    ).estimate.report_ids
    assert len(told) == MOST_REPORTS_TOLD
    assert (told[0], told[-1]) == (ids[0], ids[-1])
    memory = await any_store.fusion.remember(START)
    assert set(memory.assignment) == set(ids)
