"""A camera before its first picture, and one that has been live for a while."""

from __future__ import annotations

import pytest

from contracts import CameraState
from tests.camera_ingest.health.day import CameraDay


@pytest.fixture
def camera() -> CameraDay:
    made = CameraDay()
    made.look()
    return made


@pytest.fixture
def live(camera: CameraDay) -> CameraDay:
    camera.connect()
    camera.watch(20)
    assert camera.states == [CameraState.CONNECTING, CameraState.LIVE]
    camera.messages.clear()
    return camera
