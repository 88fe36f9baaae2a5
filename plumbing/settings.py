"""Settings: one YAML file, every key described and bounded, environment variables on top.

``SIAGA__BUS__URL=redis://...`` overrides ``bus: {url: ...}``. An unknown key is refused with the
nearest known name, wherever it comes from.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from plumbing.layering import SettingsError, flatten, load

__all__ = ["ENVIRONMENT_PREFIX", "Settings", "SettingsError", "as_environment", "load_settings"]

ENVIRONMENT_PREFIX = "SIAGA__"

# Published counts of the city's emergency number, January to October 2025, over its 210 km2.
_EVENTS_PER_KM2_DAY = {
    "fire": 0.022,
    "crash": 0.034,
    "flood": 0.010,
    "disaster": 0.005,
    "medical": 0.019,
    "crime": 0.013,
    "other": 0.014,
}


# "Other incident" of the Cursor-on-Target type tree: fire, traffic, weather, ground, health.
_COT_TYPES = {
    "fire": "a-u-X-i-f",
    "crash": "a-u-X-i-t-v-a",
    "flood": "a-u-X-i-m",
    "disaster": "a-u-X-i-g",
    "medical": "a-u-X-i-h",
    "crime": "a-u-X-i-o",
    "other": "a-u-X-i-o",
}


def _network(text: str) -> str:
    try:
        ipaddress.ip_network(text)
    except ValueError as error:
        raise ValueError(f"{error}; write a network like 10.20.0.0/16") from error
    return text


def _origin(text: str) -> str:
    if not re.fullmatch(r"https?://[^/?#@\s]+", text):
        raise ValueError("an origin is scheme and host, like https://desk.example.org")
    return text


def _all_rates(given: object) -> object:
    """What is not named keeps its default, so that one rate can be changed alone."""
    if not isinstance(given, dict):
        return given
    unknown = sorted(set(map(str, given)) - set(_EVENTS_PER_KM2_DAY))
    if unknown:
        raise ValueError(f"no hazard {unknown[0]!r}; known: {', '.join(_EVENTS_PER_KM2_DAY)}")
    return _EVENTS_PER_KM2_DAY | given


def _all_cot_types(given: object) -> object:
    if not isinstance(given, dict):
        return given
    unknown = sorted(set(map(str, given)) - set(_COT_TYPES))
    if unknown:
        raise ValueError(f"no hazard {unknown[0]!r}; known: {', '.join(_COT_TYPES)}")
    return _COT_TYPES | given


RoleName = Literal["viewer", "operator", "camera_admin", "supervisor", "dispatch", "auditor"]
Rate = Annotated[float, Field(gt=0, le=10_000)]
Share = Annotated[float, Field(ge=0, le=1)]


class Section(BaseModel):
    """A part of the configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class CitySettings(Section):
    """The city that is watched."""

    name: str = Field(
        "Kota Bekasi", min_length=1, max_length=120, description="Shown on the screen"
    )
    lon: float = Field(106.9920, ge=-180, le=180, description="Centre, degrees east, WGS 84")
    lat: float = Field(-6.2383, ge=-85, le=85, description="Centre, degrees north, WGS 84")
    radius_m: float = Field(
        30_000, ge=500, le=300_000, description="Positions farther off than this are refused"
    )
    timezone: str = Field("Asia/Jakarta", description="IANA name, for times on the screen")
    areas: Path | None = Field(
        None, description="GeoJSON of administrative areas that name an incident's place"
    )
    buildings: Path | None = Field(
        None,
        description="GeoJSON of building footprints (height_m where known) that hide the ground "
        "from cameras",
    )


class BusSettings(Section):
    """The Redis-protocol server that carries detections, commands and wake-ups."""

    url: str | None = Field(
        None,
        pattern=r"^(redis|rediss|unix)://",
        description="redis://host:port/db; none starts the embedded Valkey server",
    )
    namespace: str = Field(
        "siaga", pattern=r"^[a-z][a-z0-9_-]{0,40}$", description="Prefix of every key on the bus"
    )
    max_backlog: int = Field(
        100_000,
        ge=1_000,
        le=100_000_000,
        description="Reports waiting on the bus; when it is full, workers keep theirs in spools",
    )


