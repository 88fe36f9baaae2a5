"""What has been reported, by latent cause: a track's detections, a call and its positions."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from contracts import (
    CallerFix,
    CallReport,
    CameraId,
    CameraPose,
    Detection,
    Hazard,
    IncidentId,
    LonLat,
    Report,
    ReportId,
    Sighting,
    evidence_key,
)
from geo.camera import PinholeCamera
from geo.fields_of_view import view_area_m2
from geo.fusion.chatter import Chatter
from geo.fusion.evidence import CallEvidence, Evidence, TrackEvidence
from geo.fusion.parameters import FusionParameters
from geo.ground import GroundFix, fix_of_detection
from geo.mixture import Mixture
from geo.projection import LocalProjection
from geo.ptz import PtzModel, camera_at

UNPOSED_SIGMA_M = 80.0
UNPOSED_VIEW_KM2 = 0.02
"""A camera of which only the place is known shows what is around it."""
LEAST_ADDED_LLR = 1.0
"""What a track must have said since it jumped to be taken for something else there."""


@dataclass(slots=True)
class Heard:
    """Everything under one evidence key, and the piece of evidence that it comes to.

    ``piece`` is None while there is no place: a call before its first position, a detection of a
    camera that nobody registered.
    """

    key: str
    order: int
    reports: list[ReportId]
    call: CallReport | None = None
    fixes: tuple[CallerFix, ...] = ()
    newest: Detection | None = None
    forgone_llr: float = 0.0
    """What a track had said before it jumped to where it is now."""
    incident: IncidentId | None = None
    piece: Evidence | None = None
    last_s: float = 0.0

    @property
    def is_exercise(self) -> bool:
        """Whether any of it was reported in an exercise."""
        bodies = (self.newest, self.call, *self.fixes)
        return any(body.exercise for body in bodies if body is not None)

    @property
    def placed(self) -> Evidence:
        """The piece of evidence.

        Raises:
            ValueError: there is no place yet.
        """
        if self.piece is None:
            raise ValueError(f"{self.key} has no place")
        return self.piece


_Watching = tuple[PinholeCamera, float] | PtzModel | Mixture
"""A fixed camera with the ground that it shows (km2), one that turns, or a place to see around."""


def _seen_by(camera: _Watching, detection: Detection) -> tuple[GroundFix | Mixture, float]:
    """Where a detection lies, and how much ground its camera showed then, km2."""
    if isinstance(camera, Mixture):
        return camera, UNPOSED_VIEW_KM2
    if isinstance(camera, PtzModel):
        turned = camera_at(camera, detection.head_reports, detection.captured_at)
        if turned is None:
            around = UNPOSED_SIGMA_M**2 * np.eye(2)
            return Mixture.single((camera.base.x, camera.base.y), around), UNPOSED_VIEW_KM2
        camera = turned, view_area_m2(turned) / 1e6
    model, view_km2 = camera
    return fix_of_detection(model, detection), view_km2


class Hearing:
    """Takes reports in, once each, and keeps them by their evidence key."""

    def __init__(self, parameters: FusionParameters, projection: LocalProjection) -> None:
        self._parameters = parameters
        self._projection = projection
        self._cameras: dict[CameraId, _Watching] = {}
        self._heard: dict[str, Heard] = {}
        self._seen: set[ReportId] = set()
        self._chatter = Chatter(parameters)
        self.renewed: list[Heard] = []
        """Of which the last report has changed what they say, itself apart: its camera's other
        tracks, where it adds to the chatter."""
        self.newest_s = -math.inf
        """When the newest report was recorded, seconds since 1970."""

    def __iter__(self) -> Iterator[Heard]:
        return iter(self._heard.values())

    def of(self, piece: Evidence) -> Heard:
        """What a piece of evidence was made of."""
        return self._heard[piece.key]

    def set_camera(self, camera_id: CameraId, pose: CameraPose | PtzModel | LonLat | None) -> None:
        """Add, replace or remove a camera; what it already reported keeps its place."""
        if pose is None:
            self._cameras.pop(camera_id, None)
        elif isinstance(pose, LonLat):
            around = Mixture.single(self._projection.point(pose), UNPOSED_SIGMA_M**2 * np.eye(2))
            self._cameras[camera_id] = around
        elif isinstance(pose, PtzModel):
            self._cameras[camera_id] = pose
        else:
            model = PinholeCamera.from_pose(pose, self._projection)
            self._cameras[camera_id] = model, view_area_m2(model) / 1e6

    def hear(self, report: Report) -> Heard | None:
        """Take one report in; None where it is known already."""
        self.renewed = []
        if report.id in self._seen:
            return None
        self._seen.add(report.id)
        body = report.body
        key = evidence_key(body)
        heard = self._heard.get(key)
        if heard is None:
            heard = self._heard[key] = Heard(key, report.seq, [])
        heard.reports.append(report.id)
        heard.last_s = max(heard.last_s, report.recorded_at.timestamp())
        self.newest_s = max(self.newest_s, heard.last_s)
        if isinstance(body, CallReport):
            heard.call = body
        elif isinstance(body, CallerFix):
            heard.fixes = (*heard.fixes, body)
        elif heard.newest is None or body.captured_at >= heard.newest.captured_at:
            heard.newest = self._as_it_stands(heard, body)
        heard.piece = self._amid_chatter(self._piece(heard))
        return heard

    def _as_it_stands(self, heard: Heard, newest: Detection) -> Detection:
        """The newest detection of a track, for what it says of the place where it is.

        A fire stays where it is. A track that jumps has changed its cause, the flames for the lamp
        behind them, and carries along what it had said of the other: until it says more, it stands
        where it stood; then it says only what it has added.
        """
        known = heard.newest
        camera = self._cameras.get(newest.camera_id)
        said = replace(newest, llr=newest.llr - heard.forgone_llr)
        if known is None or newest.sighting is not Sighting.FIRE or not isinstance(camera, tuple):
            return said
        before, now = (fix_of_detection(camera[0], each) for each in (known, said))
        extent_m = self._parameters.extent_m(Hazard.FIRE)
        if now.apart_from(before, extent_m) <= self._parameters.same_spot_gate:
            return said
        if said.llr < known.llr + LEAST_ADDED_LLR:
            return replace(known, captured_at=newest.captured_at, received_at=newest.received_at)
        heard.forgone_llr += max(0.0, known.llr)
        return replace(newest, llr=newest.llr - heard.forgone_llr)

    def _amid_chatter(self, piece: Evidence | None) -> Evidence | None:
        if not isinstance(piece, TrackEvidence):
            return piece
        lost = self._chatter.note(piece)
        for key, chatter in lost.items():
            other = self._heard[key]
            if isinstance(other.piece, TrackEvidence) and key != piece.key:
                amid = other.piece.amid(chatter)
                if amid is not other.piece:
                    other.piece = amid
                    self.renewed.append(other)
        return piece.amid(lost[piece.key])

    def forget(self, horizon_s: float) -> None:
        """Drop what is of no incident and was last heard of before a time."""
        for key, each in list(self._heard.items()):
            if each.incident is None and each.last_s < horizon_s:
                self._seen.difference_update(each.reports)
                self._chatter.forget(key)
                del self._heard[key]

    def _piece(self, heard: Heard) -> Evidence | None:
        reports = tuple(heard.reports)
        if heard.newest is not None:
            camera = self._cameras.get(heard.newest.camera_id)
            if camera is None:
                return heard.piece
            fix, view_km2 = _seen_by(camera, heard.newest)
            return TrackEvidence(
                heard.key, heard.order, reports, heard.newest, fix, view_km2, self._parameters
            )
        if not heard.fixes:
            return None
        return CallEvidence(
            heard.key,
            heard.order,
            reports,
            heard.call,
            heard.fixes,
            self._projection,
            self._parameters,
        )
