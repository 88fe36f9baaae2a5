"""From what a head reports to the detections that take it along, over a real bus."""

from __future__ import annotations

from datetime import timedelta

from contracts import CameraId, HeadReport
from plumbing.bus import Bus
from plumbing.clock import SystemClock
from siaga.watching.heads import HeadWatch

TURNING, FIXED = CameraId("turning"), CameraId("fixed")


async def test_a_detection_takes_along_what_its_cameras_head_reported(bus: Bus) -> None:
    now = SystemClock().now()
    for age_s in (50.0, 3.0, 1.0, 2.0):
        at = now - timedelta(seconds=age_s)
        await bus.note_head(TURNING, HeadReport(at=at, pan_deg=age_s, tilt_deg=None, zoom=None))
    heads = HeadWatch(bus, lambda: [TURNING])
    assert heads.around(TURNING, now) == (), "nothing is known before it asked"
    await heads.ask()
    found = heads.around(TURNING, now)
    assert [report.pan_deg for report in found] == [3.0, 2.0, 1.0], "oldest first"
    assert heads.around(FIXED, now) == ()