class DatabaseSettings(Section):
    """Where the truth is kept."""

    url: str | None = Field(
        None, description="SQLAlchemy URL; none is SQLite in data_dir (siaga.sqlite3)"
    )


class ApiSettings(Section):
    """The HTTP server."""

    host: str = Field(
        "127.0.0.1", description="Address to listen on; loopback until told otherwise"
    )
    port: int = Field(8112, ge=0, le=65535, description="Port to listen on")
    allowed_origins: tuple[Annotated[str, AfterValidator(_origin)], ...] = Field(
        (), description="Further origins whose pages may open the websocket (https://host)"
    )
    max_body_bytes: int = Field(
        1_000_000, ge=10_000, le=100_000_000, description="Larger request bodies get 413"
    )
    max_attachment_bytes: int = Field(
        20_000_000, ge=10_000, le=1_000_000_000, description="Larger attachments get 413"
    )
    feed_queue: int = Field(
        1_000,
        ge=10,
        le=100_000,
        description="Changes a slow reader may lag before it is closed (1013)",
    )
    requests_per_s: float = Field(
        200,
        ge=0,
        le=100_000,
        description="Requests of one key or session; ten seconds' worth at once; 0 is no limit",
    )
    strangers_per_s: float = Field(
        30, ge=0, le=100_000, description="The same for an address that isn't signed in"
    )
    session_idle_minutes: int = Field(
        480, ge=5, le=10_080, description="A session unused for this long must sign in again"
    )
    session_longest_hours: int = Field(
        16, ge=1, le=720, description="After this long one signs in again, used or not"
    )
    relay_url: str | None = Field(
        None,
        pattern=r"^https?://[^\s]+$",
        max_length=500,
        description="Address of a camera at a relay of your own (go2rtc, mediamtx), with {camera} "
        "for its id; offered beside our own live view",
    )
    cookie_secure: bool = Field(
        False, description="Send the session cookie over HTTPS only; set it behind TLS"
    )


class OidcSettings(Section):
    """Sign-in by an identity provider (OpenID Connect), beside local accounts."""

    issuer: str | None = Field(
        None,
        pattern=r"^https?://[^\s?#]+$",
        description="The provider's issuer, as it calls itself; none: local accounts alone",
    )
    name: str = Field("SSO", min_length=1, max_length=80, description="Shown on the sign-in page")
    client_id: str = Field("siaga", min_length=1, max_length=200, description="Ours, there")
    client_secret: str | None = Field(
        None, min_length=1, max_length=500, repr=False, description="None for a public client"
    )
    scopes: tuple[str, ...] = Field(("openid", "profile"), description="What is asked for")
    username_claim: str = Field("preferred_username", description="Names a new account")
    role_claim: str = Field("groups", description="Tells the role, a word or a list of words")
    roles: dict[str, RoleName] = Field(
        {}, description="The claim's words, and the role that each gives here"
    )
    default_role: RoleName | None = Field(
        None, description="For who has none of these words; none: may not come in"
    )


class CallsSettings(Section):
    """Callers' positions that phones, networks and other call centres send by themselves."""

    aml_key: str | None = Field(
        None,
        min_length=8,
        max_length=500,
        repr=False,
        description="Shared key that signs AML over HTTPS (HMAC-SHA1); without it none is signed",
    )
    trust_unsigned_aml: bool = Field(
        False,
        description="Use positions that anybody could have sent; otherwise they are only kept",
    )
    match_minutes: float = Field(
        60,
        ge=1,
        le=1_440,
        description="Messages of one number join its call until it was silent for this long",
    )
    country_code: str = Field(
        "62",
        pattern=r"^[1-9][0-9]{0,2}$",
        description="Stands for the leading 0 of national telephone numbers",
    )
    max_message_bytes: int = Field(
        64_000, ge=1_000, le=1_000_000, description="Larger AML, SMS and PIDF-LO messages get 413"
    )


