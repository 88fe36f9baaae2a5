"""What is sent to others, and as whom."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from plumbing.settings.section import Section, network, with_defaults
from plumbing.settings.serving import _origin

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


class WebhooksSettings(Section):
    """Changes sent to other systems by HTTP."""

    allow_private: tuple[Annotated[str, AfterValidator(network)], ...] = Field(
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
    types: Annotated[dict[str, str], BeforeValidator(with_defaults(_COT_TYPES))] = Field(
        _COT_TYPES, description="Event type of each hazard"
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
