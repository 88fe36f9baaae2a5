"""The simulated cities: which cameras they have, what happens when, and who calls.

Making a city draws nothing; pictures are drawn when its cameras are served (`simulator.serve`).
"""

from __future__ import annotations

import heapq
import itertools
import math
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import av
import numpy as np

from contracts import Camera, CameraId, CameraPose, Hazard, LonLat
from geo.projection import LocalProjection
from simulator import streets
from simulator.callers import PUBLISHED_A_DAY, PUBLISHED_SHARES, SimulatedCall, calls_about
from simulator.events import TrueEvent, script_of, true_event
from simulator.mapfile import read_geojson
from simulator.rtsp import UnplayableVideoError
from simulator.scenario import (
    CameraPlan,
    FalseCallPlan,
    MapPlan,
    Scenario,
    named,
)
from simulator.scene.conditions import BY_NAME, Change, Conditions
from simulator.scene.place import Place
from simulator.scene.script import Script

GROUP = "Simulasi"
EVERYDAY = "everyday"
"""The library's scenario that a demonstration plays where none is named."""
_WIDTH_PX, _HEIGHT_PX = 1280, 720
_VIDEO_SUFFIXES = {".mp4", ".mkv", ".mov", ".ts", ".avi", ".webm", ".m4v"}
_UNSEEN = (Hazard.MEDICAL, Hazard.DISASTER, Hazard.CRIME, Hazard.OTHER)
_OTHER_CALLS_SPREAD_M = 260.0


@dataclass(frozen=True, slots=True)
class SimulatedCamera:
    """A camera and the path it is served at. Its URL has no port until a server serves it."""

    camera: Camera
    path: str
    place_index: int = 0
    dirt: float = 0.0
    shake_px: float = 0.0


class SimulatedCity(Protocol):
    """What can be served and demonstrated."""

    @property
    def cameras(self) -> Sequence[SimulatedCamera]:
        """All cameras, in a steady order."""
        ...

    def calls(self) -> Iterator[SimulatedCall]:
        """The calls in order of time; may never end."""
        ...

    def background_geojson(self) -> dict[str, Any]:
        """A FeatureCollection to draw the map on."""
        ...


@dataclass(frozen=True, slots=True)
class _Mast:
    """Where a camera stands and looks, in a place's frame."""

    side: str
    a: float
    b: float
    to_a: float
    to_b: float


# Two cameras a junction, each from its own end of the main road, over the same far pavement; two
# more by the minor road, where a scenario asks for them.
_MASTS = (
    _Mast("Barat", -22.0, -10.6, 2.0, 6.0),
    _Mast("Timur", 22.0, -10.6, -2.0, 6.0),
    _Mast("Utara", -6.6, 31.0, 6.0, 4.0),
    _Mast("Selatan", 6.8, -31.0, 4.0, 4.0),
)
_USUAL_MASTS = 2