class WorkerSettings(Section):
    """Ingest and detection processes."""

    count: int = Field(1, ge=1, le=64, description="Worker processes on this machine")
    max_cameras: int = Field(
        100, ge=1, le=10_000, description="Cameras that one worker takes at most"
    )
    cores: float | None = Field(
        None,
        gt=0,
        le=256,
        description="Processor cores that one worker may fill with cameras; none is its share of "
        "the machine's",
    )
    live_host: str = Field(
        "127.0.0.1",
        min_length=1,
        max_length=253,
        description="Address at which this host's workers give live video to the API; the API must "
        "reach it, and nobody else should",
    )
    live_port: int = Field(
        0, ge=0, le=65535, description="Its port; 0 takes a free one for each worker"
    )
    lease_s: float = Field(
        6.0, ge=3, le=120, description="A worker silent for this long loses its cameras to others"
    )


class IngestSettings(Section):
    """How streams are opened and sampled."""

    open_timeout_s: float = Field(
        10.0, ge=1, le=120, description="Longest wait for a stream to open"
    )
    read_timeout_s: float = Field(8.0, ge=1, le=120, description="Longest wait for a packet")
    stalled_after_s: float = Field(
        8.0, ge=2, le=300, description="No picture for this long: the camera is stalled"
    )
    frame_width_px: int = Field(
        640, ge=160, le=1920, description="Pictures wider than this are shrunk while decoding"
    )
    max_fps: float = Field(
        2.0, ge=0.05, le=30, description="Pictures a second handed to the detector, cold camera"
    )
    hot_fps: float = Field(
        5.0, ge=0.5, le=30, description="Pictures a second handed to the detector, hot camera"
    )
    retry_first_s: float = Field(1.0, ge=0.1, le=60, description="First wait before opening again")
    retry_longest_s: float = Field(
        60.0, ge=1, le=3600, description="Longest wait before opening again"
    )
    preroll_s: float = Field(
        30.0, ge=5, le=600, description="Seconds of every camera's packets kept in memory"
    )
    preroll_camera_bytes: int = Field(
        24_000_000,
        ge=1_000_000,
        le=2_000_000_000,
        description="Memory that one camera's packets may take; older ones leave earlier then",
    )
    preroll_total_bytes: int = Field(
        800_000_000,
        ge=10_000_000,
        le=200_000_000_000,
        description="Memory that all packets of one worker may take, shared evenly by its cameras",
    )
    simultaneous_opens: int = Field(4, ge=1, le=64, description="Streams a worker opens at once")
    own_rtsp: bool = Field(
        True, description="Receive RTSP with our own receiver; FFmpeg where it can't, or if false"
    )
    ffmpeg_fallback: bool = Field(
        True,
        description="Leave RTSP cameras that send neither H.264 nor H.265 over TCP to FFmpeg, "
        "which follows a camera's redirection without checking the address",
    )
    check_rtsps_certificates: bool = Field(
        True, description="Refuse rtsps cameras whose certificate no known authority vouches for"
    )
    allow_private: tuple[Annotated[str, AfterValidator(_network)], ...] = Field(
        (), description="Networks (CIDR) whose private or loopback addresses cameras may have"
    )

    @model_validator(mode="after")
    def _waits_grow(self) -> Self:
        if self.retry_longest_s < self.retry_first_s:
            raise ValueError("retry_longest_s must not be below retry_first_s")
        return self


class DetectionSettings(Section):
    """Models and when they speak."""

    backend: Literal["openvino", "ultralytics"] = Field(
        "openvino",
        description="openvino (CPU, small install) or ultralytics (needs the train extra)",
    )
    detector: str = Field(
        "hazards", description="Model folder in detection/models, or a path to one"
    )
    flood: str | None = Field(
        "flood", description="Flood model folder in detection/models, or a path; none turns it off"
    )
    streams: int = Field(2, ge=1, le=64, description="One-thread inference streams a worker")
    crash: str | None = Field(
        "crash",
        description="Crash model folder in detection/models, or a path; none turns it off",
    )
    shadow: str | None = Field(
        None,
        description="A second detector's folder: compared with the live one, and never heard",
    )
    shadow_share: float = Field(
        0.1, gt=0, le=1, description="Share of the cameras that the shadow watches at any time"
    )
    look_back_share: float = Field(
        0.15,
        ge=0,
        le=4,
        description="Of one core, what a worker may spend on cameras' last seconds; 0: none",
    )


