"""Two detectors on the same pictures: what each finds and would have told."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from contracts import CameraId, Frame
from detection import Boxes, Detector
from detection.runtime import open_detector
from siaga.watching.shadow import PERIOD_S, Compared, Shadow, ShadowFigures, read_reports, table

AT = datetime(2026, 1, 1, tzinfo=UTC)
CAMERA = CameraId("cam-1")


@pytest.fixture(scope="module")
def detector() -> Detector:
    return open_detector()


def frame(second: float, camera: CameraId = CAMERA) -> Frame:
    at = AT + timedelta(seconds=second)
    return Frame(
        camera_id=camera,
        image=np.random.default_rng(1).integers(60, 90, (120, 160, 3), np.uint8),
        captured_at=at,
        received_at=at,
        source_width_px=160,
        source_height_px=120,
    )


def fire(second: int) -> Boxes:
    lick = 6.0 * (second % 3)
    return Boxes.of([[40 - lick, 40, 90 + lick, 100]], [0.9], [0])


def test_what_only_the_live_one_finds_and_tells_is_counted(detector: Detector) -> None:
    shadow = Shadow(detector.card, detector, share=1.0)
    for second in range(12):
        shadow.look([frame(second)], [fire(second)])
    counts = shadow.figures.by_sighting["fire"]
    assert (counts.live_only, counts.both, counts.shadow_only) == (12, 0, 0)
    assert (counts.live_alarms, counts.shadow_alarms) == (1, 0)
    assert shadow.figures.camera_s == pytest.approx(11.0)
    assert detector.version in table([shadow.figures])


def test_a_model_agrees_with_itself(detector: Detector) -> None:
    shadow = Shadow(detector.card, detector, share=1.0)
    for second in range(5):
        one = frame(second)
        shadow.look([one], detector.detect([one.image]))
    counts = shadow.figures.by_sighting["fire"]
    assert counts.live_only == counts.shadow_only == 0


def test_a_share_of_the_cameras_is_watched_each_for_a_while(detector: Detector) -> None:
    shadow = Shadow(detector.card, detector, share=0.25)
    for number in range(40):
        camera = CameraId(f"cam-{number}")
        shadow.look([frame(0, camera)], [Boxes.none()])
        before = shadow.figures.pictures
        shadow.look([frame(1, camera)], [Boxes.none()])
        assert shadow.figures.pictures - before in (0, 1)
    assert 8 <= shadow.figures.pictures <= 36
    assert PERIOD_S > 60


def test_figures_outlive_the_process_and_not_the_models(tmp_path: Path, detector: Detector) -> None:
    path = tmp_path / "shadow/worker.json"
    shadow = Shadow(detector.card, detector, 1.0, path)
    shadow.look([frame(0)], [Boxes.none()])
    shadow.save()
    assert Shadow(detector.card, detector, 1.0, path).figures.pictures == 1
    plain = json.loads(path.read_text())
    path.write_text(json.dumps(plain | {"shadow": "another"}))
    assert Shadow(detector.card, detector, 1.0, path).figures.pictures == 0
    (path.parent / "other.json").write_text(json.dumps(plain))
    assert sorted(r.shadow for r in read_reports(path.parent)) == sorted(
        ["another", detector.version]
    )
    assert read_reports(tmp_path / "nothing") == []


def test_agreement_is_beyond_chance() -> None:
    assert Compared(both=10, neither=90).agreement == pytest.approx(1.0)
    assert Compared(both=1, live_only=9, shadow_only=9, neither=81).agreement == pytest.approx(0.0)
    assert Compared(neither=100).agreement is None
    figures = ShadowFigures("a", "b", 3, 4.0, {"fire": Compared(both=1, neither=2)})
    assert ShadowFigures.from_plain(json.loads(json.dumps(figures.to_plain()))) == figures
