"""The rows of a big database, as SQL that makes them out of numbers.

Three entries of ten are about the incident, the others about cameras' health, as in a real log.
Kinds, levels and places are spread unevenly: one hazard and the exercises are rare, one incident in
five hundred lasts for days, the newest are open.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from bench.archive_dialects import BEGIN, Dialect
from contracts import (
    AlarmLevel,
    CameraHealth,
    CameraId,
    CameraState,
    Estimate,
    Hazard,
    Incident,
    IncidentId,
    IncidentState,
    LonLat,
    Polygon,
    Region,
    to_json,
)
from incidents.words import EXERCISE, LASTING

ENTRIES_AN_INCIDENT = 10
TOLD = ("incident.founded", "incident.updated", "incident.acted")
"""The first entries of ten; the others are of cameras."""
STEP = timedelta(seconds=180)
"""Between two incidents: a million of them in under six years."""
OPEN_AT_END = 40
PLACES = 5_000

_HAZARDS = (  # Out of a thousand, the last one takes the rest.
    (Hazard.CRASH, 290),
    (Hazard.FIRE, 190),
    (Hazard.MEDICAL, 160),
    (Hazard.DISASTER, 129),
    (Hazard.CRIME, 110),
    (Hazard.FLOOD, 1),
    (Hazard.OTHER, 120),
)
_LEVELS = ((AlarmLevel.ALARM, 100), (AlarmLevel.CANDIDATE, 500), (AlarmLevel.SIGNAL, 400))


def incident_id(number: int) -> IncidentId:
    """Of the incident of this number, from 0."""
    return IncidentId(f"incident-{number:08d}")


@dataclass(frozen=True, slots=True)
class Rows:
    """SQL of the values that follow from an incident's number ``n``; ``p`` is its place."""

    dialect: Dialect
    incidents: int

    @property
    def id(self) -> str:
        return f"'incident-' || {self.dialect.padded('n')}"

    @property
    def place(self) -> str:
        return f"{_drawn(69621, 1_000_000)} % {PLACES}"

    @property
    def hazard(self) -> str:
        return _case(_drawn(1103515245), _HAZARDS)

    @property
    def level(self) -> str:
        return _case(_drawn(22695477), _LEVELS)

    @property
    def seq(self) -> str:
        return f"n * {ENTRIES_AN_INCIDENT} + 1"

    @property
    def seconds(self) -> str:
        return f"n * {STEP.seconds}"

    @property
    def is_open(self) -> str:
        return f"(n >= {self.incidents - OPEN_AT_END})"

    @property
    def is_lasting(self) -> str:
        return "(n % 500 = 7)"

    @property
    def is_exercise(self) -> str:
        return "(n % 997 = 5)"

    @property
    def ended_s(self) -> str:
        return f"{self.seconds} + CASE WHEN {self.is_lasting} THEN 259200 ELSE 2400 END"

    @property
    def ended_at(self) -> str:
        return f"CASE WHEN NOT {self.is_open} THEN {self.dialect.time(self.ended_s)} END"

    def body(self) -> str:
        """The incident's JSON."""
        ended = f"'\"' || {self.dialect.json_time(self.ended_s)} || '\"'"
        values = {
            "id": self.id,
            "hazard": self.hazard,
            "level": self.level,
            "at": self.dialect.json_time(self.seconds),
            "lon": "p.lon_text",
            "lat": "p.lat_text",
            "area": "p.area",
            "state": f"CASE WHEN {self.is_open} THEN 'detected' ELSE 'closed' END",
            "exercise": f"CASE WHEN {self.is_exercise} THEN 'true' ELSE 'false' END",
            "ended": f"CASE WHEN {self.is_open} THEN 'null' ELSE {ended} END",
        }
        return " || ".join(
            f"({values[part]})" if number % 2 else "'" + part.replace("'", "''") + "'"
            for number, part in enumerate(_form())
        )

    def source(self, first: int, last: int) -> str:
        """The numbers with their places."""
        return f"{self.dialect.series(first, last)} JOIN places p ON p.number = {self.place}"

    def _incident_rows(self, first: int, last: int) -> str:
        """Fill ``incidents``."""
        time, columns = self.dialect.time, {}
        columns = {
            "id": self.id,
            "founded_seq": self.seq,
            "version": "3",
            "guard_version": "3",
            "is_open": self.is_open,
            "exercise": self.is_exercise,
            "state": f"CASE WHEN {self.is_open} THEN 'detected' ELSE 'closed' END",
            "level": self.level,
            "hazard": self.hazard,
            "acted_seq": f"{self.seq} + 2",
            "told_at": time(self.seconds),
            "body": self.body(),
            "pending": "NULL",
            "lon": "p.lon",
            "lat": "p.lat",
            "started_at": time(self.seconds),
            "ended_at": self.ended_at,
            "created_at": time(self.seconds),
            "on_hold": "(1 = 0)",
        }
        return _insert("incidents", columns, self.source(first, last))

    def _told_rows(self, first: int, last: int, offset: int) -> str:
        """Fill ``log`` with the incidents' entries of one offset."""
        columns = {
            "seq": f"{self.seq} + {offset}",
            "recorded_at": self.dialect.time(f"{self.seconds} + {offset * 10}"),
            "kind": f"'{TOLD[offset]}'",
            "subject_id": self.id,
            "actor": "'ani'" if TOLD[offset] == "incident.acted" else "'system'",
            "exercise": self.is_exercise,
            "detail": "'close'" if TOLD[offset] == "incident.acted" else "''",
            "hazard": self.hazard,
            "level": self.level,
            "tags": f"' area:' || p.area_tag || ' hazard:' || {self.hazard} "
            f"|| ' level:' || {self.level} || ' '",
            "subject": self.body(),
        }
        return _insert("log", columns, self.source(first, last))

    def _health_rows(self, first: int, last: int) -> str:
        """Fill ``log`` with the cameras' entries."""
        camera = f"CAST({_drawn(134775813)} % 300 AS TEXT)"
        before, after = _health().split("camera-0")
        columns = {
            "seq": f"{self.seq} + k",
            "recorded_at": self.dialect.time(f"{self.seconds} + k * 10"),
            "kind": "'camera.health'",
            "subject_id": f"'camera-' || {camera}",
            "actor": "'system'",
            "exercise": "(1 = 0)",
            "detail": "''",
            "tags": "''",
            "subject": f"'{before}camera-' || {camera} || '{after}'",
        }
        offsets = " UNION ALL ".join(
            f"SELECT {k} AS k" for k in range(len(TOLD), ENTRIES_AN_INCIDENT)
        )
        return _insert(
            "log", columns, f"{self.dialect.series(first, last)} CROSS JOIN ({offsets}) AS o"
        )

    def statements(self, first: int, last: int) -> Iterator[str]:
        """Fill both with the incidents from ``first`` up to, not including, ``last``."""
        yield self._incident_rows(first, last)
        for offset in range(len(TOLD)):
            yield self._told_rows(first, last, offset)
        yield self._health_rows(first, last)

    def word_rows(self) -> str:
        """Fill ``incident_words``, in the order of its key."""
        beside = (
            f"{self.seq}, {self.is_open}, {self.is_exercise}, p.lon, p.lat, "
            f"{self.dialect.time(self.seconds)}, {self.ended_at}"
        )
        everything = self.source(0, self.incidents)
        parts = [
            f"SELECT {word}, {beside} FROM {everything} {where}"  # noqa: S608 - ours
            for word, where in (
                ("w.word", "JOIN place_words w ON w.place = p.number"),
                (f"'hazard:' || {self.hazard}", ""),
                (f"'level:' || {self.level}", ""),
                (f"'{LASTING}'", f"WHERE {self.is_lasting} OR {self.is_open}"),
                (f"'{EXERCISE}'", f"WHERE {self.is_exercise}"),
            )
        ]
        return (
            "INSERT INTO incident_words (word, founded_seq, is_open, exercise, lon, lat, "
            f"started_at, ended_at) {' UNION ALL '.join(parts)} ORDER BY 1, 2"
        )