class FusionSettings(Section):
    """How reports become incidents."""

    events_per_km2_day: Annotated[dict[str, Rate], BeforeValidator(_all_rates)] = Field(
        _EVENTS_PER_KM2_DAY,
        description="Prior rate of each hazard, above 0; default from the city's published counts",
    )
    false_calls_per_km2_day: float = Field(0.02, ge=0, le=1000, description="Calls about nothing")
    false_app_reports_per_km2_day: float = Field(
        0.2, gt=0, le=1000, description="Reports by citizens' apps about nothing"
    )
    clutter_tracks_per_camera_day: float = Field(
        0.5, gt=0, le=10_000, description="Confirmed tracks of a camera that are no hazard"
    )
    detection_probability: float = Field(
        0.7, gt=0, lt=1, description="That a camera looking at a hazard reports it"
    )
    candidate_from: float = Field(
        0.001,
        ge=0,
        le=1,
        description="Incidents this probable are shown quietly: from what a camera confirms alone",
    )
    alarm_from: float = Field(
        0.05,
        ge=0,
        le=1,
        description="Incidents this probable are sounded: missing one costs twenty vain alarms",
    )
    alarm_from_by_hazard: dict[str, Share] = Field(
        {}, description="The same for single hazards: the false alarm's share of both costs"
    )
    alarm_budget_per_hour: float = Field(
        6.0,
        gt=0,
        le=1000,
        description="Alarms an hour that the desk can look at; beyond it cameras' alarms need more",
    )
    alarm_bound: float = Field(
        8.0, ge=1, le=1000, description="By how much load may raise the odds that an alarm needs"
    )
    hot_cameras: int = Field(
        24,
        ge=1,
        le=10_000,
        description="Cameras that calls and incidents may keep at full rate at a time",
    )
    writer_lease_s: float = Field(
        6.0, ge=2, le=60, description="A silent fusion process is replaced after this long"
    )

    @model_validator(mode="after")
    def _quiet_below_loud(self) -> Self:
        if self.candidate_from > self.alarm_from:
            raise ValueError("candidate_from must not exceed alarm_from")
        unknown = sorted(set(self.alarm_from_by_hazard) - set(_EVENTS_PER_KM2_DAY))
        if unknown:
            raise ValueError(f"alarm_from_by_hazard: there is no hazard {unknown[0]!r}")
        return self


