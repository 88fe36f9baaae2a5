"""Who publishes, as every format needs to say it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from plumbing.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Publisher:
    """This call centre, towards others."""

    agency_id: str
    """A domain name."""
    agency_name: str
    city: str
    zone: ZoneInfo
    base_url: str
    """Our address without a slash at its end, for links."""
    cap_valid_for: timedelta

    @classmethod
    def of(cls, settings: Settings, asked_url: str) -> Publisher:
        """From the settings; ``asked_url`` is the address that the request came to."""
        publishing = settings.publishing
        return cls(
            agency_id=publishing.agency_id,
            agency_name=publishing.agency_name,
            city=settings.city.name,
            zone=ZoneInfo(settings.city.timezone),
            base_url=(publishing.public_url or asked_url).rstrip("/"),
            cap_valid_for=timedelta(minutes=publishing.cap_valid_minutes),
        )
