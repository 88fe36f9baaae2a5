"""Machines' keys.

They are long and random; only their SHA-256 is kept, so that a stolen database opens nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from contracts import AgencyId, ContractError
from contracts.errors import require_text
from incidents.database import LOCAL, Database
from incidents.errors import Exists, NotFound
from incidents.people.accounts import Groups, Role, dump_names, load_names
from incidents.people.audit import AuditAction
from incidents.people.audit_chain import AuditEvent, append
from incidents.people.secrets_kept import TOKEN_BYTES, digest
from incidents.tables import MachineKeyRow

_KEY_USED_STEP = timedelta(hours=1)
"""A key's last use is written at most this often: it only tells which keys are forgotten."""
LONGEST_OVERLAP = timedelta(days=30)
"""How long a rotated key may live on beside the new one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineKey:
    """A machine that may come in; the key itself is shown once, when it is issued."""

    name: str
    role: Role
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    scopes: frozenset[str] | None = None
    """What it may do of what its role may; none: all of it."""
    camera_groups: Groups = None
    agency_id: AgencyId | None = None
    """The agency whose system it is; it sees what that agency is told, and nothing else."""
    previous_until: datetime | None = None
    """Until when the key before the last rotation is let in too."""
    used_at: datetime | None = None


class Keys:
    """The ``machine_keys`` table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def issue(
        self,
        name: str,
        role: Role,
        expires_at: datetime | None = None,
        *,
        scopes: Iterable[str] | None = None,
        camera_groups: Iterable[str] | None = None,
        agency_id: str | None = None,
        actor: str = LOCAL,
    ) -> str:
        """Make a key for a machine; returns it, to be shown once.

        Raises:
            Exists: the name is taken.
            ContractError: a blank name.
        """
        require_text("name", name, 80)
        now = self._database.clock.now()
        key = _new_key()
        row = {
            "name": name,
            "role": role.value,
            "key_hash": digest(key),
            "created_at": now,
            "expires_at": expires_at,
            "revoked_at": None,
            "scopes": dump_names(scopes),
            "camera_groups": dump_names(camera_groups),
            "agency_id": agency_id,
        }
        event = AuditEvent(
            action=AuditAction.KEY_ISSUED,
            actor=actor,
            subject=name,
            details={
                "role": role.value,
                "expires_at": None if expires_at is None else expires_at.isoformat(),
                "scopes": None if scopes is None else sorted(scopes),
                "camera_groups": None if camera_groups is None else sorted(camera_groups),
                "agency_id": agency_id,
            },
        )
        try:
            async with self._database.changing() as connection:
                await connection.execute(insert(MachineKeyRow), [row])
                await append(connection, now, [event])
        except IntegrityError as error:
            raise Exists("machine key", name) from error
        return key

    async def rotate(
        self,
        name: str,
        overlap: timedelta,
        expires_at: datetime | None = None,
        *,
        actor: str = LOCAL,
    ) -> str:
        """Give a machine another key; the old one is let in for ``overlap`` beside it.

        Returns the new key, to be shown once. A key from before the old one ends at once.

        Raises:
            NotFound: no such key, or it was revoked.
            ContractError: an overlap that is too long.
        """
        if not timedelta() <= overlap <= LONGEST_OVERLAP:
            raise ContractError("overlap", f"must be 0 to {LONGEST_OVERLAP.days} days")
        now = self._database.clock.now()
        key = _new_key()
        async with self._database.changing() as connection:
            found = await connection.execute(
                select(MachineKeyRow)
                .where(MachineKeyRow.name == name, MachineKeyRow.revoked_at.is_(None))
                .with_for_update()
            )
            row = found.one_or_none()
            if row is None:
                raise NotFound("machine key", name)
            # One that has expired isn't brought to life again.
            until = min(now + overlap, row.expires_at or now + overlap)
            await connection.execute(
                update(MachineKeyRow)
                .where(MachineKeyRow.name == name)
                .values(
                    previous_hash=row.key_hash,
                    previous_until=until,
                    key_hash=digest(key),
                    created_at=now,
                    expires_at=expires_at,
                )
            )
            event = AuditEvent(
                action=AuditAction.KEY_ROTATED,
                actor=actor,
                subject=name,
                details={"previous_until": until.isoformat()},
            )
            await append(connection, now, [event])
        return key

    async def find(self, key: str) -> MachineKey | None:
        """Whose key it is, unless it has expired or was revoked."""
        hashed = digest(key)
        now = self._database.clock.now()
        async with self._database.reading() as connection:
            found = await connection.execute(
                select(MachineKeyRow).where(
                    or_(MachineKeyRow.key_hash == hashed, MachineKeyRow.previous_hash == hashed)
                )
            )
            row = found.one_or_none()
        if row is None or row.revoked_at is not None:
            return None
        ends_at = row.expires_at if row.key_hash == hashed else row.previous_until
        if ends_at is not None and ends_at <= now:
            return None
        if row.used_at is None or now - row.used_at >= _KEY_USED_STEP:
            async with self._database.changing() as connection:
                await connection.execute(
                    update(MachineKeyRow).where(MachineKeyRow.name == row.name).values(used_at=now)
                )
        return _machine_key(row)

    async def revoke(self, name: str, *, actor: str = LOCAL) -> None:
        """End a key for good, and what it was before its last rotation.

        Raises:
            NotFound: no such key.
        """
        now = self._database.clock.now()
        async with self._database.changing() as connection:
            changed = await connection.execute(
                update(MachineKeyRow).where(MachineKeyRow.name == name).values(revoked_at=now)
            )
            if changed.rowcount == 0:
                raise NotFound("machine key", name)
            event = AuditEvent(action=AuditAction.KEY_REVOKED, actor=actor, subject=name)
            await append(connection, now, [event])

    async def all(self) -> list[MachineKey]:
        """Every key that was ever issued, by name."""
        async with self._database.reading() as connection:
            rows = await connection.execute(select(MachineKeyRow).order_by(MachineKeyRow.name))
            return [_machine_key(row) for row in rows]


def _new_key() -> str:
    return f"siaga_{secrets.token_urlsafe(TOKEN_BYTES)}"


def _machine_key(row: Any) -> MachineKey:
    return MachineKey(
        name=row.name,
        role=Role(row.role),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        scopes=load_names(row.scopes),
        camera_groups=load_names(row.camera_groups),
        agency_id=None if row.agency_id is None else AgencyId(row.agency_id),
        previous_until=row.previous_until,
        used_at=row.used_at,
    )
