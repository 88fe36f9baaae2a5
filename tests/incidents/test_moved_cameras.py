"""A camera that no longer looks where its pose says tells its reports' places less surely."""

from __future__ import annotations

import dataclasses

from contracts import (
    Camera,
    CameraHealth,
    CameraId,
    CameraState,
    LogEntry,
    LogKind,
    Report,
    Sequence,
)
from incidents.fusing.mind import Mind
from plumbing.settings import CitySettings, FusionSettings
from tests.geo.builders import BEKASI, START, Reporter, pose

CAMERA = Camera(id=CameraId("cam-1"), name="One", url="rtsp://one", position=BEKASI, pose=pose())


def health(state: CameraState) -> CameraHealth:
    return CameraHealth(camera_id=CAMERA.id, state=state, since=START)


def told(subject: Camera | CameraHealth, kind: LogKind) -> LogEntry:
    return LogEntry(
        seq=Sequence(1),
        kind=kind,
        subject_id=CAMERA.id,
        subject=subject,
        actor="test",
        recorded_at=START,
        exercise=False,
    )


def seen(number: int) -> Report:
    return Reporter(made=number).detection("cam-1", f"track-{number}", (960.0, 700.0))


def spread(mind: Mind, number: int) -> float:
    """Size of the region of a new sighting, far in time from the others."""
    report = seen(number)
    (outcome,) = mind.decide([report], 1.0)
    region = outcome.decisions[-1].estimate.region90
    lons, lats = zip(*region.area.coordinates[0], strict=True)
    return float((max(lons) - min(lons)) * (max(lats) - min(lats)))


def fresh(*healths: CameraHealth) -> Mind:
    mind = Mind(CitySettings(), FusionSettings())
    mind.rebuild(None, [CAMERA], healths)
    return mind


def test_a_moved_camera_is_believed_less_until_it_is_mended() -> None:
    sure = spread(fresh(), 1)
    mind = fresh()
    mind.note([told(health(CameraState.MOVED), LogKind.CAMERA_HEALTH)])
    mind.note([told(health(CameraState.STALLED), LogKind.CAMERA_HEALTH)])
    assert spread(mind, 1) > 4 * sure
    mended = fresh()
    mended.note([told(health(CameraState.MOVED), LogKind.CAMERA_HEALTH)])
    mended.note([told(health(CameraState.LIVE), LogKind.CAMERA_HEALTH)])
    assert spread(mended, 1) == sure


def test_a_new_pose_ends_the_doubt_and_a_restart_does_not() -> None:
    assert spread(fresh(health(CameraState.MOVED)), 1) > 4 * spread(fresh(), 1)
    mind = fresh(health(CameraState.MOVED))
    calibrated = dataclasses.replace(CAMERA, pose=pose(bearing_deg=31.0), version=2)
    mind.note([told(calibrated, LogKind.CAMERA_SAVED)])
    assert spread(mind, 1) < 1.1 * spread(fresh(), 1)