class AgencySettings(Section):
    """One agency that responds."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$", description="Short and lasting")
    name: str = Field(min_length=1, max_length=120, description="For people")
    hazards: dict[str, tuple[str, ...]] = Field(
        description="What it responds to, and which kinds of its units fit (none named: any)"
    )
    areas: tuple[str, ...] = Field(
        (), description="Names of the areas (city.areas) that it serves; none named: all"
    )
    up_to_priority: int = Field(
        4, ge=1, le=4, description="Incidents less urgent than this are not its business"
    )

    @model_validator(mode="after")
    def _known_hazards(self) -> Self:
        unknown = sorted(set(self.hazards) - set(_EVENTS_PER_KM2_DAY))
        if unknown:
            raise ValueError(f"no hazard {unknown[0]!r}; known: {', '.join(_EVENTS_PER_KM2_DAY)}")
        return self


_AGENCIES: tuple[dict[str, object], ...] = (
    {
        "id": "damkar",
        "name": "Dinas Pemadam Kebakaran",
        "hazards": {"fire": ["engine", "tanker"], "disaster": ["rescue"]},
    },
    {
        "id": "dinkes",
        "name": "Dinas Kesehatan",
        "hazards": {"medical": ["ambulance"], "crash": ["ambulance"]},
    },
    {
        "id": "police",
        "name": "Kepolisian",
        "hazards": {"crime": ["patrol"], "crash": ["patrol"]},
    },
    {"id": "bpbd", "name": "BPBD", "hazards": {"flood": [], "disaster": []}},
    {"id": "satpol-pp", "name": "Satpol PP", "hazards": {"other": [], "crime": []}},
)


class RoutingSettings(Section):
    """Which agency is responsible for what."""

    agencies: tuple[AgencySettings, ...] = Field(
        tuple(AgencySettings.model_validate(one) for one in _AGENCIES),
        description="Agencies: id, name, hazards with the kinds of units that fit, areas, "
        "up_to_priority",
    )
    unit_stale_minutes: float = Field(
        30, ge=1, le=10_080, description="An older position of a unit is not used for suggestions"
    )

    @model_validator(mode="after")
    def _one_each(self) -> Self:
        ids = [agency.id for agency in self.agencies]
        if len(set(ids)) < len(ids):
            raise ValueError("two agencies have the same id")
        return self


class WebhooksSettings(Section):
    """Changes sent to other systems by HTTP."""

    allow_private: tuple[Annotated[str, AfterValidator(_network)], ...] = Field(
        (), description="Networks (CIDR) whose private or loopback addresses receivers may have"
    )
    timeout_s: float = Field(10.0, ge=1, le=60, description="A receiver must answer within this")
    longest_wait_s: float = Field(
        900, ge=1, le=86_400, description="Waits between tries grow up to this"
    )
    give_up_hours: float = Field(
        72,
        ge=0.1,
        le=2_000,
        description="What could not be delivered for so long becomes a dead "
        "letter, which can be sent again",
    )
    max_waiting: int = Field(
        100_000,
        ge=100,
        le=10_000_000,
        description="Events that wait for one receiver at most; "
        "the log is read on when some have gone",
    )


class CotSettings(Section):
    """Incidents for TAK: Cursor-on-Target events sent to a TAK server."""

    url: str | None = Field(
        None,
        pattern=r"^(tcp|tls)://[^/\s]+:[0-9]+$",
        description="tcp://host:port or tls://host:port of the TAK server; none sends nothing",
    )
    ca_file: Path | None = Field(None, description="Authorities that the server is checked against")
    certificate: Path | None = Field(
        None, description="Our certificate with its key (PEM), for tls"
    )
    from_level: Literal["signal", "candidate", "alarm"] = Field(
        "alarm", description="Quieter incidents are sent once a person has verified them"
    )
    stale_minutes: float = Field(
        10, ge=1, le=1_440, description="An event is stale after this; it is renewed at half"
    )
    types: Annotated[dict[str, str], BeforeValidator(_all_cot_types)] = Field(
        _COT_TYPES, description="Event type of each hazard"
    )


class RetentionSettings(Section):
    """How long what is kept is kept; days. Incidents under legal hold keep everything."""

    caller_position_days: float = Field(
        30, ge=1, le=3_650, description="Callers' positions are coarsened to about a kilometre"
    )
    raw_message_days: float = Field(
        30, ge=1, le=3_650, description="Messages of phones and networks as they came"
    )
    unconfirmed_picture_days: float = Field(
        7, ge=0.1, le=3_650, description="Pictures of what nobody verified"
    )
    incident_evidence_days: float = Field(
        90, ge=1, le=36_500, description="Pictures and attachments of verified incidents"
    )
    log_days: float = Field(
        365, ge=1, le=36_500, description="Entries of the log; older cursors start anew"
    )
    exercise_days: float = Field(30, ge=1, le=3_650, description="Everything of exercises")
    dead_letter_days: float = Field(90, ge=1, le=3_650, description="What could not be read")
    audit_days: float = Field(
        1_825, ge=30, le=36_500, description="Entries of the audit log; its chain begins after them"
    )


class PublishingSettings(Section):
    """What goes out in standard formats: CAP, EIDO, OGC API Features."""

    agency_id: str = Field(
        "112.bekasikota.go.id",
        pattern=r"^[a-z0-9]([a-z0-9.-]{0,98}[a-z0-9])?$",
        description="This centre's domain name: sender of CAP, agency of EIDO",
    )
    agency_name: str = Field(
        "112 Kota Bekasi", min_length=1, max_length=200, description="The sender's name, for people"
    )
    public_url: Annotated[str, AfterValidator(_origin)] | None = Field(
        None, description="Our address in links, behind a proxy; none is the one that was asked"
    )
    cap_valid_minutes: int = Field(
        60, ge=5, le=1_440, description="A CAP message expires after this, and is renewed at half"
    )
    max_export: int = Field(
        50_000, ge=1, le=10_000_000, description="Incidents in one CSV or GeoJSON export at most"
    )


class EvidenceSettings(Section):
    """Pictures and clips that prove an incident."""

    folder: Path | None = Field(None, description="Folder; none is evidence/ in data_dir")
    url: str | None = Field(
        None,
        pattern=r"^s3\+https?://[^/@\s]+/[^\s]+$",
        max_length=500,
        description="S3-compatible bucket instead, s3+https://host/bucket/prefix: several hosts "
        "need one. Its keys stand in SIAGA_S3_ACCESS_KEY and SIAGA_S3_SECRET_KEY",
    )
    min_free_bytes: int = Field(
        500_000_000, ge=0, description="Stop writing, and say so, when the disk has less left"
    )
    before_s: float = Field(
        15.0, ge=0, le=600, description="Seconds before an alarm that its clips begin"
    )
    after_s: float = Field(
        30.0, ge=1, le=600, description="Seconds after an alarm that its clips end"
    )
    cameras: int = Field(
        4, ge=0, le=20, description="Cameras an incident whose clips are kept; 0 keeps none"
    )
    clips_at_once: int = Field(
        32, ge=1, le=1_000, description="Cameras of one worker whose clips are recorded at a time"
    )


class MapSettings(Section):
    """What the map is drawn on. Nothing is fetched from elsewhere unless style_url says so."""

    style_url: str | None = Field(None, description="MapLibre style of an online basemap")
    pmtiles: Path | None = Field(None, description="A PMTiles file to draw roads and areas from")
    geojson: tuple[Path, ...] = Field((), description="GeoJSON files drawn as areas and lines")
    attribution: str = Field("", max_length=300, description="Shown in the map's corner")
    zoom: float = Field(13.0, ge=1, le=20, description="Zoom at the start")


class LogSettings(Section):
    """What the processes write about themselves."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least level shown"
    )
    format: Literal["console", "json"] = Field("console", description="console (people) or json")


