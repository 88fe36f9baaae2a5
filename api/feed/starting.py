"""The snapshot that a reader starts from, as far as its filter lets it through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from api.camera_view import camera_item
from api.wire import snapshot_message
from contracts import Camera, LogKind, LogSubject
from incidents.log import EVERYTHING, LogFilter
from incidents.store import Snapshot
from incidents.tags import joined, tags_of


class _Thing:
    """A thing as an entry of the log would tell of it."""

    def __init__(self, kind: LogKind, subject_id: str, exercise: bool) -> None:
        self.kind = kind
        self.subject_id = subject_id
        self.exercise = exercise


def encoded_snapshot(
    found: Snapshot, only: LogFilter, field_of_view: Callable[[Camera], bytes]
) -> bytes:
    """The message; a reader finds in it what an entry of any kind would have passed for."""
    only = replace(only, kinds=None)

    def passes(kind: LogKind, subject: LogSubject, subject_id: str, exercise: bool) -> bool:
        if only == EVERYTHING:
            return True
        return only.passes(_Thing(kind, subject_id, exercise), joined(tags_of(subject)))

    load = found.desk_load
    cameras = (
        camera_item(camera, found.healths.get(camera.id), field_of_view(camera))
        for camera in found.cameras
        if passes(LogKind.CAMERA_SAVED, camera, camera.id, camera.exercise)
    )
    return snapshot_message(
        found.seq,
        (
            one
            for one in found.incidents
            if passes(LogKind.INCIDENT_UPDATED, one, one.id, one.estimate.exercise)
        ),
        cameras,
        (one for one in found.calls if passes(LogKind.CALL_UPDATED, one, one.id, one.exercise)),
        (one for one in found.units if passes(LogKind.UNIT_SAVED, one, one.id, one.exercise)),
        (one for one in found.shelves if passes(LogKind.SHELF_SAVED, one, one.id, one.exercise)),
        load if load is not None and passes(LogKind.DESK_LOAD, load, load.id, False) else None,
    )
