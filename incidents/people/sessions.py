"""Signed-in browsers.

Their tokens are long and random; only their SHA-256 is kept, so that a stolen database opens
nothing.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from incidents.database import Database
from incidents.errors import NotFound
from incidents.people.accounts import Account, to_account
from incidents.people.audit import AuditAction
from incidents.people.audit_chain import AuditEvent, append
from incidents.people.secrets_kept import TOKEN_BYTES, digest
from incidents.tables import AccountRow, SessionRow

_USED_STEP = timedelta(minutes=1)
"""A session's last use is written at most this often: requests come many a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionUse:
    """A signed-in browser, without its token."""

    begun_at: datetime
    used_at: datetime
    """To the minute."""


class Sessions:
    """The ``sessions`` table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(self, username: str) -> str:
        """Begin a session; returns the token for the cookie."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        now = self._database.clock.now()
        async with self._database.changing() as connection:
            await connection.execute(
                insert(SessionRow).values(
                    token_hash=digest(token), username=username, created_at=now, used_at=now
                )
            )
        return token

    async def find(
        self, token: str, *, idle: timedelta, longest: timedelta | None = None
    ) -> Account | None:
        """Whose session it is, if it was used within ``idle``, was begun no longer than ``longest``
        ago, and the account is enabled."""
        now = self._database.clock.now()
        hashed = digest(token)
        statement = (
            select(AccountRow, SessionRow.used_at, SessionRow.created_at.label("begun_at"))
            .join(SessionRow, SessionRow.username == AccountRow.username)
            .where(SessionRow.token_hash == hashed)
        )
        async with self._database.reading() as connection:
            row = (await connection.execute(statement)).one_or_none()
        if row is None or not row.enabled or now - row.used_at > idle:
            return None
        if longest is not None and now - row.begun_at > longest:
            return None
        if now - row.used_at >= _USED_STEP:
            async with self._database.changing() as connection:
                await connection.execute(
                    update(SessionRow).where(SessionRow.token_hash == hashed).values(used_at=now)
                )
        return to_account(row)

    async def end(self, token: str) -> None:
        """End a session; one that isn't there is ended already."""
        async with self._database.changing() as connection:
            await connection.execute(
                delete(SessionRow).where(SessionRow.token_hash == digest(token))
            )

    async def of(self, username: str) -> list[SessionUse]:
        """An account's sessions, the newest first.

        Raises:
            NotFound: no such account.
        """
        statement = (
            select(SessionRow.created_at, SessionRow.used_at)
            .where(SessionRow.username == username)
            .order_by(SessionRow.created_at.desc())
        )
        async with self._database.reading() as connection:
            await _require_account(connection, username)
            rows = (await connection.execute(statement)).all()
        return [SessionUse(begun_at=row.created_at, used_at=row.used_at) for row in rows]

    async def end_all(self, username: str, *, actor: str) -> None:
        """End an account's sessions, wherever they are open.

        Raises:
            NotFound: no such account.
        """
        event = AuditEvent(action=AuditAction.SESSIONS_ENDED, actor=actor, subject=username)
        async with self._database.changing() as connection:
            await _require_account(connection, username)
            await connection.execute(delete(SessionRow).where(SessionRow.username == username))
            await append(connection, self._database.clock.now(), [event])

    async def forget_unused(self, *, idle: timedelta, longest: timedelta | None = None) -> int:
        """Delete the sessions that hold no more; returns how many."""
        now = self._database.clock.now()
        is_over = SessionRow.used_at < now - idle
        if longest is not None:
            is_over = or_(is_over, SessionRow.created_at < now - longest)
        async with self._database.changing() as connection:
            gone = await connection.execute(delete(SessionRow).where(is_over))
        return int(gone.rowcount)


async def _require_account(connection: AsyncConnection, username: str) -> None:
    known = select(AccountRow.username).where(AccountRow.username == username)
    if await connection.scalar(known) is None:
        raise NotFound("account", username)
