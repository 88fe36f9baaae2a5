"""Settings: one YAML file, every key described and bounded, environment variables on top.

``SIAGA__BUS__URL=redis://...`` overrides ``bus: {url: ...}``. An unknown key is refused with the
nearest known name, wherever it comes from.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import Field

from plumbing.layering import SettingsError, flatten, load
from plumbing.settings.city import CallsSettings, CitySettings, MapSettings
from plumbing.settings.desk import AgencySettings, RetentionSettings, RoutingSettings
from plumbing.settings.fusing import FusionSettings
from plumbing.settings.host import (
    BusSettings,
    DatabaseSettings,
    EvidenceSettings,
    LogSettings,
    TracingSettings,
    WorkerSettings,
)
from plumbing.settings.outgoing import CotSettings, PublishingSettings, WebhooksSettings
from plumbing.settings.section import Section
from plumbing.settings.serving import ApiSettings, OidcSettings
from plumbing.settings.watching import DetectionSettings, IngestSettings

__all__ = [
    "ENVIRONMENT_PREFIX",
    "AgencySettings",
    "ApiSettings",
    "BusSettings",
    "CallsSettings",
    "CitySettings",
    "CotSettings",
    "DatabaseSettings",
    "DetectionSettings",
    "EvidenceSettings",
    "FusionSettings",
    "IngestSettings",
    "LogSettings",
    "MapSettings",
    "OidcSettings",
    "PublishingSettings",
    "RetentionSettings",
    "RoutingSettings",
    "Settings",
    "SettingsError",
    "TracingSettings",
    "WebhooksSettings",
    "WorkerSettings",
    "as_environment",
    "load_settings",
]

ENVIRONMENT_PREFIX = "SIAGA__"


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
    tracing: TracingSettings = TracingSettings()

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
