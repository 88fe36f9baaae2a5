"""What is known of each camera's clutter, kept across restarts.

Habits (what always fires where) and how wet the road looks when it is dry are learnt here and kept
in a folder, a file a camera. What people rejected comes from them by way of the bus, whole,
whenever a camera is taken or a verdict is passed; its pictures come from the evidence store.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts import CameraId, EvidenceId
from contracts.verdicts import Verdict
from detection.appearance import small_copy
from detection.clutter import ClutterMap, Habits, Learnt, learnt_from
from detection.restlessness import Restlessness
from detection.road_reference import RoadReference
from plumbing.evidence import EvidenceError, EvidenceStore
from plumbing.logs import get_logger

_log = get_logger(__name__)

PICTURES_KEPT = 256
"""Small pictures of verdicts that are read again with each new verdict on their camera."""


class ClutterMaps:
    """The maps of a worker's cameras. One thread at a time."""

    def __init__(self, folder: Path | None = None) -> None:
        """`folder` is where habits are kept; without one they last as long as the process."""
        self._folder = folder
        self._maps: dict[CameraId, tuple[str, ClutterMap]] = {}
        self._learnt: dict[CameraId, Learnt] = {}
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    def of(self, camera_id: CameraId, view_key: str = "") -> ClutterMap:
        """A camera's map. Another `view_key` is another view: its habits are none of the old."""
        known = self._maps.get(camera_id)
        if known is not None and known[0] == view_key:
            return known[1]
        clutter = self._read(camera_id, view_key)
        clutter.know(self._learnt.get(camera_id, Learnt()))
        self._maps[camera_id] = (view_key, clutter)
        return clutter

    def learn(self, learnt: Mapping[CameraId, Learnt]) -> None:
        """Take over what people decided; at once also for cameras that are being watched."""
        self._learnt.update(learnt)
        for camera_id in learnt.keys() & self._maps.keys():
            self._maps[camera_id][1].know(learnt[camera_id])

    def forget(self, camera_id: CameraId) -> None:
        """The camera has left: its habits go to the folder."""
        self.save([camera_id])
        self._maps.pop(camera_id, None)

    def save(self, camera_ids: Iterable[CameraId] | None = None) -> None:
        """Write the habits of some cameras, or of all. What can't be written is said and kept."""
        if self._folder is None:
            return
        for camera_id in list(self._maps if camera_ids is None else camera_ids):
            if camera_id not in self._maps:
                continue
            view_key, clutter = self._maps[camera_id]
            body = {
                "view_key": view_key,
                "habits": clutter.habits.to_plain(),
                "road": clutter.road.to_plain(),
                "crashes": clutter.crashes.to_plain(),
                "restlessness": clutter.restlessness.to_plain(),
            }
            path = self._path(self._folder, camera_id)
            part = path.with_suffix(".part")
            try:
                part.write_text(json.dumps(body))
                part.replace(path)
            except OSError as error:
                _log.error("habits can't be kept", camera=camera_id, why=error.strerror)

    def _read(self, camera_id: CameraId, view_key: str) -> ClutterMap:
        if self._folder is None:
            return ClutterMap()
        try:
            body = json.loads(self._path(self._folder, camera_id).read_text())
            if body["view_key"] != view_key:
                return ClutterMap()
            # Files of earlier versions say nothing of roads and crashes.
            road = RoadReference.from_plain(body.get("road", {}))
            crashes = Habits.from_plain(body.get("crashes", {}))
            restlessness = Restlessness.from_plain(body.get("restlessness", {}))
            return ClutterMap(Habits.from_plain(body["habits"]), road, crashes, restlessness)
        except FileNotFoundError:
            return ClutterMap()
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            _log.error("habits can't be read; learning anew", camera=camera_id, why=str(error))
            return ClutterMap()

    @staticmethod
    def _path(folder: Path, camera_id: CameraId) -> Path:
        # A camera's name may hold anything; a file's name may not.
        return folder / f"{quote(camera_id, safe='')}.json"


class VerdictReader:
    """Verdicts to what they teach, with their pictures; for any one thread."""

    def __init__(self, evidence: EvidenceStore) -> None:
        self._evidence = evidence
        self._pictures: OrderedDict[EvidenceId, NDArray[np.uint8] | None] = OrderedDict()

    def read(self, verdicts: Mapping[CameraId, Sequence[Verdict]]) -> dict[CameraId, Learnt]:
        """What people's decisions teach, a camera."""
        return {camera: learnt_from(some, self._picture_of) for camera, some in verdicts.items()}

    def _picture_of(self, verdict: Verdict) -> NDArray[np.uint8] | None:
        if verdict.picture_id is None:
            return None
        if verdict.picture_id not in self._pictures:
            self._pictures[verdict.picture_id] = self._load(verdict.picture_id)
            while len(self._pictures) > PICTURES_KEPT:
                self._pictures.popitem(last=False)
        return self._pictures[verdict.picture_id]

    def _load(self, picture_id: EvidenceId) -> NDArray[np.uint8] | None:
        try:
            content, _ = self._evidence.get(picture_id)
        except EvidenceError as error:
            # Place and size alone tell less, but something.
            _log.warning("a verdict's picture is gone", picture=picture_id, why=str(error))
            return None
        decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
        if decoded is None:
            return None
        return small_copy(np.ascontiguousarray(decoded[..., ::-1], dtype=np.uint8))
