"""What the database remembers of fusion's decisions, and how fusion gets it back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from contracts import IncidentId, Report, ReportId
from contracts import Sequence as SequenceNumber
from geo.fusion import Fusion
from plumbing.logs import get_logger

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class FusionMemory:
    """What a new writer starts from, all of one moment."""

    report_seq: SequenceNumber
    reports: tuple[Report, ...]
    assignment: Mapping[ReportId, IncidentId]
    touched: frozenset[IncidentId]
    """Incidents that a person has acted on."""
    ended: frozenset[IncidentId]
    """Those of them that take no more reports."""


def restored(fusion: Fusion, memory: FusionMemory, exercise: bool) -> bool:
    """Put back what was decided; false where that fails, and only a fresh start is left."""
    reports = [report for report in memory.reports if report.exercise is exercise]
    try:
        fusion.restore(reports, memory.assignment, memory.touched)
        for incident_id in sorted(memory.ended):
            fusion.note_human_action(incident_id, ended=True)
    except Exception:  # noqa: BLE001 - a service that can't start is worse than one that forgot
        _log.exception("fusion's memory can't be rebuilt; it starts empty", exercise=exercise)
        return False
    return True
