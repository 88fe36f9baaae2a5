"""What one role asks another to do, over the bus."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from contracts.cameras import CameraState, StreamSource
from contracts.errors import require_utc
from contracts.ids import CameraId, ClipId, EvidenceId, IncidentId


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeCamera:
    """Open this stream once and tell what is there."""

    source: StreamSource
    timeout_s: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeAnswer:
    """What a probe found; ``state`` is LIVE where a picture came."""

    state: CameraState
    detail: str
    codec: str | None = None
    width_px: int | None = None
    height_px: int | None = None
    frames_per_s: float | None = None
    keyframe_interval_s: float | None = None
    picture_id: EvidenceId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchClosely:
    """Raise these cameras to full rate until a time, best first. No answer."""

    camera_ids: tuple[CameraId, ...]
    until: datetime
    why: str = field(default="")

    def __post_init__(self) -> None:
        require_utc("until", self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepClip:
    """Keep what this camera sent, and will send, from one time to another.

    Told again until it is answered (`ClipReport`): keeping one clip twice does no harm.
    """

    clip_id: ClipId
    incident_id: IncidentId
    camera_id: CameraId
    since: datetime
    until: datetime

    def __post_init__(self) -> None:
        require_utc("since", self.since)
        require_utc("until", self.until)


Cue = WatchClosely | KeepClip
"""What is told to all workers; each heeds what concerns its cameras."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartScenario:
    """Have the simulated city play a scenario from its beginning, as an exercise.

    It is answered with a `ScenarioReport`, at once; what became of it is told when it has ended.
    """

    name: str | None
    """Of the library; None stops what plays and goes back to the city's everyday."""
    seed: int | None = None
    """Another than the scenario's own."""
    asked_by: str = ""
    """Who started it, to stand in its record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioSummary:
    """A scenario of the library, as somebody chooses among them."""

    name: str
    title: str
    judul: str
    """The title in Indonesian."""
    seconds: float
    cameras: int
    events: int
    """Emergencies and what looks like them."""
    conditions: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioReport:
    """What the simulated city plays, or how the system did in what it has played."""

    name: str
    title: str = ""
    judul: str = ""
    exercise_id: str = ""
    """Of an exercise that ends and is recorded (`ExerciseRecord`); empty for the everyday."""
    asked_by: str = ""
    is_playing: bool
    started_at: datetime | None = None
    ends_at: datetime | None = None
    """None where it goes round and round."""
    refused: str = ""
    """Why the command was not followed; empty where it was."""
    score: str = ""
    """The score of a scenario that has ended, as a JSON document; empty before."""
    available: tuple[ScenarioSummary, ...] = ()
    """The library's scenarios, by name."""

    def __post_init__(self) -> None:
        for what in ("started_at", "ends_at"):
            if (at := getattr(self, what)) is not None:
                require_utc(what, at)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExerciseRecord:
    """An exercise that was played: what, when, for whom, and how it went."""

    id: str
    scenario: str
    title: str
    judul: str
    seed: int
    asked_by: str
    """Who started it; empty where it began with the system."""
    started_at: datetime
    ended_at: datetime
    score: str
    """A JSON document, as `siaga demo --score --json` prints it."""

    def __post_init__(self) -> None:
        require_utc("started_at", self.started_at)
        require_utc("ended_at", self.ended_at)
