"""Value types for identifiers, so that a call's id can't be passed where a camera's is meant."""

from __future__ import annotations

from typing import NewType

CameraId = NewType("CameraId", str)
TrackId = NewType("TrackId", str)
"""Unique within its camera."""
CallId = NewType("CallId", str)
IncidentId = NewType("IncidentId", str)
ReportId = NewType("ReportId", str)
"""Made where the report is made; a repeat carries the same one and is stored once."""
EvidenceId = NewType("EvidenceId", str)
"""The SHA-256 of the content, in hex: a picture or clip in the evidence store."""
ClipId = NewType("ClipId", str)
AgencyId = NewType("AgencyId", str)
"""As configured under ``routing``."""
UnitId = NewType("UnitId", str)
AssignmentId = NewType("AssignmentId", str)
ShelfId = NewType("ShelfId", str)
HandoverId = NewType("HandoverId", str)
Sequence = NewType("Sequence", int)
"""Place of an entry in the log, or of a report among the reports: 1, 2, 3 ... without gaps."""
