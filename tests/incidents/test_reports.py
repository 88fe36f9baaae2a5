import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts import CallId, ContractError, ReportBody, ReportId, from_json, to_json
from contracts.reports import BODIES
from incidents.errors import NotFound
from incidents.store import Store
from plumbing.clock import HeldClock
from tests.incidents.make import call, detection, fix


async def test_what_is_accepted_is_numbered_stored_and_dated(
    any_store: Store, clock: HeldClock
) -> None:
    bodies: list[ReportBody] = [call(), fix(), detection()]
    accepted = await any_store.reports.accept(bodies)
    assert [(one.report.seq, one.is_new) for one in accepted] == [(1, True), (2, True), (3, True)]
    stored = await any_store.reports.after(0)
    assert [report.body for report in stored] == bodies
    assert {report.recorded_at for report in stored} == {clock.now()}
    assert await any_store.reports.after(1, limit=1) == stored[1:2]


async def test_a_repeat_is_stored_once_and_told_so(any_store: Store) -> None:
    await any_store.reports.accept([call(), detection()])
    again = await any_store.reports.accept([detection(), call(), fix(), fix()])
    assert [(one.report.seq, one.is_new) for one in again] == [
        (2, False),
        (1, False),
        (3, True),
        (3, False),
    ]
    assert len(await any_store.reports.after(0)) == 3
    assert (await any_store.calls.get(CallId("call-1"))).version == 2


async def test_a_repeat_with_another_content_changes_nothing(store: Store) -> None:
    await store.reports.accept([call(note="pertama")])
    (again,) = await store.reports.accept([call(note="kedua")])
    assert (again.is_new, again.report.body) == (False, call(note="pertama"))
    assert (await store.calls.get(CallId("call-1"))).note == "pertama"


async def test_nothing_of_a_refused_batch_is_stored(any_store: Store) -> None:
    await any_store.reports.accept([call()])
    with pytest.raises(ContractError, match="is real") as refused:
        await any_store.reports.accept([detection(), fix(exercise=True)])
    assert refused.value.field == "exercise"
    assert len(await any_store.reports.after(0)) == 1
    (next_one,) = await any_store.reports.accept([detection()])
    assert next_one.report.seq == 2


async def test_one_report_by_its_id(store: Store) -> None:
    await store.reports.accept([fix(7)])
    assert (await store.reports.by_id(ReportId("report-fix-7"))).body == fix(7)
    with pytest.raises(NotFound, match="no report 'nothing'"):
        await store.reports.by_id(ReportId("nothing"))


async def test_listeners_hear_of_news_once_it_is_committed(store: Store) -> None:
    heard: list[int] = []
    store.listen(heard.append)
    await store.reports.accept([detection()])
    await store.reports.accept([call()])
    await store.reports.accept([call()])
    assert heard == [0, 1]


@settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    order=st.permutations(range(12)),
    cuts=st.lists(st.integers(1, 5), min_size=12, max_size=12),
    repeats=st.lists(st.integers(0, 11), max_size=6),
)
async def test_however_batches_are_cut_and_repeated_all_is_stored_once_in_order(
    store: Store, order: list[int], cuts: list[int], repeats: list[int]
) -> None:
    before = len(await store.reports.after(0, limit=10_000))
    bodies = [detection(before * 100 + number) for number in [*order, *repeats]]
    rest = bodies
    for cut in cuts:
        await store.reports.accept(rest[:cut])
        rest = rest[cut:]
    await store.reports.accept(rest)
    stored = await store.reports.after(before, limit=10_000)
    assert [report.body for report in stored] == list(dict.fromkeys(bodies))
    assert [report.seq for report in stored] == list(range(before + 1, before + 13))


def test_every_kind_of_body_survives_its_column() -> None:
    for body in (call(), fix(raw='A"ML=1;\x00'), detection()):
        kind = next(kind for kind, noun in BODIES.items() if isinstance(body, noun))
        assert from_json(BODIES[kind], to_json(body).decode()) == body
