"""Reports: everything that speaks for an incident, in the one order that fusion works by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contracts.calls import CallerFix, CallReport
from contracts.detections import Detection
from contracts.errors import require_utc
from contracts.ids import ReportId, Sequence

ReportBody = CallReport | CallerFix | Detection


class ReportKind(StrEnum):
    """Which noun a report carries."""

    CALL = "call"
    FIX = "fix"
    DETECTION = "detection"


_KINDS: dict[type, ReportKind] = {
    CallReport: ReportKind.CALL,
    CallerFix: ReportKind.FIX,
    Detection: ReportKind.DETECTION,
}
BODIES: dict[ReportKind, type[ReportBody]] = {
    ReportKind.CALL: CallReport,
    ReportKind.FIX: CallerFix,
    ReportKind.DETECTION: Detection,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """An accepted report: a row of the database, with its place in the order."""

    seq: Sequence
    recorded_at: datetime
    body: ReportBody

    def __post_init__(self) -> None:
        require_utc("recorded_at", self.recorded_at)

    @property
    def id(self) -> ReportId:
        """The body's id, given where it was made."""
        return self.body.id

    @property
    def kind(self) -> ReportKind:
        """Which noun the body is."""
        return _KINDS[type(self.body)]

    @property
    def exercise(self) -> bool:
        """Whether it belongs to an exercise; such reports never meet real ones."""
        return self.body.exercise


def evidence_key(body: ReportBody) -> str:
    """The latent cause that a report speaks of: reports with one key are one piece of evidence."""
    if isinstance(body, Detection):
        return f"track:{body.camera_id}/{body.track_id}"
    return f"call:{body.call_id}"
