"""From pictures to detections, whatever the clocks do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from contracts import CameraId, Detection, Frame
from siaga.watching.pipeline import Watch
from tests.siaga.watching.burning import red_detector, street

CAMERA = CameraId("cam-1")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def looked(watch: Watch, since: datetime, *, burns: bool, seconds: float = 10.0) -> list[Detection]:
    """What a camera's pictures lead to, two a second."""
    found: list[Detection] = []
    for n in range(int(2 * seconds)):
        at = since + timedelta(seconds=n / 2)
        frame = Frame(
            camera_id=CAMERA,
            image=street(burns=burns, seed=n),
            captured_at=at,
            received_at=at,
            source_width_px=320,
            source_height_px=180,
            is_keyframe=True,
        )
        for watched in watch.look([frame]):
            found += watched.detections
    return found


@pytest.mark.parametrize("back", [timedelta(minutes=1), timedelta(hours=1), timedelta(days=9000)])
def test_a_fire_is_told_of_after_the_clock_was_set_back(back: timedelta) -> None:
    watch = Watch(red_detector(), None)
    assert looked(watch, NOON, burns=False) == []
    assert looked(watch, NOON - back, burns=False) == []
    assert looked(watch, NOON - back + timedelta(seconds=10), burns=True) != []


def test_what_is_sent_again_after_a_reconnection_is_not_seen_twice() -> None:
    watch = Watch(red_detector(), None)
    looked(watch, NOON, burns=False)
    told = looked(watch, NOON + timedelta(seconds=10), burns=True)
    assert len({detection.track_id for detection in told}) == 1
    again = looked(watch, NOON + timedelta(seconds=5), burns=True)
    assert {detection.track_id for detection in again} <= {told[0].track_id}
