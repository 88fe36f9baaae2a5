"""What a turning camera sees lies where its head looked, as far as that is known."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import numpy as np
import pytest

from contracts import (
    Camera,
    CameraHealth,
    CameraId,
    CameraState,
    Detection,
    HeadReport,
    LogEntry,
    LogKind,
    PtzHead,
    Report,
    Sequence,
)
from geo import LocalProjection, PinholeCamera
from geo.projection import bearing_deg_of
from geo.ptz import PtzModel
from incidents.fusing.mind import Mind
from plumbing.settings import CitySettings, FusionSettings
from tests.geo.builders import BEKASI, START, Reporter, pose

PAN_AT_NORTH_DEG = 40.0
POSE = pose(bearing_deg=0.0)
PROJECTION = LocalProjection(BEKASI)


def stands(pan_deg: float, at_s: float) -> HeadReport:
    at = START + timedelta(seconds=at_s)
    return HeadReport(at=at, pan_deg=pan_deg, tilt_deg=POSE.tilt_deg, zoom=0.0)


@pytest.fixture
def camera() -> Camera:
    """Calibrated thrice, at different bearings."""
    zoom = PtzHead(wide_hfov_deg=POSE.hfov_deg, tele_hfov_deg=4)
    model = PtzModel.of(PinholeCamera.from_pose(POSE, PROJECTION), zoom)
    for bearing_deg in (0.0, 60.0, 120.0):
        fitted = PinholeCamera.from_pose(
            dataclasses.replace(POSE, bearing_deg=bearing_deg, bearing_sigma_deg=0.3), PROJECTION
        )
        model = model.learnt(stands(PAN_AT_NORTH_DEG + bearing_deg, 0), fitted)
    return Camera(
        id=CameraId("cam-1"),
        name="Turning",
        url="rtsp://one",
        position=POSE.position,
        pose=POSE,
        head=model.known,
    )


def bearing_seen(camera: Camera, *heads: HeadReport) -> tuple[float, float]:
    """The bearing from the camera to what it sees in the middle of its picture, and how wide the
    place's region is, in metres."""
    mind = Mind(CitySettings(), FusionSettings())
    mind.rebuild(None, [camera])
    moved = CameraHealth(camera_id=camera.id, state=CameraState.MOVED, since=START)
    mind.note([entry(moved)])
    (outcome,) = mind.decide([seen(heads)], 1.0)
    estimate = outcome.decisions[-1].estimate
    east, north = PROJECTION.to_xy(estimate.location.lon, estimate.location.lat)
    west, south, right, top = PROJECTION.plane(estimate.region90.area).bounds
    return float(bearing_deg_of(np.arctan2(east, north))), max(right - west, top - south)


def entry(health: CameraHealth) -> LogEntry:
    return LogEntry(
        seq=Sequence(1),
        kind=LogKind.CAMERA_HEALTH,
        subject_id=health.camera_id,
        subject=health,
        actor="test",
        recorded_at=START,
        exercise=False,
    )


def seen(heads: tuple[HeadReport, ...]) -> Report:
    report = Reporter(made=1).detection("cam-1", "track-1", (960.0, 700.0))
    assert isinstance(report.body, Detection)
    body = dataclasses.replace(report.body, captured_at=START, head_reports=heads)
    return dataclasses.replace(report, body=body)


def test_it_lies_where_the_head_looked(camera: Camera) -> None:
    north, exact = bearing_seen(camera, stands(40.0, -1), stands(40.0, 1))
    east, _ = bearing_seen(camera, stands(130.0, -1), stands(130.0, 1))
    assert (north + 180) % 360 - 180 == pytest.approx(0, abs=2)
    assert east == pytest.approx(90, abs=2)
    _, around = bearing_seen(camera)
    assert around > 3 * exact, "without telemetry it is somewhere around"


def test_what_a_turning_head_saw_is_around_the_camera(camera: Camera) -> None:
    _, turning = bearing_seen(camera, stands(40.0, -2), stands(130.0, 2))
    _, nothing = bearing_seen(camera)
    assert turning == nothing
