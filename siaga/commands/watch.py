"""`siaga watch`: ingest, detection and verification on one file or URL, without a server."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit, urlunsplit

import typer
from cryptography.fernet import Fernet

from camera_ingest import IngestError, PreRoll, StreamOpener, StreamReader, pictures_of, read_file
from camera_ingest.streams.files import FILE_EPOCH
from contracts import CameraId, Detection, Frame, StreamSource
from detection import open_detector, open_flood_classifier
from detection.model_card import CRASH, MODELS
from plumbing.address_guard import AddressGuard
from plumbing.clock import SystemClock
from plumbing.redact import redact_url
from plumbing.sealing import KEY_VARIABLE, Sealer
from plumbing.settings import IngestSettings
from siaga.failures import Failure
from siaga.watching.looking_back import LEAST_GAP_S, LOOK_BACK, LOOK_BACK_FPS
from siaga.watching.pipeline import Watch
from siaga.watching.thread import LOOK_CLOSER_S
from siaga.watching.worker import open_crash

HOT_EVERY_S = 1 / LOOK_BACK_FPS
"""Time between the pictures of a camera that is looked at closely: the rate of a hot camera."""
LEAST_GAP = timedelta(seconds=LEAST_GAP_S)


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
    return Watch(open_detector(), open_flood_classifier(), crash=open_crash(MODELS / CRASH))


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
    frames = read_file(path, None if tier is Tier.FULL else HOT_EVERY_S, camera_id=camera_id)
    return watch_frames(watch, path.name, camera_id, frames, every_s, tier, on_alarm)


def watch_frames(
    watch: Watch,
    shown: str,
    camera_id: CameraId,
    frames: Iterator[Frame],
    every_s: float = 1.0,
    tier: Tier = Tier.LIVE,
    on_alarm: Callable[[Alarm], None] | None = None,
) -> tuple[list[Alarm], float]:
    """Pictures in the order of capture, HOT_EVERY_S apart for a LIVE tier, as `watch_file`;
    `shown` is what alarms name as their source.
    """
    pace = _Pace(every_s, tier)
    past = pace.seen_since if tier is Tier.LIVE else None
    alarms, _ = _follow(watch, shown, camera_id, pace.due(frames), pace.took, past, on_alarm)
    return alarms, pace.length_s


def watch_stream(
    watch: Watch,
    url: str,
    every_s: float = 1.0,
    tier: Tier = Tier.LIVE,
    on_alarm: Callable[[Alarm], None] | None = None,
) -> tuple[list[Alarm], float]:
    """One live stream until it ends or Ctrl-C; its alarms and how long it was watched.

    Raises IngestError where it can't be opened, Failure for what is no URL. Whoever names a URL
    on the command line may open any address this machine reaches, so the guard lets private
    networks through.
    """
    settings = IngestSettings(max_fps=min(30.0, 1 / every_s), allow_private=("0.0.0.0/0", "::/0"))
    # The password lives for this run only, so its key does too.
    sealer = Sealer(Path(), {KEY_VARIABLE: Fernet.generate_key().decode()})
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        # The error's own words may hold the password.
        raise Failure(f"{redact_url(url)!r} is no URL") from None
    camera_id = CameraId(host[:80] or "stream")
    source = StreamSource(
        camera_id=camera_id,
        url=urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])),
        username=unquote(parts.username) if parts.username else None,
        sealed_password=sealer.seal(unquote(parts.password)) if parts.password else None,
    )
    opener = StreamOpener(settings, SystemClock(), AddressGuard(settings.allow_private), sealer)
    preroll = PreRoll(settings.preroll_s, settings.preroll_camera_bytes)
    reader = StreamReader(source, opener, hot=tier is Tier.FULL, preroll=preroll)
    hot_until: list[float] = [0.0]

    def took(frame: Frame, weak_cue: bool) -> None:
        at_s = frame.captured_at.timestamp()
        if weak_cue:
            hot_until[0] = at_s + LOOK_CLOSER_S
        reader.set_hot(tier is Tier.FULL or at_s < hot_until[0])

    def past(since: datetime) -> Iterator[Frame]:
        run = preroll.latest(LOOK_BACK.total_seconds())
        if run is not None:
            yield from pictures_of(
                run, camera_id, since, fps=LOOK_BACK_FPS, max_width_px=settings.frame_width_px
            )

    frames = _until_it_ends(reader)
    looking = None if tier is Tier.FULL else past
    return _follow(watch, redact_url(url), camera_id, frames, took, looking, on_alarm, True)


def _until_it_ends(reader: StreamReader) -> Iterator[Frame]:
    """A stream's pictures; the end of one that had pictures is no error here."""
    seen = False
    try:
        for frame in reader.frames():
            seen = True
            yield frame
    except IngestError as error:
        if not seen:
            raise
        typer.echo(error.detail, err=True)


