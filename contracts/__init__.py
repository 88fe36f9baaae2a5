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
from contracts.cameras import (
    Camera,
    CameraHealth,
    CameraPose,
    CameraState,
    RoadRegion,
    StreamSource,
    ViewShift,
)
from contracts.commands import (
    Cue,
    KeepClip,
    ProbeAnswer,
    ProbeCamera,
    ScenarioReport,
    StartScenario,
    WatchClosely,
)
from contracts.desk import Handover, Shelf
from contracts.detections import Box, Detection
from contracts.errors import ContractError
from contracts.evidence import ClipPart, ClipReport, ClipState, EvidenceClip
from contracts.frames import Frame, Rgb
from contracts.hazards import Hazard, Sighting
from contracts.heads import HeadReport, LearntHead, PtzHead
from contracts.ids import (
    AgencyId,
    AssignmentId,
    CallId,
    CameraId,
    ClipId,
    EvidenceId,
    HandoverId,
    IncidentId,
    ReportId,
    Sequence,
    ShelfId,
    TrackId,
    UnitId,
)
from contracts.incidents import (
    AlarmLevel,
    Attachment,
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
from contracts.learning import LearntFigure
from contracts.log import LogEntry, LogKind, LogSubject, subject_type
from contracts.places import Area, LonLat, MultiPolygon, Polygon, Position
from contracts.reports import Report, ReportBody, ReportKind, evidence_key
from contracts.routing import Assignment, AssignmentState, Unit, UnitState
from contracts.verdicts import Truth, Verdict

__all__ = [
    "AgencyId",
    "AlarmLevel",
    "Area",
    "Assignment",
    "AssignmentId",
    "AssignmentState",
    "Attachment",
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
    "ClipId",
    "ClipPart",
    "ClipReport",
    "ClipState",
    "ContractError",
    "Contribution",
    "Cue",
    "Decision",
    "DecisionKind",
    "Detection",
    "Disc",
    "Estimate",
    "EvidenceClip",
    "EvidenceId",
    "FixMethod",
    "FixShape",
    "Frame",
    "Handover",
    "HandoverId",
    "Hazard",
    "HeadReport",
    "Incident",
    "IncidentAction",
    "IncidentId",
    "IncidentState",
    "KeepClip",
    "KeyPicture",
    "LearntFigure",
    "LearntHead",
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
    "PtzHead",
    "Region",
    "Report",
    "ReportBody",
    "ReportId",
    "ReportKind",
    "Rgb",
    "RoadRegion",
    "ScenarioReport",
    "Sector",
    "Sequence",
    "Shelf",
    "ShelfId",
    "Sighting",
    "SourceKind",
    "StartScenario",
    "StreamSource",
    "TrackId",
    "Truth",
    "Unit",
    "UnitId",
    "UnitState",
    "Verdict",
    "ViewShift",
    "WatchClosely",
    "evidence_key",
    "from_json",
    "from_plain",
    "subject_type",
    "to_json",
    "to_plain",
]
