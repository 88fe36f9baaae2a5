"""A folder of videos in place of a city."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av

from contracts import CameraPose, LonLat
from geo.projection import LocalProjection
from simulator import streets
from simulator.callers import SimulatedCall
from simulator.masts import SimulatedCamera, simulated_camera
from simulator.rtsp import UnplayableVideoError

_VIDEO_SUFFIXES = {".mp4", ".mkv", ".mov", ".ts", ".avi", ".webm", ".m4v"}


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
    return SimulatedCamera(simulated_camera(f"video-{path}"[:80], name[:200], path, pose), path)


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
