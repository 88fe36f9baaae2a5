"""What a process needs of its host: bus, database, disk, log, and its share of the work."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from plumbing.settings.section import Section, Share


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


class TracingSettings(Section):
    """OpenTelemetry traces: each report's way from the frame or call to the websocket."""

    url: str | None = Field(
        None,
        pattern=r"^https?://[^/@\s]+/[^@\s]*$",
        max_length=500,
        description="OTLP over HTTP, such as http://127.0.0.1:4318/v1/traces; none records none. "
        "Needs the 'tracing' extra; secret headers stand in OTEL_EXPORTER_OTLP_HEADERS",
    )
    share: Share = Field(1.0, description="Share of the reports that is traced")


class LogSettings(Section):
    """What the processes write about themselves."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least level shown"
    )
    format: Literal["console", "json"] = Field("console", description="console (people) or json")
