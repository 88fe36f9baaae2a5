"""Fusion's working memory: both partitions, where cameras look, and what places are called.

Computing only. It is rebuilt from the database whenever a writer takes over, and after anything
that may have left it half changed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from contracts import (
    Camera,
    CameraId,
    CameraPose,
    CameraState,
    Estimate,
    Hazard,
    Incident,
    IncidentId,
    LearntFigure,
    LogEntry,
    LogKind,
    LonLat,
    Report,
    ViewShift,
)
from contracts.cameras import CameraHealth
from geo.camera import PinholeCamera
from geo.drift import widened
from geo.fusion import Fusion, FusionParameters
from geo.fusion.learning import calibrated
from geo.projection import LocalProjection
from geo.ptz import PtzModel
from geo.sights import KnownSights, Sights
from geo.visibility import RankedCamera
from incidents.fusing.application import Outcome
from incidents.fusing.configured import load_areas, load_buildings, parameters_of, with_areas
from incidents.fusing.learnt import parameters_with
from incidents.fusing.memory import FusionMemory, restored
from plumbing.logs import get_logger
from plumbing.settings import CitySettings, FusionSettings

_log = get_logger(__name__)

VIEWS = 6
"""Cameras named an incident: what fits beside a map."""
LOOKS = {CameraState.LIVE: 1.0, CameraState.WRONG_CLOCK: 1.0, CameraState.LOW_RATE: 0.6}
"""Cameras that show what is there, by their state, and the share of what they would report. A wrong
clock shows it none the worse; of few pictures some things are too quick. A moved camera shows
something, but not what its pose says; one of which nothing is known may show nothing."""
AROUND_M = 15.0
"""A view is good if it shows what is around the spot, too."""


class Mind:
    """Decides about reports.

    `decide`, `note` and `rebuild` are long enough to run in a thread, and come one after another:
    a decision that was cancelled still runs to its end before the memory is rebuilt.
    """

    def __init__(self, city: CitySettings, fusion: FusionSettings) -> None:
        self._projection = LocalProjection(LonLat(city.lon, city.lat))
        self._areas = load_areas(city.areas)
        assumed = parameters_of(fusion, city.timezone)
        self._assumed = with_areas(assumed, fusion, self._areas, self._projection)
        self._parameters = self._assumed
        self._knots: tuple[float, ...] = ()
        """Of the bending of probabilities to what verdicts have taught."""
        self._cameras: dict[CameraId, Camera] = {}
        self._partitions: dict[bool, Fusion] = {}
        self._views: dict[bool, Sights] = {}
        buildings = load_buildings(city.buildings, self._projection)
        self._known_views = {
            exercise: KnownSights(self._projection, buildings) for exercise in (False, True)
        }
        self._unusable: set[CameraId] = set()
        """Cameras with a pose that geometry refuses."""
        self._moved: dict[CameraId, ViewShift | None] = {}
        """Cameras that no longer look where their pose says, and by how much, if that is known."""
        self._live: dict[CameraId, float] = {}
        """Cameras that are known to look, so that it tells something when they see nothing, and
        what share of the time."""
        self._turn = threading.Lock()
        self.rebuild(None, ())

    @property
    def assumed(self) -> FusionParameters:
        """What is configured, before anything was learnt."""
        return self._assumed

    @property
    def memory(self) -> timedelta:
        """How far back a rebuilt memory must reach."""
        # Fusion sweeps once in a while, so that it knows a little more than it promises.
        return self._parameters.forget_after * 1.1

    def rebuild(
        self,
        memory: FusionMemory | None,
        cameras: Iterable[Camera],
        healths: Iterable[CameraHealth] = (),
        learnt: Iterable[LearntFigure] = (),
    ) -> None:
        """Forget everything and take over what the database holds."""
        with self._turn:
            self._parameters, self._knots = parameters_with(self._assumed, learnt)
            known = list(healths)
            self._moved = {
                health.camera_id: health.view_shift
                for health in known
                if health.state is CameraState.MOVED
            }
            self._live = {h.camera_id: LOOKS[h.state] for h in known if h.state in LOOKS}
            self._rebuild(memory, {camera.id: camera for camera in cameras})

    def _rebuild(self, memory: FusionMemory | None, cameras: dict[CameraId, Camera]) -> None:
        self._cameras = cameras
        self._unusable.clear()
        for exercise in (False, True):
            fusion = self._partitions[exercise] = self._fresh(exercise)
            if memory is not None and not restored(fusion, memory, exercise):
                self._partitions[exercise] = self._fresh(exercise)
            self._look(exercise)

    def _fresh(self, exercise: bool) -> Fusion:
        # What reality teaches is no part of an exercise, as little as the other way round.
        parameters = self._assumed if exercise else self._parameters
        fusion = Fusion(parameters, self._projection, {})
        for camera in self._of(exercise):
            self._place(fusion, camera)
        return fusion

    def decide(self, reports: Sequence[Report], budget_s: float) -> list[Outcome]:
        """What becomes of reports, in their order, as many as fit in the time (one at least).

        Stops after one that can't be worked with; the memory must be rebuilt then.
        """
        with self._turn:
            return self._decide(reports, budget_s)

    def _decide(self, reports: Sequence[Report], budget_s: float) -> list[Outcome]:
        outcomes: list[Outcome] = []
        until = time.monotonic() + budget_s
        for report in reports:
            try:
                decisions = tuple(
                    replace(decision, estimate=self._bent(decision.estimate))
                    for decision in self._partitions[report.exercise].add(report)
                )
            except Exception as error:  # noqa: BLE001 - one bad report must not stop all others
                _log.exception("a report breaks fusion; it is set aside", report_id=report.id)
                problem = f"{type(error).__name__}: {error}"
                return [*outcomes, Outcome(report, problem=problem)]
            outcomes.append(Outcome(report, decisions))
            if time.monotonic() >= until:
                break
        return outcomes

    def note(self, entries: Iterable[LogEntry]) -> bool:
        """Take in what people did to incidents and cameras; true where cameras changed."""
        with self._turn:
            return self._note(entries)

    def _note(self, entries: Iterable[LogEntry]) -> bool:
        changed: set[bool] = set()
        looks_changed: set[bool] = set()
        for entry in entries:
            match entry.subject:
                case Incident() as incident:
                    self._partitions[entry.exercise].note_human_action(
                        incident.id, ended=not incident.state.is_open
                    )
                case Camera() as camera:
                    removed = entry.kind is LogKind.CAMERA_REMOVED
                    self._set(camera, removed=removed)
                    changed.add(camera.exercise)
                case CameraHealth() as health:
                    self._note_health(health)
                    looks_changed.add(entry.exercise)
                case _:
                    continue
        for exercise in changed | looks_changed:
            self._look(exercise)
        return bool(changed)

    def look_again(self, now: datetime) -> dict[IncidentId, Estimate]:
        """What is thought of the incidents of which cameras could have seen something by now."""
        with self._turn:
            return {
                incident_id: self._bent(estimate)
                for partition in self._partitions.values()
                for incident_id, estimate in partition.refresh(now.timestamp()).items()
            }

    def estimate_of(self, incident_id: IncidentId, exercise: bool) -> Estimate | None:
        """What is thought of an incident now; none where it is not in memory."""
        with self._turn:
            estimate = self._partitions[exercise].estimate(incident_id)
            return None if estimate is None else self._bent(estimate)

    def _bent(self, estimate: Estimate) -> Estimate:
        if estimate.exercise or not self._knots:
            return estimate
        return replace(estimate, probability=calibrated(estimate.probability, self._knots))

    def name_of(self, place: LonLat) -> str:
        """The area that holds a place, or nothing."""
        return "" if self._areas is None else self._areas.name_of(place.lon, place.lat)

    def best_cameras(self, place: LonLat, hazard: Hazard, exercise: bool) -> tuple[CameraId, ...]:
        """The cameras that see an incident's place, best first."""
        return self.cameras_seeing(place, AROUND_M, exercise, VIEWS, hazard)

    def cameras_seeing(
        self,
        place: LonLat,
        radius_m: float,
        exercise: bool,
        most: int,
        hazard: Hazard | None = None,
    ) -> tuple[CameraId, ...]:
        """The enabled cameras that see an event in a disc, of a fire its smoke too; best first."""
        found = self.ranked(place, radius_m, exercise, hazard)[:most]
        return tuple(one.camera_id for one in found)

    def ranked(
        self, place: LonLat, radius_m: float, exercise: bool, hazard: Hazard | None
    ) -> list[RankedCamera]:
        """The same with their chances."""
        return self._views[exercise].cameras_seeing(place.lon, place.lat, radius_m, hazard=hazard)

    def _of(self, exercise: bool) -> list[Camera]:
        return [camera for camera in self._cameras.values() if camera.exercise is exercise]

    def _look(self, exercise: bool) -> None:
        poses: dict[CameraId, CameraPose] = {
            camera.id: camera.pose
            for camera in self._of(exercise)
            if camera.enabled and camera.pose is not None and camera.id not in self._unusable
        }
        self._views[exercise] = self._known_views[exercise].sights(poses)
        fusion = self._partitions[exercise]
        fusion.set_watch(self._views[exercise].ground)
        # A head that turns may look elsewhere.
        fusion.set_live(
            {
                camera_id: self._live[camera_id]
                for camera_id in poses
                if camera_id in self._live and self._cameras[camera_id].head is None
            }
        )

    def _set(self, camera: Camera, *, removed: bool) -> None:
        fusion = self._partitions[camera.exercise]
        if removed:
            self._cameras.pop(camera.id, None)
            self._moved.pop(camera.id, None)
            fusion.set_camera(camera.id, None)
        else:
            known = self._cameras.get(camera.id)
            if known is not None and known.pose != camera.pose:
                # The new pose describes what is seen now.
                self._moved.pop(camera.id, None)
            self._cameras[camera.id] = camera
            self._place(fusion, camera)

    def _note_health(self, health: CameraHealth) -> None:
        camera_id = health.camera_id
        self._live.pop(camera_id, None)
        if health.state in LOOKS:
            self._live[camera_id] = LOOKS[health.state]
        if health.state is CameraState.MOVED:
            self._moved[camera_id] = health.view_shift
        elif health.state is CameraState.LIVE and camera_id in self._moved:
            del self._moved[camera_id]
        else:
            # A moved camera that has stalled is moved still.
            return
        camera = self._cameras.get(camera_id)
        if camera is not None:
            self._place(self._partitions[camera.exercise], camera)

    def _place(self, fusion: Fusion, camera: Camera) -> None:
        self._unusable.discard(camera.id)
        try:
            fusion.set_camera(camera.id, self._view_of(camera))
        except Exception:  # noqa: BLE001 - one bad pose must not stop the whole city
            _log.exception("a camera's pose can't be used; only its place is", camera=camera.id)
            self._unusable.add(camera.id)
            fusion.set_camera(camera.id, camera.position)

    def _view_of(self, camera: Camera) -> CameraPose | PtzModel | LonLat:
        pose = camera.pose
        if pose is None:
            return camera.position
        if camera.head is not None:
            # That a head has turned is its business, and no sign of a blow.
            return PtzModel.of(PinholeCamera.from_pose(pose, self._projection), camera.head)
        return widened(pose, self._moved[camera.id]) if camera.id in self._moved else pose
