from __future__ import annotations

import pytest

from camera_ingest.health.sites import Sites
from contracts import CameraId, CameraState
from contracts.sites import site_of

S = CameraState
SETTLE_S = 3.0
CAMERAS = [CameraId(f"c{number}") for number in range(10)]


@pytest.mark.parametrize(
    ("url", "site"),
    [
        ("rtsp://NVR.example:554/1", "nvr.example"),
        ("rtsp://[fd00::1]/1", "fd00::1"),
        ("rtsp://[bad", ""),
        ("nonsense", ""),
    ],
)
def test_a_site_is_a_host(url: str, site: str) -> None:
    assert site_of(url) == site


def noted(states: list[CameraState], at_s: float = 0.0) -> Sites:
    sites = Sites(SETTLE_S)
    for camera, state in zip(CAMERAS, states, strict=False):
        sites.note(camera, "nvr", state, at_s)
    return sites


def test_most_of_a_host_is_a_site_that_is_down() -> None:
    sites = noted([S.STALLED] * 8 + [S.LIVE] * 2)
    assert sites.outage("nvr") == 8
    assert sites.changes() == (["nvr"], [])
    assert sites.changes() == ([], []), "said once"
    sites.note(CAMERAS[0], "nvr", S.LIVE, 9.0)
    assert sites.outage("nvr") == 0
    assert sites.changes() == ([], ["nvr"])


@pytest.mark.parametrize(
    "states",
    [
        [S.STALLED] * 2,
        [S.STALLED] * 7 + [S.LIVE] * 3,
        [S.UNAUTHORISED] * 10,
        [S.FROZEN] * 10,
    ],
)
def test_few_cameras_or_other_troubles_are_none(states: list[CameraState]) -> None:
    assert noted(states).outage("nvr") == 0


def test_a_failing_camera_waits_for_company_a_moment() -> None:
    sites = noted([S.LIVE] * 9)
    sites.note(CAMERAS[0], "nvr", S.STALLED, 100.0)
    assert not sites.is_settled(CAMERAS[0], 100.0)
    sites.note(CAMERAS[0], "nvr", S.STALLED, 100.0 + SETTLE_S)
    assert sites.is_settled(CAMERAS[0], 100.0 + SETTLE_S)
    sites.note(CAMERAS[1], "nvr", S.FROZEN, 100.0)
    assert sites.is_settled(CAMERAS[1], 100.0), "no dead line"


def test_a_camera_without_neighbours_does_not_wait() -> None:
    sites = Sites(SETTLE_S)
    sites.note(CAMERAS[0], "nvr", S.STALLED, 100.0)
    assert sites.is_settled(CAMERAS[0], 100.0)


def test_cameras_that_left_count_no_more() -> None:
    sites = noted([S.STALLED] * 3 + [S.LIVE])
    sites.forget(CAMERAS[3])
    assert sites.outage("nvr") == 3
    for camera in CAMERAS[:3]:
        sites.forget(camera)
    assert sites.outage("nvr") == 0
    assert sites.known == set()