def _drawn(factor: int, of: int = 1000) -> str:
    """A number below ``of`` that looks drawn by lot, of ``n``."""
    return f"(((n * {factor} + 12345) % 2147483648) / 1024 % {of})"


def _case(drawn: str, weights: tuple[tuple[Any, int], ...]) -> str:
    whens, reached = [], 0
    for one, weight in weights[:-1]:
        reached += weight
        whens.append(f"WHEN {drawn} < {reached} THEN '{one.value}'")
    return f"CASE {' '.join(whens)} ELSE '{weights[-1][0].value}' END"


def _insert(table: str, columns: dict[str, str], source: str) -> str:
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) "  # noqa: S608 - ours
        f"SELECT {', '.join(columns.values())} FROM {source}"
    )


def _form() -> list[str]:
    """An incident's JSON with blanks, split: text, a blank's name, text and so on."""
    ring = ((106.99, -6.24), (106.994, -6.24), (106.994, -6.236), (106.99, -6.236), (106.99, -6.24))
    region = Region(area=Polygon((ring,)), confidence=0.5)
    text = to_json(
        made_incident(
            LonLat(1.5, 2.5),
            "@area",
            level=AlarmLevel.SIGNAL,
            closed_at=BEGIN + timedelta(days=1),
            region50=region,
            region90=replace(region, confidence=0.9),
        )
    ).decode()
    for value, blank in (
        ('"incident-0"', '"@id"'),
        ('"fire"', '"@hazard"'),
        ('"signal"', '"@level"'),
        ('"closed"', '"@state"'),
        ('"exercise":false', '"exercise":@exercise'),
        (to_json(BEGIN).decode(), '"@at"'),
        (to_json(BEGIN + timedelta(days=1)).decode(), "@ended"),
        (to_json(LonLat(1.5, 2.5)).decode(), '{"lon":@lon,"lat":@lat}'),
    ):
        if value not in text:
            raise RuntimeError(f"an incident's form has changed: no {value} in it")
        text = text.replace(value, blank)
    return re.split("@(id|hazard|level|state|exercise|at|ended|lon|lat|area)", text)


def made_incident(place: LonLat, area: str, **changes: Any) -> Incident:
    region50, region90 = changes.pop("region50", None), changes.pop("region90", None)
    estimate = Estimate(
        hazard=Hazard.FIRE,
        hazard_probabilities=((Hazard.FIRE, 1.0),),
        probability=0.9,
        location=place,
        region50=region50,
        region90=region90,
        contributions=(),
        report_ids=(),
        camera_ids=(),
        call_ids=(),
        started_at=BEGIN,
        last_report_at=BEGIN,
    )
    return replace(
        Incident(
            id=IncidentId("incident-0"),
            version=3,
            state=IncidentState.CLOSED,
            level=AlarmLevel.ALARM,
            priority=2,
            estimate=estimate,
            created_at=BEGIN,
            updated_at=BEGIN,
            place_name=area,
            closed_at=BEGIN,
        ),
        **changes,
    )


def _health() -> str:
    health = CameraHealth(camera_id=CameraId("camera-0"), state=CameraState.LIVE, since=BEGIN)
    return to_json(health).decode()
