"""The simulated cities: which cameras they have, what happens when, and who calls.

Making a city draws nothing; pictures are drawn when its cameras are served (`simulator.serve`).
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import av
import numpy as np

from contracts import Camera, CameraId, CameraPose, Hazard, LonLat
from geo.projection import LocalProjection
from simulator import streets
from simulator.callers import SimulatedCall, calls_about
from simulator.rtsp import UnplayableVideoError
from simulator.scene.fires import Fire
from simulator.scene.place import Place

GROUP = "Simulasi"
_WIDTH_PX, _HEIGHT_PX = 1280, 720
_VIDEO_SUFFIXES = {".mp4", ".mkv", ".mov", ".ts", ".avi", ".webm", ".m4v"}

FIRST_FIRE_S = 12.0
_FIRE_EVERY_S = 150.0
_FIRE_BURNS_S = 100.0


@dataclass(frozen=True, slots=True)
class SimulatedCamera:
    """A camera and the path it is served at. Its URL has no port until a server serves it."""

    camera: Camera
    path: str


@dataclass(frozen=True, slots=True)
class FireEvent:
    """A fire's truth: what burns where in which place, and when."""

    fire: Fire
    place: Place
    at: LonLat


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


# Two cameras a junction, each from its own end of the main road, over the same far pavement.
_MASTS = (
    _Mast("Barat", -22.0, -10.6, 2.0, 6.0),
    _Mast("Timur", 22.0, -10.6, -2.0, 6.0),
)
# On the far pavements: by the corners both cameras see it, farther along one does.
_SITES = ((9.5, 9.6), (-10.5, 9.8), (14.0, 9.4), (-14.5, 9.5))


@dataclass(frozen=True)
class City:
    """The demonstration city: junctions with rendered cameras, fires now and then, and callers."""

    projection: LocalProjection
    places: tuple[Place, ...]
    cameras: list[SimulatedCamera]
    seed: int
    first_fire_s: float = FIRST_FIRE_S
    _fires: dict[int, FireEvent] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def demo(
        cls, cameras: int, seed: int, centre: LonLat, *, first_fire_s: float = FIRST_FIRE_S
    ) -> City:
        """A city with so many cameras, two a junction.

        Raises:
            ValueError: not a number of cameras that the city can have.
        """
        if not 1 <= cameras <= 1_000:
            raise ValueError(f"the demonstration has 1 to 1000 cameras, not {cameras}")
        projection = LocalProjection(centre)
        places = streets.lay_out(math.ceil(cameras / len(_MASTS)), seed)
        random = np.random.default_rng(seed)
        found = [_mounted(place, mast, projection, random) for place in places for mast in _MASTS]
        return cls(projection, tuple(places), found[:cameras], seed, first_fire_s)

    def place_of(self, index: int) -> Place:
        """The junction of the camera at an index of `cameras`."""
        return self.places[index // len(_MASTS)]

    def fire(self, number: int) -> FireEvent:
        """The ``number``-th fire, from 0: they never end, and wander through the junctions."""
        if number not in self._fires:
            # Only the latest are asked for again and again.
            if len(self._fires) > 64:
                self._fires.clear()
            self._fires[number] = self._fire(number)
        return self._fires[number]

    def _fire(self, number: int) -> FireEvent:
        place = self.places[number % len(self.places)]
        a, b = _SITES[(number // len(self.places) + number) % len(_SITES)]
        random = np.random.default_rng((self.seed, number))
        onset_s = self.first_fire_s + _FIRE_EVERY_S * number
        if number:
            onset_s += float(random.uniform(-12, 12))
        fire = Fire(
            id=f"fire-{number}",
            a=a + float(random.uniform(-0.8, 0.8)),
            b=b + float(random.uniform(-0.5, 0.5)),
            onset_s=onset_s,
            burns_s=_FIRE_BURNS_S,
            width_m=float(random.uniform(2.2, 3.2)),
            seed=number,
        )
        x, y = place.to_plane(np.array([[fire.a, fire.b]]))[0]
        return FireEvent(fire, place, self.projection.place(float(x), float(y)))

    def fires_at(self, elapsed_s: float) -> list[FireEvent]:
        """What burns at a time of the city."""
        last = max(0, math.ceil((elapsed_s - self.first_fire_s) / _FIRE_EVERY_S) + 1)
        near = (self.fire(number) for number in range(max(0, last - 3), last + 1))
        return [event for event in near if event.fire.size_at(elapsed_s) > 0]

    def calls(self) -> Iterator[SimulatedCall]:
        """See `SimulatedCity.calls`: about the fires, and now and then about something unseen."""
        return heapq.merge(self._fire_calls(), self._other_calls(), key=lambda call: call.after_s)

    def _fire_calls(self) -> Iterator[SimulatedCall]:
        waiting: list[tuple[float, int, SimulatedCall]] = []
        order = itertools.count()
        for number in itertools.count():
            event = self.fire(number)
            while waiting and waiting[0][0] <= event.fire.onset_s:
                yield heapq.heappop(waiting)[2]
            at = event.place.to_plane(np.array([[event.fire.a, event.fire.b]]))[0]
            for call in calls_about(
                event.fire.id,
                Hazard.FIRE,
                (float(at[0]), float(at[1])),
                f"Simpang {event.place.name}",
                event.fire.onset_s,
                self.projection,
                self.seed * 7_919 + number,
            ):
                heapq.heappush(waiting, (call.after_s, next(order), call))

    def _other_calls(self) -> Iterator[SimulatedCall]:
        """Of the kinds no camera sees, at the shares that the city publishes."""
        random = np.random.default_rng((self.seed, 112))
        kinds = (Hazard.MEDICAL, Hazard.DISASTER, Hazard.CRIME, Hazard.OTHER)
        at_s = 70.0
        for number in itertools.count():
            at_s += 45.0 + float(random.exponential(110.0))
            hazard = kinds[int(random.choice(4, p=(0.36, 0.20, 0.26, 0.18)))]
            place = self.places[int(random.integers(len(self.places)))]
            where = np.array((place.x, place.y)) + random.normal(0, 260, 2)
            yield calls_about(
                f"{hazard.value}-{number}",
                hazard,
                (float(where[0]), float(where[1])),
                f"Simpang {place.name}",
                at_s,
                self.projection,
                self.seed * 104_729 + number,
                mean_callers=1.0,
                mean_delay_s=5.0,
            )[0]

    def background_geojson(self) -> dict[str, Any]:
        """See `SimulatedCity.background_geojson`."""
        return streets.geojson(list(self.places), self.projection)


def _mounted(
    place: Place, mast: _Mast, projection: LocalProjection, random: np.random.Generator
) -> SimulatedCamera:
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
    name = f"ATCS Simpang {place.name} {mast.side}"
    path = f"{place.name}-{mast.side}".lower().replace(" ", "-")
    return SimulatedCamera(_camera(f"sim-{path}", name, path, pose), path)


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
