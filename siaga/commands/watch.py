"""`siaga watch`: ingest, detection and verification on one file or URL, without a server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from camera_ingest.files import FILE_EPOCH, read_file
from contracts import CameraId, Detection, Frame
from detection import open_detector, open_flood_classifier
from siaga.failures import Failure
from siaga.watching import LOOK_CLOSER_S, Watch

HOT_EVERY_S = 0.2
"""Time between the pictures of a camera that is looked at closely: the rate of a hot camera."""


class Tier(StrEnum):
    """How often a source is looked at."""

    LIVE = "live"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Alarm:
    """The first Detection of one track, in the source's own time."""

    source: str
    hazard: str
    started_s: float
    alarmed_s: float
    score: float
    llr: float
    box: tuple[float, float, float, float]

    def to_plain(self) -> dict[str, Any]:
        """The JSON form that CONTRACT promises."""
        return {
            "source": self.source,
            "hazard": self.hazard,
            "started_s": round(self.started_s, 3),
            "alarmed_s": round(self.alarmed_s, 3),
            "score": round(self.score, 4),
            "llr": round(self.llr, 3),
            "box": [round(v, 1) for v in self.box],
        }


def open_watch() -> Watch:
    """The committed models, ready to look; one serves any number of sources."""
    return Watch(open_detector(), open_flood_classifier())


def watch_file(
    watch: Watch,
    path: Path,
    every_s: float = 1.0,
    tier: Tier = Tier.LIVE,
    on_alarm: Callable[[Alarm], None] | None = None,
) -> tuple[list[Alarm], float]:
    """One file in its own time, as fast as the machine can; its alarms and its length in seconds.

    Raises IngestError for what is no readable video.
    """
    camera_id = CameraId(path.name[:80])
    watch.forget(camera_id)
    alarms: list[Alarm] = []
    known: set[str] = set()
    duration_s = 0.0
    pace = _Pace(every_s, tier)
    frames = read_file(path, None if tier is Tier.FULL else HOT_EVERY_S, camera_id=camera_id)
    for frame in pace.due(frames):
        (watched,) = watch.look([frame], frozenset())
        pace.took(frame, watched.weak_cue)
        for detection in watched.detections:
            if detection.track_id not in known:
                known.add(detection.track_id)
                alarms.append(_alarm(path.name, detection))
                if on_alarm is not None:
                    on_alarm(alarms[-1])
    duration_s = pace.last_s
    watch.forget(camera_id)
    return alarms, duration_s


class _Pace:
    """Which pictures of a file a cold camera would have been looked at, and which a hot one."""

    def __init__(self, every_s: float, tier: Tier) -> None:
        self._every_s = every_s
        self._tier = tier
        self._next_s = 0.0
        self._hot_until_s = -1.0
        self.last_s = 0.0

    def due(self, frames: Iterator[Frame]) -> Iterator[Frame]:
        for frame in frames:
            self.last_s = _seconds(frame)
            if self._tier is Tier.FULL or self.last_s + 1e-6 >= self._next_s:
                yield frame

    def took(self, frame: Frame, weak_cue: bool) -> None:
        at_s = _seconds(frame)
        if weak_cue:
            self._hot_until_s = at_s + LOOK_CLOSER_S
        hot = at_s < self._hot_until_s
        self._next_s = at_s + (min(HOT_EVERY_S, self._every_s) if hot else self._every_s)


def _seconds(frame: Frame) -> float:
    return (frame.captured_at - FILE_EPOCH).total_seconds()


def _alarm(source: str, detection: Detection) -> Alarm:
    return Alarm(
        source=source,
        hazard=detection.sighting.value,
        started_s=(detection.started_at - FILE_EPOCH).total_seconds(),
        alarmed_s=(detection.captured_at - FILE_EPOCH).total_seconds(),
        score=detection.score,
        llr=detection.llr,
        box=(detection.box.x0, detection.box.y0, detection.box.x1, detection.box.y1),
    )


def watch_source(
    source: Annotated[str, typer.Argument(help="A video file.")],
    every: Annotated[
        float, typer.Option("--every", min=0.04, max=60.0, help="Seconds between two looks.")
    ] = 1.0,
    tier: Annotated[
        Tier,
        typer.Option(help="live: as a cold camera is watched, closer on weak cues; full: all."),
    ] = Tier.LIVE,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON document at the end instead of lines.")
    ] = False,
) -> None:
    """Watch one source without a server and print each alarm as it comes."""
    if "://" in source:
        raise Failure("only files for now")
    show = None if as_json else lambda alarm: typer.echo(json.dumps(alarm.to_plain()))
    alarms, duration_s = watch_file(open_watch(), Path(source), every, tier, show)
    if as_json:
        document = {"alarms": [a.to_plain() for a in alarms], "duration_s": round(duration_s, 3)}
        typer.echo(json.dumps(document))


def register(app: typer.Typer) -> None:
    """Put the command into the command line."""
    app.command("watch")(watch_source)
