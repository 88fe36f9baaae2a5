"""What the tests of this room share: a made-up model card and the folder of open data, if there."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from contracts import CameraId, Detection, Sighting
from detection import Boxes, CameraVerifier, Detector, FloodClassifier, ModelCard
from detection.calibration import Curve, CurveKind
from detection.runtime import open_detector, open_flood_classifier
from tests.support.rtsp import rtsp

__all__ = ["rtsp"]

CURVE = Curve(CurveKind.PLATT, (0.05, 0.3, 0.6, 0.95), (-1.0, 1.0, 3.0, 4.0), -1.5)
CLASSES = ("fire", "smoke", "crash")
WRECK = ("crash", 0.6, (200.0, 200.0, 280.0, 260.0))
START = datetime(2026, 1, 1, tzinfo=UTC)


def make_card(task: str, classes: tuple[str, ...], sightings: tuple[Sighting, ...]) -> ModelCard:
    return ModelCard(
        folder=Path("nowhere"),
        name=task,
        version=f"{task}-test",
        task=task,
        classes=classes,
        input_size_px=320,
        weights_sha256={},
        curves=dict.fromkeys(sightings, CURVE),
        operating_points=dict.fromkeys(sightings, 0.3),
        provenance={},
    )


@pytest.fixture
def verifier() -> CameraVerifier:
    detector = make_card("detect", CLASSES, (Sighting.FIRE, Sighting.SMOKE, Sighting.CRASH))
    flood = make_card("classify", ("dry", "flood"), (Sighting.FLOOD,))
    return CameraVerifier(CameraId("cam-1"), detector, flood)


Row = tuple[str, float, tuple[float, float, float, float]]
Feed = Callable[..., list[Detection]]


@pytest.fixture
def feed(verifier: CameraVerifier) -> Feed:
    """Feed one picture at a time: seconds, then (class, score, box) rows, then flood."""

    def at(at_s: float, *rows: Row, flood: float | None = None) -> list[Detection]:
        boxes = Boxes.of(
            np.array([row[2] for row in rows], np.float32).reshape(-1, 4),
            [row[1] for row in rows],
            [CLASSES.index(row[0]) for row in rows],
        )
        moment = START + timedelta(seconds=at_s)
        return verifier.update(moment, moment, boxes, flood, (640, 480))

    return at


@pytest.fixture(scope="session")
def detector() -> Detector:
    return open_detector()


@pytest.fixture(scope="session")
def flood_classifier() -> FloodClassifier:
    return open_flood_classifier()


@pytest.fixture(scope="session")
def hazards() -> Path:
    """The open data's `hazards` folder; tests that need it are skipped without it."""
    root = Path(os.environ.get("SIAGA_DATA", "../shared/data")) / "hazards"
    if not root.is_dir():
        pytest.skip(f"the open data isn't at {root} (SIAGA_DATA)")
    return root