class Settings(Section):
    """Everything that can be configured."""

    data_dir: Path = Field(Path("data"), description="Database, evidence, keys, the embedded bus")
    exercise: bool = Field(
        False, description="Training installation: every call and camera is marked as an exercise"
    )
    city: CitySettings = CitySettings()
    bus: BusSettings = BusSettings()
    database: DatabaseSettings = DatabaseSettings()
    api: ApiSettings = ApiSettings()
    oidc: OidcSettings = OidcSettings()
    calls: CallsSettings = CallsSettings()
    worker: WorkerSettings = WorkerSettings()
    ingest: IngestSettings = IngestSettings()
    detection: DetectionSettings = DetectionSettings()
    fusion: FusionSettings = FusionSettings()
    routing: RoutingSettings = RoutingSettings()
    webhooks: WebhooksSettings = WebhooksSettings()
    cot: CotSettings = CotSettings()
    retention: RetentionSettings = RetentionSettings()
    publishing: PublishingSettings = PublishingSettings()
    evidence: EvidenceSettings = EvidenceSettings()
    map: MapSettings = MapSettings()
    log: LogSettings = LogSettings()

    @property
    def database_url(self) -> str:
        """The configured database, or the SQLite file in ``data_dir``."""
        default = f"sqlite+aiosqlite:///{(self.data_dir / 'siaga.sqlite3').absolute()}"
        return self.database.url or default

    @property
    def evidence_folder(self) -> Path:
        """The configured evidence folder, or ``evidence`` in ``data_dir``."""
        return self.evidence.folder or self.data_dir / "evidence"

    @property
    def key_file(self) -> Path:
        """The key that secrets at rest are encrypted with; it never lies in the database."""
        return self.data_dir / "keys" / "sealing.key"


def load_settings(path: Path | None, environment: Mapping[str, str] | None = None) -> Settings:
    """Read the file (if any), lay the environment on top, and check it all.

    Raises:
        SettingsError: unreadable file, no YAML mapping, unknown key, or a value out of bounds.
    """
    given = os.environ if environment is None else environment
    return load(Settings, path, given, ENVIRONMENT_PREFIX)


def as_environment(settings: Settings) -> dict[str, str]:
    """The settings as environment variables, to hand them to a process of ours unchanged."""
    return flatten(settings, ENVIRONMENT_PREFIX)
