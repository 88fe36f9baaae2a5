"""The tables. A noun is kept whole as its JSON form; beside it stand the columns that queries use.

``incidents.body`` is the incident as the log last told it, so that a snapshot equals the log up to
its sequence number; what fusion has learnt since, and not yet told, is ``pending``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    TypeDecorator,
    false,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class UtcTime(TypeDecorator[datetime]):
    """An aware time in UTC; SQLite keeps it without the offset, PostgreSQL with."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Refuse a naive time: it would be read back as another moment."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time in the database must be aware, got {value.isoformat()}")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the offset back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# SQLite stores a table by its key, without an index of its own, only if that is an INTEGER.
_Whole = BigInteger().with_variant(Integer(), "sqlite")


class Table(DeclarativeBase):
    """The base of all tables."""

    type_annotation_map = {datetime: UtcTime(), int: _Whole, str: Text()}  # noqa: RUF012


class CounterRow(Table):
    """The last sequence number given out; locking its row orders the writers."""

    __tablename__ = "counters"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[int]


class ReportRow(Table):
    """An accepted report, in the one order that fusion works by."""

    __tablename__ = "reports"
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    id: Mapped[str] = mapped_column(String(120), unique=True)
    kind: Mapped[str] = mapped_column(String(20))
    exercise: Mapped[bool]
    evidence_key: Mapped[str]
    recorded_at: Mapped[datetime] = mapped_column(index=True)
    body: Mapped[str]
    incident_id: Mapped[str | None] = mapped_column(ForeignKey("incidents.id"), index=True)
    """Where fusion put it; none while undecided, or where it speaks for nothing."""
    problem: Mapped[str | None]
    """Why fusion could not work with it; such a report is set aside."""
    __table_args__ = (
        Index("reports_by_evidence", "evidence_key"),
        Index("reports_by_kind", "kind", "seq"),
        Index(
            "reports_of_exercises",
            "recorded_at",
            sqlite_where=text("exercise IS 1"),
            postgresql_where=text("exercise IS true"),
        ),
    )


class IncidentRow(Table):
    """An incident as last told, with what queries need beside it."""

    __tablename__ = "incidents"
    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    founded_seq: Mapped[int]
    """Log sequence of its founding: a total order to page by."""
    version: Mapped[int]
    guard_version: Mapped[int]
    """Version of the last change that a person's decision rests on; see `incidents.actions`."""
    is_open: Mapped[bool]
    exercise: Mapped[bool]
    state: Mapped[str] = mapped_column(String(20))
    level: Mapped[str] = mapped_column(String(20))
    hazard: Mapped[str] = mapped_column(String(20))
    acted_seq: Mapped[int] = mapped_column(default=0)
    """Log sequence of the last thing a person did to it; 0 if none ever did."""
    told_at: Mapped[datetime]
    """When the log last told of fusion's estimate."""
    body: Mapped[str]
    pending: Mapped[str | None]
    """The incident as fusion would tell it next; none where nothing is new."""
    lon: Mapped[float] = mapped_column(Double)
    lat: Mapped[float] = mapped_column(Double)
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    """When it was closed, rejected, merged or cancelled."""
    created_at: Mapped[datetime]
    """When it was founded; see `incidents.finding`."""
    on_hold: Mapped[bool] = mapped_column(server_default=false())
    """Under legal hold: retention takes nothing of it."""
    __table_args__ = (
        # Holds all that a map or an export asks by, so that only what is found is read whole.
        Index(
            "incidents_by_place_and_time",
            "exercise",
            "founded_seq",
            "lon",
            "lat",
            "started_at",
            "ended_at",
        ),
        Index("incidents_open_by_founding", "is_open", "founded_seq"),
        Index("incidents_by_founding", "founded_seq"),
        Index("incidents_by_creation", "created_at", "founded_seq"),
        Index("incidents_by_start", "started_at"),
        Index(
            "incidents_on_hold",
            "founded_seq",
            sqlite_where=text("on_hold IS 1"),
            postgresql_where=text("on_hold IS true"),
        ),
        Index(
            "incidents_by_pending",
            "told_at",
            sqlite_where=text("pending IS NOT NULL"),
            postgresql_where=text("pending IS NOT NULL"),
        ),
    )


