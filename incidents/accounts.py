"""People's accounts. Passwords are kept as argon2id, and hashed nowhere else."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from contracts import ContractError
from contracts.errors import require_text
from incidents.database import Database
from incidents.errors import Exists, NotFound
from incidents.tables import AccountRow, SessionRow

FIRST_USERNAME = "admin"
MIN_PASSWORD = 12
MAX_PASSWORD = 200
"""Longer ones are refused, so that hashing them can't be made to cost."""

# The library's defaults are RFC 9106's second choice: 64 MiB, 3 passes, 4 lanes.
_hasher = PasswordHasher()
_NOBODY = _hasher.hash(secrets.token_urlsafe(32))
"""Checked for unknown names, so that the time taken doesn't tell which names exist."""


class Role(StrEnum):
    """What somebody may do; which route takes which role is written in `api`."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    CAMERA_ADMIN = "camera_admin"
    SUPERVISOR = "supervisor"
    DISPATCH = "dispatch"
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A person who may sign in."""

    username: str
    display_name: str
    role: Role
    enabled: bool
    created_at: datetime


class Accounts:
    """The ``accounts`` table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ensure_first_account(self) -> str | None:
        """Make a supervisor named ``admin`` if there is no account at all.

        Returns its password, to be shown once, or none where there was an account.
        """
        password = secrets.token_urlsafe(15)
        row = await self._row_of(FIRST_USERNAME, password, Role.SUPERVISOR, FIRST_USERNAME)
        async with self._database.changing() as connection:
            if await connection.scalar(select(func.count()).select_from(AccountRow)):
                return None
            await connection.execute(insert(AccountRow), [row])
        return password

    async def add(
        self, username: str, password: str, role: Role, display_name: str | None = None
    ) -> Account:
        """Make an account.

        Raises:
            Exists: the name is taken.
            ContractError: a blank name, or a password that is too short or too long.
        """
        require_text("username", username, 80)
        row = await self._row_of(username, password, role, display_name or username)
        try:
            async with self._database.changing() as connection:
                await connection.execute(insert(AccountRow), [row])
        except IntegrityError as error:
            raise Exists("account", username) from error
        return await self.get(username)

    async def get(self, username: str) -> Account:
        """One account.

        Raises:
            NotFound: no such account.
        """
        async with self._database.reading() as connection:
            found = await connection.execute(
                select(AccountRow).where(AccountRow.username == username)
            )
            row = found.one_or_none()
        if row is None:
            raise NotFound("account", username)
        return to_account(row)

    async def all(self) -> list[Account]:
        """Every account, by name."""
        async with self._database.reading() as connection:
            rows = await connection.execute(select(AccountRow).order_by(AccountRow.username))
            return [to_account(row) for row in rows]

    async def set_password(self, username: str, password: str) -> None:
        """Give an account another password, and end its sessions.

        Raises:
            NotFound: no such account.
            ContractError: the password is too short or too long.
        """
        _check_password(password)
        hashed = await asyncio.to_thread(_hasher.hash, password)
        await self._change(username, password_hash=hashed)

    async def set_enabled(self, username: str, enabled: bool) -> None:
        """Shut an account out, ending its sessions, or let it in again.

        Raises:
            NotFound: no such account.
        """
        await self._change(username, enabled=enabled)

    async def check_password(self, username: str, password: str) -> Account | None:
        """The account if it is enabled and the password is right, else none."""
        async with self._database.reading() as connection:
            found = await connection.execute(
                select(AccountRow).where(AccountRow.username == username)
            )
            row = found.one_or_none()
        hashed = _NOBODY if row is None else row.password_hash
        right = len(password) <= MAX_PASSWORD and await asyncio.to_thread(_verify, hashed, password)
        return to_account(row) if right and row is not None and row.enabled else None

    async def _change(self, username: str, **values: object) -> None:
        async with self._database.changing() as connection:
            changed = await connection.execute(
                update(AccountRow).where(AccountRow.username == username).values(**values)
            )
            if changed.rowcount == 0:
                raise NotFound("account", username)
            await connection.execute(delete(SessionRow).where(SessionRow.username == username))

    async def _row_of(
        self, username: str, password: str, role: Role, display_name: str
    ) -> dict[str, object]:
        _check_password(password)
        return {
            "username": username,
            "display_name": display_name,
            "role": role.value,
            # Hashing takes tens of milliseconds by design; it must not stop the event loop.
            "password_hash": await asyncio.to_thread(_hasher.hash, password),
            "enabled": True,
            "created_at": self._database.clock.now(),
        }


def _verify(hashed: str, password: str) -> bool:
    try:
        return _hasher.verify(hashed, password)
    except VerifyMismatchError:
        return False


def _check_password(password: str) -> None:
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise ContractError(
            "password", f"must have {MIN_PASSWORD} to {MAX_PASSWORD} characters; a sentence is good"
        )


def to_account(row: Any) -> Account:
    """A row of `AccountRow` as the noun."""
    return Account(
        username=row.username,
        display_name=row.display_name,
        role=Role(row.role),
        enabled=row.enabled,
        created_at=row.created_at,
    )
