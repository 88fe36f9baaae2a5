"""Who may come in, and what they did."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    ForeignKey,
    Index,
    String,
)
from sqlalchemy.orm import Mapped, mapped_column

from incidents.tables.base import Table


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
