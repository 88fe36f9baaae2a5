"""Whose last seconds are looked at, in which order, and how much that may cost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from contracts import CameraId
from siaga.watching.looking_back import BURST_S, LEAST_GAP_S, MOST_WAITING, WAITS_S, LookBackQueue

AT = datetime(2026, 1, 1, tzinfo=UTC)
CAMERAS = [CameraId(f"cam-{n}") for n in range(6)]


def test_a_call_goes_before_a_weak_cue_and_nobody_is_served_twice_before_all_others() -> None:
    queue = LookBackQueue(0.5, 0.0)
    for camera in CAMERAS[:3]:
        queue.ask(camera, AT, 1.0)
    queue.ask(CAMERAS[5], AT, 2.0, is_urgent=True)
    order = [queue.next(3.0) for _ in range(4)]
    assert [r.camera_id for r in order if r] == [CAMERAS[5], *CAMERAS[:3]]
    for camera in CAMERAS[:4]:
        queue.ask(camera, AT, 30.0)
    first = queue.next(30.0)
    assert first is not None and first.camera_id == CAMERAS[3]


def test_a_camera_that_was_looked_back_at_just_now_is_hot_and_needs_none() -> None:
    queue = LookBackQueue(0.5, 0.0)
    queue.ask(CAMERAS[0], AT, 0.0)
    assert queue.next(0.0)
    queue.ask(CAMERAS[0], AT, LEAST_GAP_S - 0.1)
    assert queue.next(LEAST_GAP_S) is None
    queue.ask(CAMERAS[0], AT, LEAST_GAP_S + 0.1)
    assert queue.next(LEAST_GAP_S + 0.2)


def test_who_waits_too_long_is_given_up_and_counted() -> None:
    queue = LookBackQueue(0.1, 0.0)
    queue.spent(BURST_S + 100)
    queue.ask(CAMERAS[0], AT, 0.0)
    assert queue.next(WAITS_S - 0.1) is None
    assert queue.next(WAITS_S + 0.1) is None
    assert (queue.counts.asked, queue.counts.given_up) == (1, 1)


def test_only_so_many_wait() -> None:
    queue = LookBackQueue(0.1, 0.0)
    for number in range(MOST_WAITING + 5):
        queue.ask(CameraId(f"c{number}"), AT, 0.0)
    assert (queue.counts.asked, queue.counts.given_up) == (MOST_WAITING + 5, 5)


def test_without_a_share_nothing_is_looked_back_at() -> None:
    queue = LookBackQueue(0.0, 0.0)
    queue.ask(CAMERAS[0], AT, 0.0, is_urgent=True)
    assert queue.next(1.0) is None


@given(
    st.floats(0.01, 1.0),
    st.lists(st.tuples(st.floats(0.1, 5.0), st.floats(0.1, 4.0)), min_size=1, max_size=200),
)
def test_in_the_long_run_it_takes_no_more_than_its_share(
    share: float, asked: list[tuple[float, float]]
) -> None:
    queue = LookBackQueue(share, 0.0)
    now_s, spent_s, last_s = 0.0, 0.0, 0.0
    for number, (gap_s, cost_s) in enumerate(asked):
        now_s += gap_s
        queue.ask(CameraId(f"c{number}"), AT + timedelta(seconds=now_s), now_s)
        if queue.next(now_s) is not None:
            queue.spent(cost_s)
            spent_s, last_s = spent_s + cost_s, cost_s
    assert spent_s - last_s <= BURST_S + share * now_s + 1e-6
