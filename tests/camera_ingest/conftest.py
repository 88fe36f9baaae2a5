from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from camera_ingest import StreamOpener
from contracts import CameraId, StreamSource
from plumbing.address_guard import AddressGuard
from plumbing.clock import SystemClock
from plumbing.sealing import Sealer
from plumbing.settings import IngestSettings
from tests.camera_ingest.http_camera import HttpCamera
from tests.support.rtsp import rtsp, small_video

__all__ = ["rtsp"]

LOOPBACK = ("127.0.0.0/8",)


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """6 s of H.264 at 10 fps, a keyframe a second, 320 px wide."""
    return small_video(tmp_path_factory.mktemp("clip") / "clip.mp4", seconds=6, width_px=320)


@pytest.fixture(scope="session")
def lively_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `clip`, with a keyframe each 0.4 s, so that tests wait less."""
    folder = tmp_path_factory.mktemp("lively")
    return small_video(folder / "clip.mp4", seconds=6, width_px=320, gop=4)


@pytest.fixture
def settings() -> IngestSettings:
    """Timeouts short enough for tests."""
    return IngestSettings(
        open_timeout_s=1.5,
        read_timeout_s=1.2,
        stalled_after_s=2,
        retry_first_s=0.2,
        retry_longest_s=1,
        max_fps=10,
        hot_fps=10,
        frame_width_px=160,
        allow_private=LOOPBACK,
    )


@pytest.fixture
def sealer(tmp_path: Path) -> Sealer:
    return Sealer(tmp_path / "key", {})


@pytest.fixture
def opener(settings: IngestSettings, sealer: Sealer) -> StreamOpener:
    return StreamOpener(settings, SystemClock(), AddressGuard(settings.allow_private), sealer)


@pytest.fixture
def http() -> Iterator[HttpCamera]:
    with HttpCamera() as camera:
        yield camera


@pytest.fixture
def registered(sealer: Sealer) -> Callable[..., StreamSource]:
    """Makes a source as the register would hold it."""

    def make(
        url: str,
        *,
        username: str | None = None,
        password: str | None = None,
        headers: tuple[tuple[str, str], ...] = (),
        camera_id: str = "cam-1",
        version: int = 1,
    ) -> StreamSource:
        return StreamSource(
            camera_id=CameraId(camera_id),
            url=url,
            username=username,
            sealed_password=None if password is None else sealer.seal(password),
            headers=headers,
            version=version,
        )

    return make
