"""The tables. A noun is kept whole as its JSON form; beside it stand the columns that queries use.

``incidents.body`` is the incident as the log last told it, so that a snapshot equals the log up to
its sequence number; what fusion has learnt since, and not yet told, is ``pending``.
"""

from incidents.tables.base import CounterRow, Table, UtcTime
from incidents.tables.calls import CallKeyRow, CallRow, DeadLetterRow, RawMessageRow
from incidents.tables.desk import ExerciseRow, HandoverRow, ShelfRow, UnitRow
from incidents.tables.fusing import ClipRow, FusionWriterRow, LearntRow, VerdictRow
from incidents.tables.log import IncidentRow, IncidentWordRow, LogRow, ReportRow
from incidents.tables.people import AccountRow, AuditAnchorRow, AuditRow, MachineKeyRow, SessionRow
from incidents.tables.register import CalibrationRow, CameraHealthRow, CameraRow
from incidents.tables.webhooks import WebhookDeliveryRow, WebhookRow

__all__ = [
    "AccountRow",
    "AuditAnchorRow",
    "AuditRow",
    "CalibrationRow",
    "CallKeyRow",
    "CallRow",
    "CameraHealthRow",
    "CameraRow",
    "ClipRow",
    "CounterRow",
    "DeadLetterRow",
    "ExerciseRow",
    "FusionWriterRow",
    "HandoverRow",
    "IncidentRow",
    "IncidentWordRow",
    "LearntRow",
    "LogRow",
    "MachineKeyRow",
    "RawMessageRow",
    "ReportRow",
    "SessionRow",
    "ShelfRow",
    "Table",
    "UnitRow",
    "UtcTime",
    "VerdictRow",
    "WebhookDeliveryRow",
    "WebhookRow",
]
