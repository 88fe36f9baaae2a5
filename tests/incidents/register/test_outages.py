from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from contracts import Camera, CameraHealth, CameraId, CameraState
from contracts.sites import LEAST_CAMERAS, MOST_OF_THEM
from incidents.register.outages import site_outages
from tests.incidents.make import START, camera, health

S = CameraState


def site(states: list[CameraState]) -> tuple[list[Camera], dict[CameraId, CameraHealth]]:
    """Cameras of one recorder, which came into their states a second apart."""
    cameras = [replace(camera(n), url=f"rtsp://NVR.example/{n}") for n in range(len(states))]
    healths = {
        camera.id: replace(health(n, state), since=START + timedelta(seconds=n))
        for n, (camera, state) in enumerate(zip(cameras, states, strict=True))
    }
    return cameras, healths


def test_a_site_is_down_since_most_of_it_was() -> None:
    (outage,) = site_outages(*site([S.STALLED] * 4 + [S.REFUSED] * 5 + [S.LIVE]))
    assert (outage.site, len(outage.cameras), outage.of) == ("nvr.example", 9, 10)
    assert outage.since == START + timedelta(seconds=7)


def test_other_troubles_and_cameras_that_are_off_count_for_nothing() -> None:
    assert site_outages(*site([S.UNAUTHORISED] * 5)) == []
    cameras, healths = site([S.STALLED] * 3 + [S.LIVE] * 3)
    assert site_outages(cameras, healths) == []
    off = [replace(one, enabled=healths[one.id].state is S.STALLED) for one in cameras]
    (outage,) = site_outages(off, healths)
    assert outage.of == 3
    assert site_outages(cameras, {}) == [], "nothing is known of any"


@given(st.lists(st.sampled_from([S.LIVE, S.STALLED, S.FROZEN, S.UNREACHABLE]), max_size=12))
def test_one_alarm_for_most_of_a_site_and_none_for_less(states: list[CameraState]) -> None:
    dead = sum(state in (S.STALLED, S.UNREACHABLE) for state in states)
    is_down = len(states) >= LEAST_CAMERAS and dead >= MOST_OF_THEM * len(states)
    outages = site_outages(*site(states))
    assert [len(outage.cameras) for outage in outages] == [dead] * is_down
