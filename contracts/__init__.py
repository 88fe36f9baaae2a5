"""The nouns of Siaga: frozen, typed, with a JSON form, and no I/O.

Everything that passes between rooms or processes is one of these. A noun checks its own laws
when it is made and raises `ContractError`, which names the field and says what would be right.
"""

from contracts.calls import (
    Call,
    CallerFix,
    CallReport,
    Disc,
    FixMethod,
    FixShape,
    Outline,
    Sector,
)
from contracts.cameras import Camera, CameraHealth, CameraPose, CameraState, StreamSource, ViewShift
from contracts.commands import ProbeAnswer, ProbeCamera, WatchClosely
from contracts.detections import Box, Detection
from contracts.errors import ContractError
from contracts.frames import Frame, Rgb
from contracts.hazards import Hazard, Sighting
from contracts.ids import CallId, CameraId, EvidenceId, IncidentId, ReportId, Sequence, TrackId
from contracts.incidents import (
    AlarmLevel,
    Contribution,
    Decision,
    DecisionKind,
    Estimate,
    Incident,
    IncidentAction,
    IncidentState,
    KeyPicture,
    Note,
    Region,
    SourceKind,
)
from contracts.jsonform import from_json, from_plain, to_json, to_plain
from contracts.log import LogEntry, LogKind, LogSubject, subject_type
from contracts.places import Area, LonLat, MultiPolygon, Polygon, Position
from contracts.reports import Report, ReportBody, ReportKind, evidence_key

__all__ = [
    "AlarmLevel",
    "Area",
    "Box",
    "Call",
    "CallId",
    "CallReport",
    "CallerFix",
    "Camera",
    "CameraHealth",
    "CameraId",
    "CameraPose",
    "CameraState",
    "ContractError",
    "Contribution",
    "Decision",
    "DecisionKind",
    "Detection",
    "Disc",
    "Estimate",
    "EvidenceId",
    "FixMethod",
    "FixShape",
    "Frame",
    "Hazard",
    "Incident",
    "IncidentAction",
    "IncidentId",
    "IncidentState",
    "KeyPicture",
    "LogEntry",
    "LogKind",
    "LogSubject",
    "LonLat",
    "MultiPolygon",
    "Note",
    "Outline",
    "Polygon",
    "Position",
    "ProbeAnswer",
    "ProbeCamera",
    "Region",
    "Report",
    "ReportBody",
    "ReportId",
    "ReportKind",
    "Rgb",
    "Sector",
    "Sequence",
    "Sighting",
    "SourceKind",
    "StreamSource",
    "TrackId",
    "ViewShift",
    "WatchClosely",
    "evidence_key",
    "from_json",
    "from_plain",
    "subject_type",
    "to_json",
    "to_plain",
]