@dataclass(frozen=True)
class City:
    """A scenario's city: junctions with drawn cameras, what happens there, and callers."""

    scenario: Scenario
    projection: LocalProjection
    places: tuple[Place, ...]
    cameras: list[SimulatedCamera]
    _scripts: dict[int, Script] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, scenario: Scenario, centre: LonLat) -> City:
        """The city of a scenario about a centre.

        Raises:
            ScenarioError: its map's file can't be used.
        """
        projection = LocalProjection(centre)
        if scenario.map.geojson is not None:
            places = streets.from_geojson(scenario.map.geojson, projection, scenario.seed)
        else:
            places = streets.lay_out(scenario.map.junctions, scenario.seed)
        plans = _camera_plans(scenario, len(places))
        cameras = [
            _mounted(places[plan.junction], plan, projection, scenario.seed) for plan in plans
        ]
        return cls(scenario, projection, tuple(places), cameras)

    @classmethod
    def demo(
        cls,
        cameras: int,
        seed: int,
        centre: LonLat,
        *,
        scenario: str | Scenario = EVERYDAY,
    ) -> City:
        """A scenario with another number of cameras and another seed.

        Raises:
            ValueError: not a number of cameras that the city can have.
            ScenarioError: there is no such scenario.
        """
        if not 1 <= cameras <= 1_000:
            raise ValueError(f"the demonstration has 1 to 1000 cameras, not {cameras}")
        known = named(scenario) if isinstance(scenario, str) else scenario
        junctions = max(known.map.junctions, math.ceil(cameras / _USUAL_MASTS))
        plan = MapPlan(junctions=junctions, geojson=known.map.geojson)
        # A camera that isn't there has no faults.
        faults = tuple(fault for fault in known.faults if fault.camera < cameras)
        update = {"cameras": cameras, "seed": seed, "map": plan, "faults": faults}
        return cls.of(known.model_copy(update=update), centre)

    @property
    def seed(self) -> int:
        """The scenario's."""
        return self.scenario.seed

    @property
    def under(self) -> Conditions:
        """The conditions that all cameras share."""
        return BY_NAME[self.scenario.conditions]

    def place_of(self, index: int) -> Place:
        """The junction of the camera at an index of `cameras`."""
        return self.places[self.cameras[index].place_index]

    def conditions_of(self, index: int) -> Conditions:
        """What the camera at an index of `cameras` sees through at the beginning."""
        return self._through(index, self.under)

    def changes_of(self, index: int) -> tuple[Change, ...]:
        """What becomes of that while the scenario is played."""
        return tuple(
            Change(plan.at_s, plan.over_s, self._through(index, BY_NAME[plan.conditions]))
            for plan in self.scenario.weather
        )

    def _through(self, index: int, under: Conditions) -> Conditions:
        """Conditions seen through a camera's own dirt, from its own mast."""
        camera = self.cameras[index]
        if camera.dirt or camera.shake_px:
            under = replace(
                under,
                dirt=max(under.dirt, camera.dirt),
                shake_px=max(under.shake_px, camera.shake_px),
            )
        return under

    def script(self, place_index: int) -> Script:
        """What happens at a junction; made when it is first asked for."""
        if place_index not in self._scripts:
            self._scripts[place_index] = script_of(
                self.scenario, place_index, self.places[place_index].seed
            )
        return self._scripts[place_index]

    def first_place(self) -> int:
        """The junction where something is first to be seen."""
        seen = [event for event in self.round_of_events(0) if event.is_seen]
        return min(seen, key=lambda event: event.starts_s).place_index if seen else 0

    def round_of_events(self, number: int) -> list[TrueEvent]:
        """Everything that happens in the ``number``-th round of the scenario, by its start."""
        if number and not self.scenario.repeats:
            return []
        found = [
            true_event(self.scenario, index, self.places, self.projection, number)
            for index in range(len(self.scenario.events))
        ]
        return sorted(found, key=lambda event: (event.starts_s, event.id))

    def events(self, until_s: float) -> list[TrueEvent]:
        """Everything that begins before a time of the city."""
        rounds = math.ceil(until_s / self.scenario.seconds) if self.scenario.repeats else 1
        found = [e for number in range(max(1, rounds)) for e in self.round_of_events(number)]
        return [event for event in found if event.starts_s < until_s]

    def calls(self) -> Iterator[SimulatedCall]:
        """See `SimulatedCity.calls`: about the events, and about what no camera sees."""
        return heapq.merge(self._event_calls(), self._other_calls(), key=lambda call: call.after_s)

    def _event_calls(self) -> Iterator[SimulatedCall]:
        waiting: list[tuple[float, int, SimulatedCall]] = []
        order = itertools.count()
        rounds = itertools.count() if self.scenario.repeats else range(1)
        for number in rounds:
            for event in self.round_of_events(number):
                while waiting and waiting[0][0] <= event.starts_s:
                    yield heapq.heappop(waiting)[2]
                for call in self._calls_about(event, number):
                    heapq.heappush(waiting, (call.after_s, next(order), call))
            if not self.scenario.events and self.scenario.repeats:
                break
        while waiting:
            yield heapq.heappop(waiting)[2]

    def _calls_about(self, event: TrueEvent, number: int) -> list[SimulatedCall]:
        plan = self.scenario.events[event.index]
        callers = plan.callers
        claimed = plan.hazard if isinstance(plan, FalseCallPlan) else event.hazard
        if callers is None or claimed is None or callers.count == 0:
            return []
        place = self.places[event.place_index]
        x, y = place.to_plane(np.array([(event.a, event.b)]))[0]
        return calls_about(
            event.id,
            claimed,
            (float(x), float(y)),
            f"Simpang {place.name}",
            event.starts_s,
            self.projection,
            zlib.crc32(f"{self.seed}/{event.index}/{number}".encode()),
            mean_callers=callers.mean,
            mean_delay_s=callers.delay_s,
            standoff_scale=callers.standoff_scale,
            count=callers.count,
            wrong_kind=callers.wrong_kind,
            later_fixes=callers.later_fixes,
        )

    def _other_calls(self) -> Iterator[SimulatedCall]:
        """Of the kinds no camera sees, at the shares that the city publishes."""
        plan = self.scenario.other_calls
        if plan is None:
            return
        random = np.random.default_rng((self.seed, 112))
        shares = np.array([PUBLISHED_SHARES[kind] for kind in _UNSEEN])
        gap_s = 86_400 / (PUBLISHED_A_DAY * float(shares.sum()) * plan.times_published)
        at_s = plan.from_s
        for number in itertools.count():
            at_s += float(random.exponential(gap_s))
            if not self.scenario.repeats and at_s > self.scenario.seconds:
                return
            hazard = _UNSEEN[int(random.choice(len(_UNSEEN), p=shares / shares.sum()))]
            place = self.places[int(random.integers(len(self.places)))]
            where = np.array((place.x, place.y)) + random.normal(0, _OTHER_CALLS_SPREAD_M, 2)
            (call,) = calls_about(
                f"{hazard.value}-elsewhere-{number}",
                hazard,
                (float(where[0]), float(where[1])),
                f"Simpang {place.name}",
                at_s,
                self.projection,
                self.seed * 104_729 + number,
                count=1,
            )
            yield replace(call, after_s=at_s)

    def background_geojson(self) -> dict[str, Any]:
        """See `SimulatedCity.background_geojson`."""
        if self.scenario.map.geojson is not None:
            return read_geojson(self.scenario.map.geojson)
        return streets.geojson(list(self.places), self.projection)