class IncidentWordRow(Table):
    """A word that an incident is found by (`incidents.finding`)."""

    __tablename__ = "incident_words"
    # Nothing but its key, so SQLite keeps it as an index without a table.
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012
    word: Mapped[str] = mapped_column(primary_key=True)
    founded_seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class LogRow(Table):
    """One change, with its subject as it was after it."""

    __tablename__ = "log"
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    recorded_at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[str]
    actor: Mapped[str]
    exercise: Mapped[bool]
    detail: Mapped[str]
    hazard: Mapped[str | None] = mapped_column(String(20))
    level: Mapped[str | None] = mapped_column(String(20))
    tags: Mapped[str] = mapped_column(server_default="")
    """What readers filter by: of the subject before and after the change (`incidents.tags`)."""
    request_key: Mapped[str | None] = mapped_column(unique=True)
    """Names the request that caused it, so that a repeat of it does nothing again."""
    subject: Mapped[str]
    __table_args__ = (
        Index("log_by_kind", "kind", "seq"),
        Index("log_by_subject", "subject_id", "seq"),
    )


class CallRow(Table):
    """A call, put together from its reports."""

    __tablename__ = "calls"
    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    received_seq: Mapped[int] = mapped_column(index=True)
    """Log sequence of its first report: a total order to page by."""
    received_at: Mapped[datetime] = mapped_column(index=True)
    exercise: Mapped[bool]
    body: Mapped[str]


class CallKeyRow(Table):
    """What a call is known by: salted hashes of its caller's number and the like."""

    __tablename__ = "call_keys"
    key_hash: Mapped[str] = mapped_column(String(80), primary_key=True)
    call_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    heard_at: Mapped[datetime] = mapped_column(index=True)
    """When it was last heard of the caller."""


class RawMessageRow(Table):
    """A message of a phone or a network as it came, whatever it was worth."""

    __tablename__ = "raw_messages"
    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    received_seq: Mapped[int] = mapped_column(unique=True, index=True)
    """A total order to page by."""
    channel: Mapped[str] = mapped_column(String(20))
    sender: Mapped[str]
    """The machine key's name; empty for who had none."""
    received_at: Mapped[datetime] = mapped_column(index=True)
    seen_at: Mapped[datetime]
    seen: Mapped[int]
    """How often it came: senders repeat what wasn't answered."""
    sealed: Mapped[str]
    """Its bytes in base64, encrypted: they hold numbers of persons and devices."""
    is_trusted: Mapped[bool]
    problems: Mapped[str]
    """JSON list of sentences."""
    call_id: Mapped[str | None] = mapped_column(String(80), index=True)
    fix_ids: Mapped[str]
    """JSON list: the positions that were made of it."""


class CameraRow(Table):
    """A registered camera and how to open it. A removed one stays, so that versions go on."""

    __tablename__ = "cameras"
    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    version: Mapped[int]
    enabled: Mapped[bool]
    removed: Mapped[bool]
    body: Mapped[str]
    username: Mapped[str | None]
    sealed_password: Mapped[str | None]
    headers: Mapped[str]
    """JSON list of name and value pairs."""


class CalibrationRow(Table):
    """A pose that a camera had, and what it was fitted to."""

    __tablename__ = "calibrations"
    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    camera_id: Mapped[str] = mapped_column(ForeignKey("cameras.id"))
    camera_version: Mapped[int]
    """The version of the camera that it made, or was found in."""
    recorded_at: Mapped[datetime]
    actor: Mapped[str]
    origin: Mapped[str] = mapped_column(String(20))
    restored_id: Mapped[str | None] = mapped_column(String(80))
    pose: Mapped[str]
    request: Mapped[str | None]
    """Metadata and clicks as JSON; none where the pose was not fitted."""
    findings: Mapped[str | None]
    """Residuals and warnings as JSON."""
    __table_args__ = (Index("calibrations_by_camera", "camera_id", "camera_version"),)


