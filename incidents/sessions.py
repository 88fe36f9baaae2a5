"""Signed-in browsers and machines' keys.

Tokens and keys are long and random; only their SHA-256 is kept, so that a stolen database opens
nothing.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from contracts.errors import require_text
from incidents.accounts import Account, Role, to_account
from incidents.database import Database
from incidents.errors import Exists, NotFound
from incidents.tables import AccountRow, MachineKeyRow, SessionRow

_TOKEN_BYTES = 32
_USED_STEP = timedelta(minutes=1)
"""A session's last use is written at most this often: requests come many a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineKey:
    """A machine that may come in; the key itself is shown once, when it is issued."""

    name: str
    role: Role
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class Sessions:
    """The ``sessions`` table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(self, username: str) -> str:
        """Begin a session; returns the token for the cookie."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        now = self._database.clock.now()
        async with self._database.changing() as connection:
            await connection.execute(
                insert(SessionRow).values(
                    token_hash=_digest(token), username=username, created_at=now, used_at=now
                )
            )
        return token

    async def find(self, token: str, *, idle: timedelta) -> Account | None:
        """Whose session it is, if it was used within ``idle`` and the account is enabled."""
        now = self._database.clock.now()
        digest = _digest(token)
        statement = (
            select(AccountRow, SessionRow.used_at)
            .join(SessionRow, SessionRow.username == AccountRow.username)
            .where(SessionRow.token_hash == digest)
        )
        async with self._database.reading() as connection:
            row = (await connection.execute(statement)).one_or_none()
        if row is None or not row.enabled or now - row.used_at > idle:
            return None
        if now - row.used_at >= _USED_STEP:
            async with self._database.changing() as connection:
                await connection.execute(
                    update(SessionRow).where(SessionRow.token_hash == digest).values(used_at=now)
                )
        return to_account(row)

    async def end(self, token: str) -> None:
        """End a session; one that isn't there is ended already."""
        async with self._database.changing() as connection:
            await connection.execute(
                delete(SessionRow).where(SessionRow.token_hash == _digest(token))
            )

    async def forget_unused(self, *, idle: timedelta) -> int:
        """Delete the sessions that nobody used within ``idle``; returns how many."""
        oldest = self._database.clock.now() - idle
        async with self._database.changing() as connection:
            gone = await connection.execute(delete(SessionRow).where(SessionRow.used_at < oldest))
        return int(gone.rowcount)


class Keys:
    """The ``machine_keys`` table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def issue(self, name: str, role: Role, expires_at: datetime | None = None) -> str:
        """Make a key for a machine; returns it, to be shown once.

        Raises:
            Exists: the name is taken.
            ContractError: a blank name.
        """
        require_text("name", name, 80)
        key = f"siaga_{secrets.token_urlsafe(_TOKEN_BYTES)}"
        row = {
            "name": name,
            "role": role.value,
            "key_hash": _digest(key),
            "created_at": self._database.clock.now(),
            "expires_at": expires_at,
            "revoked_at": None,
        }
        try:
            async with self._database.changing() as connection:
                await connection.execute(insert(MachineKeyRow), [row])
        except IntegrityError as error:
            raise Exists("machine key", name) from error
        return key

    async def find(self, key: str) -> MachineKey | None:
        """Whose key it is, unless it has expired or was revoked."""
        async with self._database.reading() as connection:
            found = await connection.execute(
                select(MachineKeyRow).where(MachineKeyRow.key_hash == _digest(key))
            )
            row = found.one_or_none()
        if row is None or row.revoked_at is not None:
            return None
        if row.expires_at is not None and row.expires_at <= self._database.clock.now():
            return None
        return _machine_key(row)

    async def revoke(self, name: str) -> None:
        """End a key for good.

        Raises:
            NotFound: no such key.
        """
        async with self._database.changing() as connection:
            changed = await connection.execute(
                update(MachineKeyRow)
                .where(MachineKeyRow.name == name)
                .values(revoked_at=self._database.clock.now())
            )
            if changed.rowcount == 0:
                raise NotFound("machine key", name)

    async def all(self) -> list[MachineKey]:
        """Every key that was ever issued, by name."""
        async with self._database.reading() as connection:
            rows = await connection.execute(select(MachineKeyRow).order_by(MachineKeyRow.name))
            return [_machine_key(row) for row in rows]


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _machine_key(row: Any) -> MachineKey:
    return MachineKey(
        name=row.name,
        role=Role(row.role),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )
