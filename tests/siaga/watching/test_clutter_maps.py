"""What cameras' clutter is known by outlives the process; verdicts' pictures come from evidence."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from contracts import Box, CameraId, EvidenceId, IncidentId, Sighting, TrackId
from contracts.verdicts import Truth, Verdict
from plumbing.evidence import FolderEvidence
from siaga.watching.clutter_maps import ClutterMaps, VerdictReader
from tests.support.detections import AT

CAMERA = CameraId("rtsp://a/b c")
LAMP = (0.4, 0.2, 0.5, 0.3)


def verdict(picture_id: EvidenceId | None) -> Verdict:
    return Verdict(
        incident_id=IncidentId("incident-1"),
        camera_id=CAMERA,
        track_id=TrackId("track-1"),
        truth=Truth.REJECTED,
        decided_at=AT,
        actor="sari",
        sighting=Sighting.FIRE,
        box=Box(256, 96, 320, 144),
        frame_width_px=640,
        frame_height_px=480,
        score=0.8,
        llr=5.0,
        captured_at=AT,
        model_version="test-1",
        picture_id=picture_id,
    )


def test_habits_outlive_the_process_and_not_the_view(tmp_path: Path) -> None:
    maps = ClutterMaps(tmp_path)
    known = maps.of(CAMERA, "view-1")
    known.habits.note(Sighting.FIRE, LAMP, 1000.0, 3000.0)
    for second in range(3):
        known.restlessness.note(1000.0 + second, spoke=True)
    maps.save()
    again = ClutterMaps(tmp_path).of(CAMERA, "view-1")
    assert again.habits.discount(Sighting.FIRE, LAMP, 1000.0) > 1.0
    assert again.restlessness.llr(1003.0) > 1.0
    moved = ClutterMaps(tmp_path).of(CAMERA, "view-2")
    assert moved.habits.discount(Sighting.FIRE, LAMP, 1000.0) == 0.0
    assert moved.restlessness.llr(1003.0) == 0.0


def test_a_damaged_file_is_learnt_anew(tmp_path: Path) -> None:
    maps = ClutterMaps(tmp_path)
    maps.of(CAMERA).habits.note(Sighting.FIRE, LAMP, 1000.0, 3000.0)
    maps.save()
    for path in tmp_path.iterdir():
        path.write_text('{"view_key": "", "habits": [1]}')
    assert ClutterMaps(tmp_path).of(CAMERA).habits.discount(Sighting.FIRE, LAMP, 1000.0) == 0.0


@pytest.mark.parametrize("is_watched", [True, False])
def test_a_verdict_holds_at_once_and_when_the_camera_comes_back(
    tmp_path: Path, is_watched: bool
) -> None:
    picture = np.zeros((480, 640, 3), np.uint8)
    cv2.circle(picture, (288, 120), 20, (220, 240, 255), -1)
    evidence = FolderEvidence(tmp_path / "evidence", 0)
    picture_id = evidence.put(cv2.imencode(".jpg", picture)[1].tobytes(), "image/jpeg")
    maps = ClutterMaps()
    if is_watched:
        maps.of(CAMERA)
    maps.learn(VerdictReader(evidence).read({CAMERA: [verdict(picture_id)]}))
    clutter = maps.of(CAMERA)
    rgb = picture[..., ::-1][::4, ::4]
    same = clutter.rejected_llr(Sighting.FIRE, LAMP, AT.timestamp(), rgb)
    blank = clutter.rejected_llr(Sighting.FIRE, LAMP, AT.timestamp(), np.full_like(rgb, 40))
    assert same > 7.0
    assert blank < same - 5.0


def test_a_verdict_whose_picture_is_gone_still_tells_the_place(tmp_path: Path) -> None:
    reader = VerdictReader(FolderEvidence(tmp_path, 0))
    learnt = reader.read({CAMERA: [verdict(EvidenceId("0" * 64))]})
    (known,) = learnt[CAMERA].look_alikes
    assert known.pattern is None
    assert known.discount(Sighting.FIRE, LAMP, AT.timestamp(), None) > 8.0