class CameraHealthRow(Table):
    """How a camera is."""

    __tablename__ = "camera_health"
    camera_id: Mapped[str] = mapped_column(ForeignKey("cameras.id"), primary_key=True)
    recorded_at: Mapped[datetime]
    body: Mapped[str]


class FusionWriterRow(Table):
    """One row: who may write fusion's decisions, and how far they have got."""

    __tablename__ = "fusion_writer"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    fencing: Mapped[int]
    report_seq: Mapped[int]


class LearntRow(Table):
    """A figure that fusion has learnt; `contracts.LearntFigure` is its body."""

    __tablename__ = "learnt"
    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    frozen: Mapped[bool]
    """Learning leaves it as it is."""
    body: Mapped[str]


class ExerciseRow(Table):
    """An exercise that was played; `contracts.ExerciseRecord` is its body."""

    __tablename__ = "exercises"
    __table_args__ = (Index("exercises_by_time", "started_at"),)
    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    started_at: Mapped[datetime]
    body: Mapped[str]


class DeadLetterRow(Table):
    """What came over the bus and could not be read; kept for people to look at."""

    __tablename__ = "dead_letters"
    id: Mapped[str] = mapped_column(String(200), primary_key=True)
    """Topic and the bus's entry id, so that a repeat is kept once."""
    recorded_at: Mapped[datetime]
    problem: Mapped[str]
    sealed: Mapped[str | None]
    """Its bytes in base64, encrypted."""


class AccountRow(Table):
    """A person who may sign in."""

    __tablename__ = "accounts"
    username: Mapped[str] = mapped_column(String(80), primary_key=True)
    display_name: Mapped[str]
    role: Mapped[str] = mapped_column(String(20))
    password_hash: Mapped[str]
    enabled: Mapped[bool]
    created_at: Mapped[datetime]
    camera_groups: Mapped[str | None]
    """JSON list of the groups whose cameras they may see; none: all."""
    external_id: Mapped[str | None] = mapped_column(String(400))
    """Issuer and subject, of who signs in by OpenID Connect; such an account has no password."""
    agency_id: Mapped[str | None] = mapped_column(String(40))
    """The agency that they work for, and see the incidents of; none: the centre itself."""
    __table_args__ = (Index("accounts_by_external_id", "external_id", unique=True),)


class SessionRow(Table):
    """A signed-in browser; of its token only the SHA-256 is kept."""

    __tablename__ = "sessions"
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    username: Mapped[str] = mapped_column(
        ForeignKey("accounts.username", ondelete="CASCADE"), index=True
    )
    created_at: Mapped[datetime]
    used_at: Mapped[datetime]


class MachineKeyRow(Table):
    """A machine's key; of the key only the SHA-256 is kept."""

    __tablename__ = "machine_keys"
    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    role: Mapped[str] = mapped_column(String(20))
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    scopes: Mapped[str | None]
    """JSON list of what it may do of what its role may; none: all of it."""
    camera_groups: Mapped[str | None]
    """JSON list of the groups whose cameras it may see; none: all."""
    previous_hash: Mapped[str | None] = mapped_column(String(64))
    """Of the key before it was rotated, which is let in until ``previous_until``."""
    previous_until: Mapped[datetime | None]
    used_at: Mapped[datetime | None]
    agency_id: Mapped[str | None] = mapped_column(String(40))
    """The agency whose system it is, and whose incidents it sees; none: the centre's own."""
    __table_args__ = (Index("machine_keys_by_previous", "previous_hash", unique=True),)


class AuditRow(Table):
    """Who did or saw what. Chained by hashes, and guarded by triggers."""

    __tablename__ = "audit"
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    recorded_at: Mapped[datetime]
    actor: Mapped[str]
    action: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str]
    details: Mapped[str | None]
    """JSON; taken away, with the salt, when it must be forgotten."""
    salt: Mapped[str | None] = mapped_column(String(32))
    details_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))
    __table_args__ = (
        Index("audit_by_subject", "subject", "seq"),
        Index("audit_by_actor", "actor", "seq"),
    )


