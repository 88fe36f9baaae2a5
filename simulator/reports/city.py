"""Makes a city in numbers: the same for the same seed."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contracts import CameraId, CameraPose, Hazard, LonLat
from geo.camera import PinholeCamera
from geo.projection import LocalProjection
from geo.visibility import VisibilityIndex
from simulator.reports.assumptions import SEEN_BY_CAMERAS, CityAssumptions
from simulator.reports.lines import DetectionLine, Line
from simulator.reports.telephones import Telephones
from simulator.reports.truth import TrueEvent, at

Floats = NDArray[np.float64]

CENTRE = LonLat(106.992, -6.2383)
WIDTH_PX, HEIGHT_PX = 1920, 1080


@dataclass(frozen=True, slots=True)
class NumericCity:
    """Reports in order of receipt, and the truth.

    Attributes:
        truth: a report line's id to the event it is about; None for clutter and nonsense.
        outages: of a camera, when it is away, in seconds after ``START``.
    """

    assumptions: CityAssumptions
    projection: LocalProjection
    poses: Mapping[CameraId, CameraPose]
    true_cameras: Mapping[CameraId, PinholeCamera]
    outages: Mapping[CameraId, tuple[float, float]]
    events: tuple[TrueEvent, ...]
    lines: tuple[Line, ...]
    truth: Mapping[str, int | None]


def make_city(assumptions: CityAssumptions, seed: int) -> NumericCity:
    """A city, its day, and what was reported of it."""
    return _Maker(assumptions, seed).make()


class _Maker:
    def __init__(self, assumptions: CityAssumptions, seed: int) -> None:
        self.a = assumptions
        self.random = np.random.default_rng(seed)
        self.projection = LocalProjection(CENTRE)
        self.lines: list[Line] = []
        self.truth: dict[str, int | None] = {}
        self.half_m = assumptions.side_m / 2
        self.days = assumptions.hours / 24
        self.km2 = assumptions.side_m**2 / 1e6

    def make(self) -> NumericCity:
        poses = self._poses()
        true_cameras = {name: self._true_camera(pose) for name, pose in poses.items()}
        events = self._events()
        outages = self._outages(poses)
        telephones = Telephones(self.a, self.random, self.projection, self.lines, self.truth)
        for event in events:
            telephones.about(event)
        telephones.nonsense(self.half_m, self.days)
        skews = self._skews(poses)
        index = VisibilityIndex.build(poses, self.projection)
        for event in events:
            if event.hazard in SEEN_BY_CAMERAS:
                self._seen(event, index, true_cameras, outages, skews)
        self._clutter(tuple(poses), outages, skews)
        self.lines.sort(key=lambda line: (line.received_at, line.id))
        return NumericCity(
            self.a,
            self.projection,
            poses,
            true_cameras,
            outages,
            tuple(events),
            tuple(self.lines),
            self.truth,
        )

    def _poses(self) -> dict[CameraId, CameraPose]:
        poses = {}
        for number in range(self.a.cameras):
            x, y = self.random.uniform(-self.half_m, self.half_m, 2)
            poses[CameraId(f"cam-{number:05d}")] = CameraPose(
                position=self.projection.place(x, y),
                height_m=float(self.random.uniform(6, 12)),
                bearing_deg=float(self.random.uniform(0, 360)),
                tilt_deg=float(self.random.uniform(-22, -10)),
                hfov_deg=float(self.random.uniform(50, 85)),
                width_px=WIDTH_PX,
                height_px=HEIGHT_PX,
                position_sigma_m=1.0,
                height_sigma_m=0.2,
                bearing_sigma_deg=1.0,
                tilt_sigma_deg=0.5,
                roll_sigma_deg=0.5,
                hfov_sigma_pct=1.0,
            )
        return poses

    def _true_camera(self, pose: CameraPose) -> PinholeCamera:
        told = PinholeCamera.from_pose(pose, self.projection)
        off = self.random.multivariate_normal(np.zeros(8), told.covariance)
        theta = told.theta + self.a.camera_noise * off
        names = ("x", "y", "h", "yaw", "pitch", "roll", "log_f", "k1")
        return dataclasses.replace(told, **dict(zip(names, theta.tolist(), strict=True)))

    def _outages(self, poses: Mapping[CameraId, CameraPose]) -> dict[CameraId, tuple[float, float]]:
        day_s = self.a.hours * 3600
        found = {}
        for name in poses:
            if self.random.random() < self.a.outage_share:
                start = float(self.random.uniform(-3600, day_s))
                found[name] = (start, start + float(self.random.exponential(3 * 3600)))
        return found

    def _skews(self, poses: Mapping[CameraId, CameraPose]) -> dict[CameraId, float]:
        return {
            name: float(self.random.uniform(-1, 1)) * self.a.skew_s
            for name in poses
            if self.random.random() < self.a.skewed_share
        }

    def _events(self) -> list[TrueEvent]:
        rates = np.array([self.a.events_per_km2_day.get(hazard, 0.0) for hazard in Hazard])
        kinds = list(Hazard)
        shares = rates / rates.sum()
        found: list[TrueEvent] = []

        def kind() -> Hazard:
            return kinds[int(self.random.choice(len(kinds), p=shares))]

        for _ in range(self.random.poisson(rates.sum() * self.km2 * self.days)):
            x, y = self.random.uniform(-self.half_m, self.half_m, 2).tolist()
            onset_s = float(self.random.uniform(0, self.a.hours * 3600))
            first = TrueEvent(len(found), kind(), (x, y), onset_s)
            found.append(first)
            if self.random.random() < self.a.sibling_share:
                away = self.random.uniform(*self.a.sibling_m)
                turn = self.random.uniform(0, 2 * math.pi)
                hazard = first.hazard if self.random.random() < self.a.sibling_same else kind()
                xy = (x + away * math.cos(turn), y + away * math.sin(turn))
                later_s = float(self.random.uniform(0, self.a.sibling_min * 60))
                found.append(TrueEvent(len(found), hazard, xy, onset_s + later_s))
        return found

    def _seen(
        self,
        event: TrueEvent,
        index: VisibilityIndex,
        cameras: Mapping[CameraId, PinholeCamera],
        outages: Mapping[CameraId, tuple[float, float]],
        skews: Mapping[CameraId, float],
    ) -> None:
        lon, lat = self.projection.to_lonlat(*event.xy)
        for one in index.cameras_seeing(float(lon), float(lat)):
            if self.random.random() > self.a.detection_probability:
                continue
            found_s = event.onset_s + self.random.exponential(self.a.found_after_s)
            start, end = outages.get(one.camera_id, (math.inf, math.inf))
            if start <= found_s <= end:
                continue
            pixels, seen = cameras[one.camera_id].project(np.array([[*event.xy, 0.0]]))
            u, v = pixels[0] + self.random.normal(0, self.a.foot_sigma_px * self.a.camera_noise, 2)
            if not seen[0] or not (0 <= u <= WIDTH_PX and 40 <= v <= HEIGHT_PX):
                continue
            llr = self.random.normal(*self.a.llr_true)
            self._track(one.camera_id, found_s, (u, v), event.hazard, llr, skews, event.number)

    def _clutter(
        self,
        cameras: tuple[CameraId, ...],
        outages: Mapping[CameraId, tuple[float, float]],
        skews: Mapping[CameraId, float],
    ) -> None:
        a, random = self.a, self.random
        kinds = sorted(SEEN_BY_CAMERAS)
        for name in cameras:
            rate = random.gamma(a.clutter_shape, a.clutter_per_camera_day / a.clutter_shape)
            spot = self._anywhere()
            spot_kind = kinds[int(random.integers(len(kinds)))]
            for _ in range(random.poisson(rate * self.days)):
                seen_s = float(random.uniform(0, a.hours * 3600))
                at_spot = random.random() < a.clutter_at_spots
                foot = spot + random.normal(0, 6, 2) if at_spot else self._anywhere()
                kind = spot_kind if at_spot else kinds[int(random.integers(len(kinds)))]
                llr = random.normal(*a.llr_clutter)
                start, end = outages.get(name, (math.inf, math.inf))
                if not start <= seen_s <= end:
                    self._track(name, seen_s, (foot[0], foot[1]), kind, llr, skews, None)

    def _anywhere(self) -> Floats:
        return np.asarray(self.random.uniform((60, 0.3 * HEIGHT_PX), (WIDTH_PX - 60, HEIGHT_PX)))

    def _track(
        self,
        camera_id: CameraId,
        seen_s: float,
        foot: tuple[float, float],
        hazard: Hazard,
        llr: float,
        skews: Mapping[CameraId, float],
        truth: int | None,
    ) -> None:
        """One to three reports of a track, whose evidence grows to ``llr``."""
        track = f"t{len(self.lines)}"
        width, height = self.random.uniform(30, 160, 2).tolist()
        u, v = foot
        reports = int(self.random.integers(1, 4))
        for number in range(reports):
            shot_s = seen_s + 5.0 * number
            name = f"{camera_id}-{track}-{number}"
            share = (number + 1) / reports if llr > 0 else 1.0
            self.lines.append(
                DetectionLine(
                    name,
                    at(shot_s + 0.3 + float(self.random.exponential(0.4))),
                    camera_id,
                    track,
                    at(shot_s + skews.get(camera_id, 0.0)),
                    hazard,
                    (u - width / 2, v - height, u + width / 2, v),
                    float(np.clip(llr * share, -20, 20)),
                )
            )
            self.truth[name] = truth
