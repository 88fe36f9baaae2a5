"""Incidents as CSV and GeoJSON files, made piece by piece.

A spreadsheet runs a cell that starts like a formula, so such text gets an apostrophe before it
(OWASP, CSV injection). Notes are left out: they say what callers said.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from api.formats.features import incident_feature, instant
from api.formats.shapes import radius_m
from api.wire import plain
from contracts import Incident

CSV = "text/csv"
COLUMNS = (
    "id",
    "hazard",
    "state",
    "level",
    "priority",
    "probability",
    "lon",
    "lat",
    "radius50_m",
    "place_name",
    "started_at",
    "created_at",
    "acknowledged_at",
    "verified_at",
    "dispatched_at",
    "ended_at",
    "cameras",
    "calls",
    "duplicate_of",
    "reason",
    "last_actor",
    "exercise",
    "version",
)
# The last four are the full-width forms, which some spreadsheets take for the others.
_STARTS_FORMULA = tuple("=+-@\N{FULLWIDTH EQUALS SIGN}＋－＠")
_CONTROLS = ("\t", "\r", "\n")

GEOJSON_HEAD = b'{"type":"FeatureCollection","features":['
GEOJSON_TAIL = b"]}\n"


def csv_head() -> bytes:
    """The line of names."""
    return _lines([COLUMNS])


def csv_lines(incidents: Iterable[Incident]) -> bytes:
    """A line an incident (RFC 4180, UTF-8)."""
    return _lines(_row(incident) for incident in incidents)


def geojson_features(incidents: Iterable[Incident], *, is_first: bool) -> bytes:
    """Features with commas between them, and one before them unless they are the first."""
    encoded = b",\n".join(plain(incident_feature(incident)) for incident in incidents)
    return encoded if is_first or not encoded else b",\n" + encoded


def csv_table(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> bytes:
    """Any table, with its line of names (RFC 4180, UTF-8)."""
    lines = ([harmless(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return _lines([columns, *lines])


def harmless(cell: str) -> str:
    """The text as a spreadsheet may open it."""
    if cell.startswith(_CONTROLS) or cell.lstrip().startswith(_STARTS_FORMULA):
        return f"'{cell}"
    return cell


def _row(incident: Incident) -> tuple[object, ...]:
    estimate = incident.estimate
    return (
        harmless(incident.id),
        incident.hazard.value,
        incident.state.value,
        incident.level.value,
        incident.priority,
        f"{estimate.probability:.4f}",
        f"{estimate.location.lon:.6f}",
        f"{estimate.location.lat:.6f}",
        f"{radius_m(estimate.region50.area):.1f}",
        harmless(incident.place_name),
        instant(estimate.started_at),
        instant(incident.created_at),
        instant(incident.acknowledged_at),
        instant(incident.verified_at),
        instant(incident.dispatched_at),
        instant(incident.closed_at),
        len(estimate.camera_ids),
        len(estimate.call_ids),
        harmless(incident.duplicate_of or ""),
        harmless(incident.reason),
        harmless(incident.last_actor),
        str(estimate.exercise).lower(),
        incident.version,
    )


def _lines(rows: Iterable[Iterable[object]]) -> bytes:
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerows(rows)
    return written.getvalue().encode("utf-8", "replace")
