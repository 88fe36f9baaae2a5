"""The shapes of answers, for the description at /docs; the answers themselves are put together from
encoded parts (`api.wire`), so nothing here is ever filled in."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from contracts import (
    Call,
    Camera,
    CameraHealth,
    EvidenceClip,
    Incident,
    LogEntry,
    Polygon,
)


class User(BaseModel):
    """Who is signed in."""

    username: str
    display_name: str
    role: str


class Position(BaseModel):
    """A position in WGS 84."""

    lon: float
    lat: float


class City(BaseModel):
    """The city that is watched."""

    name: str
    lon: float
    lat: float
    radius_m: float
    timezone: str


class Map(BaseModel):
    """What the map is drawn on."""

    style_url: str | None
    pmtiles_url: str | None
    geojson_urls: list[str]
    attribution: str
    zoom: float


class Config(BaseModel):
    """What the console needs to start."""

    version: str
    city: City
    map: Map
    exercise: bool


class SimilarItem(BaseModel):
    """Another incident, and how probably it is the same event."""

    incident_id: str
    probability: float
    distance_m: float


class SimilarList(BaseModel):
    """Incidents that may be one event with another one, the likeliest first."""

    similar: list[SimilarItem]


class PlaceItem(BaseModel):
    """Something with a name, and the radius of a disc about as large."""

    name: str
    kind: Literal["area", "street", "spot"]
    at: Position
    radius_m: float


class PlaceList(BaseModel):
    """Places by name, the best match first."""

    places: list[PlaceItem]


class ClipList(BaseModel):
    """What an incident's cameras showed."""

    clips: list[EvidenceClip]


class CameraItem(BaseModel):
    """A camera with how it is and what it sees."""

    camera: Camera
    health: CameraHealth | None
    field_of_view: Polygon | None


class CameraList(BaseModel):
    """All cameras."""

    cameras: list[CameraItem]


class MessageReceipt(BaseModel):
    """What became of a message; without a call for who isn't trusted."""

    message_id: str
    trusted: bool
    call_id: str | None
    fix_ids: list[str]
    problems: list[str]


class KeptMessageItem(MessageReceipt):
    """A message that is kept."""

    channel: str
    sender: str
    received_at: str
    seen_at: str
    seen: int


class MessagePage(BaseModel):
    """Kept messages, newest first."""

    messages: list[KeptMessageItem]
    next: int | None


class RankedCameraItem(BaseModel):
    """A camera that sees a place."""

    camera_id: str
    probability: float
    distance_m: float
    bearing_deg: float


class RankedCameraList(BaseModel):
    """Cameras that see a place, best first."""

    cameras: list[RankedCameraItem]


class AcceptedCall(BaseModel):
    """A stored call, and the cameras that may show what it is about."""

    call: Call
    cameras: list[RankedCameraItem]


class CallOutlook(BaseModel):
    """What can be seen of a place, and what is known about it already."""

    cameras: list[RankedCameraItem]
    incidents: list[SimilarItem]


class CallPage(BaseModel):
    """Calls, newest first; `next` is the next page's `after`."""

    calls: list[Call]
    next: int | None


class IncidentPage(BaseModel):
    """Incidents, newest first; `next` is the next page's `after`."""

    incidents: list[Incident]
    next: int | None


class LogPage(BaseModel):
    """Entries after a cursor; `next_after` is the next request's `after`."""

    entries: list[LogEntry]
    next_after: int
    oldest_seq: int
    last_seq: int


class AcceptedReport(BaseModel):
    """A stored report's place in the order."""

    report_seq: int


class Health(BaseModel):
    """That the process runs."""

    status: Literal["ok"]


class Readiness(BaseModel):
    """Whether it can do its work, and which part can't."""

    status: Literal["ready", "degraded", "unavailable"]
    checks: dict[str, str]


class AreaCoverage(BaseModel):
    """Of an area: the share that any camera sees, and the shares that exactly 0, 1, 2, ... see; the
    last is "or more"."""

    name: str
    area_m2: float
    share: float
    share_by_cameras: list[float]


class CoverageAnswer(BaseModel):
    """How much of the city cameras see."""

    outline: Literal["areas", "cameras", "radius"]
    cameras: int
    city: AreaCoverage
    areas: list[AreaCoverage]
    gaps: dict[str, object] | None
    gaps_tolerance_m: float