class AuditAnchorRow(Table):
    """One row: the last entry that retention took away, where the chain now begins."""

    __tablename__ = "audit_anchor"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int]
    hash: Mapped[str] = mapped_column(String(64))


class VerdictRow(Table):
    """What people found a camera's track to be. It outlives the reports it was made from."""

    __tablename__ = "verdicts"
    id: Mapped[str] = mapped_column(String(250), primary_key=True)
    incident_id: Mapped[str] = mapped_column(String(80))
    camera_id: Mapped[str] = mapped_column(String(80))
    decided_at: Mapped[datetime]
    exercise: Mapped[bool]
    body: Mapped[str]
    __table_args__ = (
        Index("verdicts_by_incident", "incident_id"),
        Index("verdicts_by_time", "decided_at"),
    )


class UnitRow(Table):
    """An agency's unit: an engine, an ambulance, a patrol."""

    __tablename__ = "units"
    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    agency_id: Mapped[str] = mapped_column(String(40))
    removed: Mapped[bool]
    body: Mapped[str]
    __table_args__ = (Index("units_by_agency", "agency_id"),)


class ShelfRow(Table):
    """A camera or hazard that doesn't sound for a while."""

    __tablename__ = "shelves"
    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    until: Mapped[datetime]
    """When it ends or was ended."""
    body: Mapped[str]
    __table_args__ = (Index("shelves_by_end", "until"),)


class HandoverRow(Table):
    """What one shift tells the next."""

    __tablename__ = "handovers"
    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    logged_seq: Mapped[int]
    """Its log entry: a total order to page by."""
    recorded_at: Mapped[datetime]
    body: Mapped[str]
    __table_args__ = (Index("handovers_by_seq", "logged_seq", unique=True),)


class WebhookRow(Table):
    """Who is sent what by HTTP, and how far in the log its outbox has come."""

    __tablename__ = "webhooks"
    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    version: Mapped[int]
    removed: Mapped[bool]
    body: Mapped[str]
    sealed_secret: Mapped[str]
    sealed_previous: Mapped[str | None]
    """The secret before it was rotated; both sign until ``previous_until``."""
    previous_until: Mapped[datetime | None]
    cursor_seq: Mapped[int]
    failures: Mapped[int]
    """Tries in a row at which the receiver didn't answer."""
    paused_until: Mapped[datetime | None]
    """Nothing is sent before; the receiver is given time."""
    problem: Mapped[str]
    """What went wrong last; empty while all is well."""


class WebhookDeliveryRow(Table):
    """An entry that a webhook's receiver has not confirmed yet."""

    __tablename__ = "webhook_deliveries"
    webhook_id: Mapped[str] = mapped_column(String(80), ForeignKey("webhooks.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    subject_id: Mapped[str]
    state: Mapped[str] = mapped_column(String(20))
    """``waiting`` or ``dead``."""
    attempts: Mapped[int]
    due_at: Mapped[datetime]
    queued_at: Mapped[datetime]
    problem: Mapped[str]
    payload: Mapped[str]
    """The event as it is sent: the log may have been shortened by the time it goes."""
    __table_args__ = (Index("deliveries_by_state", "webhook_id", "state", "seq"),)


class ClipRow(Table):
    """A clip of an incident: asked for, and what became of it."""

    __tablename__ = "clips"
    id: Mapped[str] = mapped_column(String(200), primary_key=True)
    incident_id: Mapped[str] = mapped_column(ForeignKey("incidents.id"))
    camera_id: Mapped[str] = mapped_column(String(80))
    until: Mapped[datetime]
    is_final: Mapped[bool]
    """Nothing more will come of it."""
    body: Mapped[str]
    __table_args__ = (
        Index("clips_by_incident", "incident_id"),
        Index("clips_by_end", "is_final", "until"),
    )
