from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from camera_ingest.frame_slots import FrameSlots
from contracts import CameraId, Frame

START = datetime(2026, 1, 1, tzinfo=UTC)


def frame(camera: str, number: int) -> Frame:
    at = START + timedelta(seconds=number)
    return Frame(
        camera_id=CameraId(camera),
        image=np.zeros((2, 2, 3), np.uint8),
        captured_at=at,
        received_at=at,
        source_width_px=2,
        source_height_px=2,
    )


def test_the_newest_frame_wins_and_the_lost_are_counted() -> None:
    slots = FrameSlots()
    slot = slots.slot(CameraId("a"))
    for number in range(3):
        slot.put(frame("a", number))
    assert [taken.captured_at for taken in slots.take(10, 0)] == [START + timedelta(seconds=2)]
    assert (slot.frames_put, slot.frames_overwritten) == (3, 2)
    assert slots.take(10, 0) == []


def test_cameras_take_turns() -> None:
    slots = FrameSlots()
    fast, slow = slots.slot(CameraId("fast")), slots.slot(CameraId("slow"))
    taken = []
    for number in range(6):
        fast.put(frame("fast", number))
        if number % 2 == 0:
            slow.put(frame("slow", number))
        fast.put(frame("fast", number))
        taken += [taken.camera_id for taken in slots.take(1, 0)]
    assert taken.count(CameraId("slow")) == 3


def test_hot_cameras_are_served_first_and_leave_the_cold_ones_a_place() -> None:
    slots = FrameSlots()
    own = [slots.slot(CameraId(name)) for name in ("c0", "c1", "c2", "h0", "h1", "h2")]
    for slot in own:
        slot.is_hot = slot.camera_id.startswith("h")
        slot.put(frame(slot.camera_id, 1))
    assert [taken.camera_id for taken in slots.take(3, 0)] == ["h0", "h1", "c0"]
    own[3].put(frame("h0", 2))
    assert [taken.camera_id for taken in slots.take(3, 0)] == ["h2", "h0", "c1"]
    assert [taken.camera_id for taken in slots.take(3, 0)] == ["c2"]
    assert [slot.frames_put_hot for slot in own] == [0, 0, 0, 2, 1, 1]


def test_a_consumer_wakes_when_any_slot_fills() -> None:
    slots = FrameSlots()
    first, second = slots.slot(CameraId("a")), slots.slot(CameraId("b"))
    threading.Timer(0.1, second.put, (frame("b", 1),)).start()
    started = time.monotonic()
    assert [taken.camera_id for taken in slots.take(4, 20)] == [second.camera_id]
    assert time.monotonic() - started < 10
    assert first.take() is None


def test_closing_ends_the_wait() -> None:
    slots = FrameSlots()
    threading.Timer(0.1, slots.close).start()
    started = time.monotonic()
    assert slots.take(1, 10) == []
    assert time.monotonic() - started < 5


def test_a_closed_slot_holds_nothing_any_more() -> None:
    slots = FrameSlots()
    slot = slots.slot(CameraId("a"))
    slot.put(frame("a", 1))
    slot.close()
    slot.put(frame("a", 2))
    assert slots.take(1, 0) == []
    assert slot.take() is None


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("put"), st.integers(0, 3)),
            st.tuples(st.just("take"), st.integers(1, 4)),
            st.tuples(st.just("take_one"), st.integers(0, 3)),
        ),
        max_size=60,
    )
)
def test_every_frame_is_taken_once_or_overwritten(steps: list[tuple[str, int]]) -> None:
    slots = FrameSlots()
    own = [slots.slot(CameraId(str(index))) for index in range(4)]
    newest: dict[CameraId, datetime] = {}
    taken = 0
    for number, (step, value) in enumerate(steps):
        got: list[Frame] = []
        if step == "put":
            put = frame(str(value), number)
            own[value].put(put)
            newest[put.camera_id] = put.captured_at
        elif step == "take":
            got = slots.take(value, 0)
        elif (one := own[value].take()) is not None:
            got = [one]
        for each in got:
            assert newest.pop(each.camera_id) == each.captured_at
        taken += len(got)
    held = len(slots.take(4, 0))
    assert sum(slot.frames_put - slot.frames_overwritten for slot in own) == taken + held
