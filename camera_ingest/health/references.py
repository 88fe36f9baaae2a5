"""Where the pictures are kept by which a camera's view is known again, so that a restart doesn't
take a nudged camera's view for the right one.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from camera_ingest.health.views import Grey
from contracts import CameraId
from plumbing.logs import get_logger

_log = get_logger("camera_ingest")


class References(Protocol):
    """Small grey pictures by camera and by the key of the pose that they belong to."""

    def load(self, camera_id: CameraId, view_key: str) -> Grey | None:
        """The picture kept under the key, if any."""
        ...

    def save(self, camera_id: CameraId, view_key: str, picture: Grey) -> None:
        """Keep a picture; those of the camera's other keys may be dropped."""
        ...


class ReferencesInMemory:
    """Kept for the life of the process only."""

    def __init__(self) -> None:
        self._kept: dict[CameraId, tuple[str, Grey]] = {}

    def load(self, camera_id: CameraId, view_key: str) -> Grey | None:
        """See `References`."""
        kept = self._kept.get(camera_id)
        return kept[1] if kept is not None and kept[0] == view_key else None

    def save(self, camera_id: CameraId, view_key: str, picture: Grey) -> None:
        """See `References`."""
        self._kept[camera_id] = view_key, picture


class ReferencesInFolder:
    """PNG files, one a camera. A disk that fails costs a log line, never the watching."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, camera_id: CameraId, view_key: str) -> Grey | None:
        """See `References`."""
        try:
            data = self._file(camera_id, view_key).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            _log.warning("reference_unreadable", camera_id=camera_id, why=error.strerror)
            return None
        picture = (
            cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE) if data else None
        )
        if picture is None:
            _log.warning("reference_damaged", camera_id=camera_id)
            return None
        return np.asarray(picture, dtype=np.uint8)

    def save(self, camera_id: CameraId, view_key: str, picture: Grey) -> None:
        """See `References`."""
        file = self._file(camera_id, view_key)
        _, encoded = cv2.imencode(".png", picture)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            partial = file.with_suffix(f".{os.getpid()}.part")
            partial.write_bytes(encoded.tobytes())
            partial.replace(file)
            for old in file.parent.glob(f"{_digest(camera_id)}-*.png"):
                if old != file:
                    old.unlink(missing_ok=True)
        except OSError as error:
            _log.warning("reference_not_kept", camera_id=camera_id, why=error.strerror)

    def _file(self, camera_id: CameraId, view_key: str) -> Path:
        # Ids and keys may hold anything; their digests are lawful names everywhere.
        return self._folder / f"{_digest(camera_id)}-{_digest(view_key)}.png"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]
