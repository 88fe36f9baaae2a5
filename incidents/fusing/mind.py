"""Fusion's working memory: both partitions, the cameras, and what places are called.

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
    Estimate,
    Hazard,
    Incident,
    IncidentId,
    LearntFigure,
    LogEntry,
    LogKind,
    LonLat,
    Report,
)
from contracts.cameras import CameraHealth
from geo.fusion import Fusion, FusionParameters
from geo.fusion.learning import calibrated
from geo.projection import LocalProjection
from geo.visibility import RankedCamera
from incidents.fusing.application import Outcome
from incidents.fusing.configured import load_areas, load_buildings, parameters_of, with_areas
from incidents.fusing.known_cameras import KnownCameras
from incidents.fusing.learnt import parameters_with
from incidents.fusing.memory import FusionMemory, restored
from plumbing.logs import get_logger
from plumbing.settings import CitySettings, FusionSettings

_log = get_logger(__name__)

VIEWS = 6
"""Cameras named an incident: what fits beside a map."""
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
        self._cameras = KnownCameras(
            self._projection, load_buildings(city.buildings, self._projection)
        )
        self._partitions: dict[bool, Fusion] = {}
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
            self._cameras.replace_all(cameras, healths)
            for exercise in (False, True):
                fusion = self._fresh(exercise)
                if memory is not None and not restored(fusion, memory, exercise):
                    fusion = self._fresh(exercise)
                self._partitions[exercise] = fusion
                self._cameras.look(fusion, exercise=exercise)

    def _fresh(self, exercise: bool) -> Fusion:
        # What reality teaches is no part of an exercise, as little as the other way round.
        parameters = self._assumed if exercise else self._parameters
        fusion = Fusion(parameters, self._projection, {})
        self._cameras.place_all(fusion, exercise=exercise)
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
                    fusion = self._partitions[camera.exercise]
                    if entry.kind is LogKind.CAMERA_REMOVED:
                        self._cameras.remove(fusion, camera.id)
                    else:
                        self._cameras.save(fusion, camera)
                    changed.add(camera.exercise)
                case CameraHealth() as health:
                    self._cameras.note_health(self._partitions, health)
                    looks_changed.add(entry.exercise)
                case _:
                    continue
        for exercise in changed | looks_changed:
            self._cameras.look(self._partitions[exercise], exercise=exercise)
        return bool(changed)

    def look_again(self, now: datetime) -> dict[IncidentId, Estimate]:
        """What is thought of the incidents of which cameras could have seen something by now."""
        with self._turn:
            return {
                incident_id: self._bent(estimate)
                for partition in self._partitions.values()
                for incident_id, estimate in partition.refresh(now.timestamp()).items()
            }

    def forget(self, silent_since: datetime) -> None:
        """Drop what nothing has been heard of since a time."""
        with self._turn:
            for partition in self._partitions.values():
                partition.forget(silent_since.timestamp())

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
        return self._cameras.seeing(place, radius_m, exercise, hazard)