Past = Callable[[datetime], Iterator[Frame]]
"""The pictures that a cold camera was not asked for, from a time on."""


def _follow(
    watch: Watch,
    shown: str,
    camera_id: CameraId,
    frames: Iterator[Frame],
    took: Callable[[Frame, bool], None],
    past: Past | None,
    on_alarm: Callable[[Alarm], None] | None,
    endless: bool = False,
) -> tuple[list[Alarm], float]:
    """Look at the frames; of an `endless` source Ctrl-C is the ordinary end."""
    watch.forget(camera_id)
    alarms: list[Alarm] = []
    known: set[str] = set()
    began_at: datetime | None = None
    duration_s = 0.0
    looked_back_at: datetime | None = None
    try:
        for frame in frames:
            now = frame.captured_at
            began_at = began_at or now
            duration_s = (now - began_at).total_seconds()
            looked = watch.look([frame])
            weak_cue = looked[0].weak_cue
            took(frame, weak_cue)
            rested = looked_back_at is None or now - looked_back_at >= LEAST_GAP
            if weak_cue and past is not None and rested and watch.begin_look_back(camera_id):
                looked_back_at = now
                looked += watch.look_back(list(past(now - LOOK_BACK)))
                looked += watch.end_look_back(camera_id)
            for detection in [detection for one in looked for detection in one.detections]:
                if detection.track_id not in known:
                    known.add(detection.track_id)
                    # What is found by looking back is known only now.
                    alarms.append(_alarm(shown, detection, began_at, now))
                    if on_alarm is not None:
                        on_alarm(alarms[-1])
    except KeyboardInterrupt:
        if not endless:
            raise
    watch.forget(camera_id)
    return alarms, duration_s


class _Pace:
    """Which pictures of a file a cold camera would have been looked at, and which a hot one.

    Those of the last seconds that were passed over are kept, for looking back.
    """

    def __init__(self, every_s: float, tier: Tier) -> None:
        self._every_s = every_s
        self._tier = tier
        self._next_s = 0.0
        self._hot_until_s = -1.0
        self.length_s = 0.0
        most = round(LOOK_BACK.total_seconds() / HOT_EVERY_S) + 1
        self._past: deque[Frame] = deque(maxlen=most)

    def due(self, frames: Iterator[Frame]) -> Iterator[Frame]:
        for frame in frames:
            self.length_s = _seconds(frame)
            if self._tier is Tier.LIVE:
                self._past.append(frame)
            if self._tier is Tier.FULL or _seconds(frame) + 1e-6 >= self._next_s:
                yield frame

    def seen_since(self, since: datetime) -> Iterator[Frame]:
        return iter([frame for frame in self._past if frame.captured_at >= since])

    def took(self, frame: Frame, weak_cue: bool) -> None:
        at_s = _seconds(frame)
        if weak_cue:
            self._hot_until_s = at_s + LOOK_CLOSER_S
        hot = at_s < self._hot_until_s
        self._next_s = at_s + (min(HOT_EVERY_S, self._every_s) if hot else self._every_s)


def _seconds(frame: Frame) -> float:
    return (frame.captured_at - FILE_EPOCH).total_seconds()


def _alarm(source: str, detection: Detection, began_at: datetime, known_at: datetime) -> Alarm:
    return Alarm(
        source=source,
        hazard=detection.sighting.value,
        started_s=(detection.started_at - began_at).total_seconds(),
        alarmed_s=(known_at - began_at).total_seconds(),
        score=detection.score,
        llr=detection.llr,
        box=(detection.box.x0, detection.box.y0, detection.box.x1, detection.box.y1),
    )


def watch_source(
    source: Annotated[str, typer.Argument(help="A video file, or a stream's URL.")],
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
    show = None if as_json else lambda alarm: typer.echo(json.dumps(alarm.to_plain()))
    if "://" in source:
        alarms, duration_s = watch_stream(open_watch(), source, every, tier, show)
    else:
        alarms, duration_s = watch_file(open_watch(), Path(source), every, tier, show)
    if as_json:
        document = {"alarms": [a.to_plain() for a in alarms], "duration_s": round(duration_s, 3)}
        typer.echo(json.dumps(document))