def _camera_plans(scenario: Scenario, junctions: int) -> list[CameraPlan]:
    if not isinstance(scenario.cameras, int):
        return [plan for plan in scenario.cameras if plan.junction < junctions]
    plans = [
        CameraPlan.model_validate({"junction": index // 2, "mast": _MASTS[index % 2].side})
        for index in range(scenario.cameras)
    ]
    return [plan for plan in plans if plan.junction < junctions]


def _mounted(
    place: Place, plan: CameraPlan, projection: LocalProjection, seed: int
) -> SimulatedCamera:
    mast = next(mast for mast in _MASTS if mast.side == plan.mast)
    name = f"ATCS Simpang {place.name} {mast.side}"
    path = f"{place.name}-{mast.side}".lower().replace(" ", "-")
    # By its name: a camera hangs the same in every scenario of a seed.
    random = np.random.default_rng((seed, zlib.crc32(path.encode())))
    ends = place.to_plane(np.array([(mast.a, mast.b), (mast.to_a, mast.to_b)]))
    east, north = ends[1] - ends[0]
    position = projection.place(float(ends[0][0]), float(ends[0][1]))
    turn_rad = math.atan2(east, north) - projection.convergence_rad(*(float(v) for v in ends[0]))
    pose = CameraPose(
        position=position,
        height_m=round(float(random.uniform(7.4, 8.8)), 2),
        bearing_deg=round(math.degrees(turn_rad) % 360, 2),
        tilt_deg=round(float(random.uniform(-13.5, -11.5)), 2),
        hfov_deg=72.0,
        width_px=_WIDTH_PX,
        height_px=_HEIGHT_PX,
        range_m=130.0,
        position_sigma_m=0.5,
        height_sigma_m=0.1,
        bearing_sigma_deg=0.4,
        tilt_sigma_deg=0.2,
        roll_sigma_deg=0.2,
        hfov_sigma_pct=1.0,
    )
    camera = _camera(f"sim-{path}", name, path, pose)
    return SimulatedCamera(camera, path, place.index, plan.dirt, plan.shake_px)


def _camera(camera_id: str, name: str, path: str, pose: CameraPose) -> Camera:
    return Camera(
        id=CameraId(camera_id),
        name=name,
        url=f"rtsp://127.0.0.1/{path}",
        position=pose.position,
        pose=pose,
        group=GROUP,
        exercise=True,
    )


@dataclass(frozen=True)
class VideoCity:
    """A folder's videos as cameras, a loop each, in a ring about the centre. Nobody calls."""

    projection: LocalProjection
    files: tuple[Path, ...]
    cameras: list[SimulatedCamera]

    @classmethod
    def from_folder(cls, folder: Path, centre: LonLat) -> VideoCity:
        """All videos in a folder, by name.

        Raises:
            UnplayableVideoError: there is none, or one can't be opened.
        """
        try:
            files = sorted(f for f in folder.iterdir() if f.suffix.lower() in _VIDEO_SUFFIXES)
        except OSError as error:
            raise UnplayableVideoError(folder, f"can't be read ({error.strerror})") from error
        if not files:
            kinds = ", ".join(sorted(_VIDEO_SUFFIXES))
            raise UnplayableVideoError(folder, f"holds no video ({kinds})")
        projection = LocalProjection(centre)
        cameras = [_around(file, index, len(files), projection) for index, file in enumerate(files)]
        return cls(projection, tuple(files), cameras)

    def calls(self) -> Iterator[SimulatedCall]:
        """None: what happens in the videos is not known here."""
        return iter(())

    def background_geojson(self) -> dict[str, Any]:
        """See `SimulatedCity.background_geojson`: the streets of the demonstration city."""
        return streets.geojson(streets.lay_out(1, 0), self.projection)


def _around(file: Path, index: int, count: int, projection: LocalProjection) -> SimulatedCamera:
    """A camera on a ring, 700 m from the next, which looks outwards as a street camera does."""
    width, height = _size_of(file)
    turn = 2 * math.pi * index / count
    ring_m = max(350.0, 700.0 * count / (2 * math.pi))
    pose = CameraPose(
        position=projection.place(ring_m * math.sin(turn), ring_m * math.cos(turn)),
        height_m=8.0,
        bearing_deg=round(math.degrees(turn) % 360, 2),
        tilt_deg=-15.0,
        hfov_deg=60.0,
        width_px=width,
        height_px=height,
        range_m=120.0,
    )
    name = file.stem.replace("_", " ")
    path = "".join(c if c.isalnum() or c in "-_." else "-" for c in file.stem)
    return SimulatedCamera(_camera(f"video-{path}"[:80], name[:200], path, pose), path)


def _size_of(file: Path) -> tuple[int, int]:
    try:
        with av.open(str(file)) as container:
            if not container.streams.video:
                raise UnplayableVideoError(file, "holds no video")
            stream = container.streams.video[0]
            return stream.width, stream.height
    except av.FFmpegError as error:
        why = f"is no video that can be read ({error.strerror})"
        raise UnplayableVideoError(file, why) from error
