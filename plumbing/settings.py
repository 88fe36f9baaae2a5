"""Settings: one YAML file, every key described and bounded, environment variables on top.

``SIAGA__BUS__URL=redis://...`` overrides ``bus: {url: ...}``. An unknown key is refused with the
nearest known name, wherever it comes from.
"""

from __future__ import annotations

import difflib
import os
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

ENVIRONMENT_PREFIX = "SIAGA__"


class SettingsError(Exception):
    """The configuration can't be used; the message says which key and what would be right."""


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


class BusSettings(Section):
    """The Redis-protocol server that carries detections, commands and wake-ups."""

    url: str | None = Field(
        None, description="redis://host:port/db; none starts the embedded Valkey server"
    )
    namespace: str = Field(
        "siaga", pattern=r"^[a-z][a-z0-9_-]{0,40}$", description="Prefix of every key on the bus"
    )
    max_backlog: int = Field(
        100_000,
        ge=1_000,
        le=100_000_000,
        description="Detections kept on the bus, acknowledged or not",
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
    allowed_origins: tuple[str, ...] = Field(
        (), description="Further origins whose pages may open the websocket (https://host)"
    )
    max_body_bytes: int = Field(
        1_000_000, ge=10_000, le=100_000_000, description="Larger request bodies get 413"
    )
    feed_queue: int = Field(
        1_000,
        ge=10,
        le=100_000,
        description="Changes a slow reader may lag before it is closed (1013)",
    )
    session_idle_minutes: int = Field(
        480, ge=5, le=10_080, description="A session unused for this long must sign in again"
    )
    cookie_secure: bool = Field(
        False, description="Send the session cookie over HTTPS only; set it behind TLS"
    )


class WorkerSettings(Section):
    """Ingest and detection processes."""

    count: int = Field(1, ge=1, le=64, description="Worker processes on this machine")
    max_cameras: int = Field(
        100, ge=1, le=10_000, description="Cameras that one worker takes at most"
    )
    lease_s: float = Field(
        9.0, ge=3, le=120, description="A worker silent for this long loses its cameras to others"
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
    simultaneous_opens: int = Field(4, ge=1, le=64, description="Streams a worker opens at once")
    allow_private: tuple[str, ...] = Field(
        (), description="Networks (CIDR) whose private or loopback addresses cameras may have"
    )


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
        "floods", description="Flood model folder in detection/models, or a path; none turns it off"
    )
    streams: int = Field(2, ge=1, le=64, description="One-thread inference streams a worker")
    confirm_hits: int = Field(2, ge=1, le=20, description="Pictures that must show a track ...")
    confirm_of: int = Field(
        4, ge=1, le=60, description="... out of this many, before it is reported"
    )


class FusionSettings(Section):
    """How reports become incidents."""

    events_per_km2_day: dict[str, float] = Field(
        {
            "fire": 0.022,
            "crash": 0.034,
            "flood": 0.010,
            "disaster": 0.005,
            "medical": 0.019,
            "crime": 0.013,
            "other": 0.014,
        },
        description="Prior rate of each hazard; default from the city's published counts (2025)",
    )
    false_calls_per_km2_day: float = Field(0.02, ge=0, le=1000, description="Calls about nothing")
    clutter_tracks_per_camera_day: float = Field(
        0.5, gt=0, le=10_000, description="Confirmed tracks of a camera that are no hazard"
    )
    detection_probability: float = Field(
        0.7, gt=0, lt=1, description="That a camera looking at a hazard reports it"
    )
    candidate_from: float = Field(
        0.20, ge=0, le=1, description="Incidents this probable are shown quietly"
    )
    alarm_from: float = Field(0.60, ge=0, le=1, description="Incidents this probable are sounded")
    writer_lease_s: float = Field(
        6.0, ge=2, le=60, description="A silent fusion process is replaced after this long"
    )


class EvidenceSettings(Section):
    """Pictures and clips that prove an incident."""

    folder: Path | None = Field(None, description="Folder; none is evidence/ in data_dir")
    min_free_bytes: int = Field(
        500_000_000, ge=0, description="Stop writing, and say so, when the disk has less left"
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
    city: CitySettings = CitySettings()
    bus: BusSettings = BusSettings()
    database: DatabaseSettings = DatabaseSettings()
    api: ApiSettings = ApiSettings()
    worker: WorkerSettings = WorkerSettings()
    ingest: IngestSettings = IngestSettings()
    detection: DetectionSettings = DetectionSettings()
    fusion: FusionSettings = FusionSettings()
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


def load_settings(path: Path | None, environment: Mapping[str, str] | None = None) -> Settings:
    """Read the file (if any), lay the environment on top, and check it all.

    Raises:
        SettingsError: unreadable file, no YAML mapping, unknown key, or a value out of bounds.
    """
    values = _read_file(path) if path is not None else {}
    _lay_environment_over(values, os.environ if environment is None else environment)
    _refuse_unknown(values, Settings, ())
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        lines = [
            f"{_dotted(problem['loc'])}: {problem['msg']}, got {problem['input']!r}"
            for problem in error.errors(include_url=False)
        ]
        raise SettingsError("; ".join(lines)) from error


def _dotted(path: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in path)


def as_environment(settings: Settings) -> dict[str, str]:
    """The settings as environment variables, to hand them to a process of ours unchanged."""
    found: dict[str, str] = {}
    _flatten(settings.model_dump(mode="json"), (), found)
    return found


def _flatten(value: Any, path: tuple[str, ...], found: dict[str, str]) -> None:
    if isinstance(value, dict) and len(path) < 2:
        for key, inner in value.items():
            _flatten(inner, (*path, key), found)
    else:
        name = ENVIRONMENT_PREFIX + "__".join(path).upper()
        found[name] = (
            yaml.safe_dump(value, default_flow_style=True, width=10**6)
            .removesuffix("...\n")
            .strip()
        )


def _read_file(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"can't read the configuration {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"the configuration {path} is not UTF-8 text") from error
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise SettingsError(f"the configuration {path} is no YAML: {error}") from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise SettingsError(f"the configuration {path} must hold 'key: value' lines at the top")
    return values


def _lay_environment_over(values: dict[str, Any], environment: Mapping[str, str]) -> None:
    for name, text in sorted(environment.items()):
        if not name.upper().startswith(ENVIRONMENT_PREFIX):
            continue
        parts = name[len(ENVIRONMENT_PREFIX) :].lower().split("__")
        target = values
        for part in parts[:-1]:
            inner = target.setdefault(part, {})
            if not isinstance(inner, dict):
                raise SettingsError(f"{name}: '{part}' is no section")
            target = inner
        try:
            target[parts[-1]] = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise SettingsError(f"{name}: {error}") from error


def _refuse_unknown(values: dict[str, Any], model: type[BaseModel], path: tuple[str, ...]) -> None:
    known = model.model_fields
    for key, value in values.items():
        where = ".".join((*path, str(key)))
        if key not in known:
            near = difflib.get_close_matches(str(key), list(known), n=1, cutoff=0.4)
            hint = f"did you mean '{near[0]}'?" if near else f"known here: {', '.join(known)}"
            raise SettingsError(f"{where}: unknown key; {hint}")
        inner = _section_of(known[key].annotation)
        if inner is None:
            continue
        if value is None:
            values[key] = {}
        elif isinstance(value, dict):
            _refuse_unknown(value, inner, (*path, str(key)))
        else:
            raise SettingsError(f"{where}: must be a section with keys of its own, got {value!r}")


def _section_of(annotation: Any) -> type[BaseModel] | None:
    candidates = (
        get_args(annotation)
        if get_origin(annotation) in (Union, types.UnionType)
        else (annotation,)
    )
    for candidate in candidates:
        if isinstance(candidate, type) and issubclass(candidate, Section):
            return candidate
    return None
