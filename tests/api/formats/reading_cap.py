"""Reading CAP as a receiver does: by the schema first, then for what it means."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from capvalidator import Validator
from defusedxml import ElementTree

from contracts import Incident
from contracts.places import Polygon

NS = {"cap": "urn:oasis:names:tc:emergency:cap:1.2"}


@dataclass(frozen=True)
class Circle:
    lat: float
    lon: float
    radius_km: float


class Alert:
    """One CAP message that has passed the schema."""

    def __init__(self, document: bytes) -> None:
        passes, why = Validator(document).schema()
        assert passes, (why, document)
        self.root = ElementTree.fromstring(document)

    def text(self, name: str) -> str | None:
        return self.root.findtext(f"cap:{name}", namespaces=NS)

    @property
    def infos(self) -> list[Any]:
        found: list[Any] = self.root.findall("cap:info", NS)
        return found

    def info(self, language: str) -> dict[str, str]:
        (one,) = [one for one in self.infos if one.findtext("cap:language", "", NS) == language]
        return {child.tag.split("}")[1]: child.text or "" for child in one}

    @property
    def sent(self) -> datetime:
        return datetime.fromisoformat(self.text("sent") or "")

    @property
    def references(self) -> list[tuple[str, ...]]:
        return [tuple(one.split(",")) for one in (self.text("references") or "").split()]

    @property
    def reference(self) -> tuple[str, ...]:
        """As a later message names this one."""
        return (self.text("sender") or "", self.text("identifier") or "", self.text("sent") or "")

    def circles(self) -> list[Circle]:
        found = []
        for one in self.root.iterfind(".//cap:circle", NS):
            place, radius_km = (one.text or "").split(" ")
            lat, lon = map(float, place.split(","))
            found.append(Circle(lat, lon, float(radius_km)))
        return found

    def polygons(self) -> list[list[tuple[float, float]]]:
        """Rings of latitude and longitude."""
        return [
            [(float(lat), float(lon)) for lat, lon in (p.split(",") for p in one.text.split())]
            for one in self.root.iterfind(".//cap:polygon", NS)
        ]


def assert_means(alert: Alert, incident: Incident) -> None:
    """The right place, once a language."""
    estimate = incident.estimate
    for circle in alert.circles():
        assert circle.lat == pytest.approx(estimate.location.lat, abs=1e-6)
        assert circle.lon == pytest.approx(estimate.location.lon, abs=1e-6)
        assert circle.radius_km > 0
    area = estimate.region90.area
    rings = [area.coordinates] if isinstance(area, Polygon) else list(area.coordinates)
    assert len(alert.circles()) == 2
    assert len(alert.polygons()) == 2 * len(rings)
    for told, (outer, *_holes) in zip(alert.polygons(), rings * 2, strict=True):
        assert told[0] == told[-1]
        assert len(told) >= 4
        for (lat, lon), (known_lon, known_lat) in zip(told, outer, strict=True):
            assert (lat, lon) == pytest.approx((known_lat, known_lon), abs=1e-6)
