"""People's accounts: local ones with a password (`incidents.people.passwords`), and those of an
identity provider, which has its own. Every change is in the audit log."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts import AgencyId, ContractError
from contracts.errors import require_text
from incidents.database import LOCAL, Database
from incidents.errors import Exists, NotFound
from incidents.people import passwords
from incidents.people.audit import AuditAction
from incidents.people.audit_chain import AuditEvent, append
from incidents.tables import AccountRow, SessionRow

FIRST_USERNAME = "admin"

Groups = frozenset[str] | None
"""The groups whose cameras somebody may see; none: all cameras."""


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
    camera_groups: Groups = None
    agency_id: AgencyId | None = None
    """The agency they work for, of which alone they see what it is told; none: the centre."""
    is_external: bool = False
    """Signs in with the identity provider, and has no password here."""


class Accounts:
    """The ``accounts`` table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ensure_first_account(self) -> str | None:
        """Make a supervisor named ``admin`` if there is no account at all.

        Returns its password, to be shown once, or none where there was an account.
        """
        password = secrets.token_urlsafe(15)
        row = self._row(FIRST_USERNAME, Role.SUPERVISOR, FIRST_USERNAME)
        row["password_hash"] = await passwords.hash_password(password)
        async with self._database.changing() as connection:
            if await connection.scalar(select(func.count()).select_from(AccountRow)):
                return None
            await self._insert(connection, row, LOCAL)
        return password

    async def add(
        self,
        username: str,
        password: str | None,
        role: Role,
        display_name: str | None = None,
        *,
        camera_groups: Iterable[str] | None = None,
        agency_id: str | None = None,
        external_id: str | None = None,
        actor: str = LOCAL,
    ) -> Account:
        """Make an account; one without a password needs the identity provider's ``external_id``.

        Raises:
            Exists: the name is taken.
            ContractError: a blank name, or a password that isn't taken.
        """
        require_text("username", username, 80)
        if (password is None) is (external_id is None):
            raise ContractError("password", "is needed, unless the account is signed in elsewhere")
        row = self._row(username, role, display_name or username)
        row["camera_groups"] = dump_names(camera_groups)
        row["agency_id"] = agency_id
        row["external_id"] = external_id
        if password is not None:
            about = (username, display_name or "")
            row["password_hash"] = await passwords.hash_password(password, about)
        try:
            async with self._database.changing() as connection:
                await self._insert(connection, row, actor)
        except IntegrityError as error:
            raise Exists("account", username) from error
        return await self.get(username)

    async def get(self, username: str) -> Account:
        """One account.

        Raises:
            NotFound: no such account.
        """
        found = await self._find(AccountRow.username == username)
        if found is None:
            raise NotFound("account", username)
        return to_account(found)

    async def of_external(self, external_id: str) -> Account | None:
        """The account of somebody whom the identity provider knows by this id."""
        found = await self._find(AccountRow.external_id == external_id)
        return None if found is None else to_account(found)

    async def all(self) -> list[Account]:
        """Every account, by name."""
        async with self._database.reading() as connection:
            rows = await connection.execute(select(AccountRow).order_by(AccountRow.username))
            return [to_account(row) for row in rows]

    async def set_password(self, username: str, password: str, *, actor: str = LOCAL) -> None:
        """Give an account another password, and end its sessions.

        Raises:
            NotFound: no such account.
            ContractError: a password that isn't taken, or the account has none.
        """
        account = await self.get(username)
        if account.is_external:
            raise ContractError("password", "is the identity provider's; change it there")
        about = (username, account.display_name)
        hashed = await passwords.hash_password(password, about)
        await self._change(username, AuditAction.PASSWORD_CHANGED, actor, password_hash=hashed)

    async def set_enabled(self, username: str, enabled: bool, *, actor: str = LOCAL) -> None:
        """Shut an account out, ending its sessions, or let it in again.

        Raises:
            NotFound: no such account.
            ContractError: it is the last supervisor's.
        """
        await self.change(username, enabled=enabled, actor=actor)

    async def change(
        self,
        username: str,
        *,
        display_name: str | None = None,
        role: Role | None = None,
        enabled: bool | None = None,
        camera_groups: Iterable[str] | None = None,
        all_cameras: bool = False,
        actor: str = LOCAL,
    ) -> Account:
        """Change what is given, and end the account's sessions; the rest stays.

        Raises:
            NotFound: no such account.
            ContractError: nobody would be left who may do everything.
        """
        values: dict[str, object] = {}
        if display_name is not None:
            require_text("display_name", display_name, 200)
            values["display_name"] = display_name
        if role is not None:
            values["role"] = role.value
        if enabled is not None:
            values["enabled"] = enabled
        if all_cameras or camera_groups is not None:
            values["camera_groups"] = None if all_cameras else dump_names(camera_groups)
        if values:
            await self._change(username, AuditAction.ACCOUNT_CHANGED, actor, **values)
        return await self.get(username)

    async def check_password(self, username: str, password: str) -> Account | None:
        """The account if it is enabled and the password is right, else none."""
        row = await self._find(AccountRow.username == username)
        right = await passwords.is_right(None if row is None else row.password_hash, password)
        return to_account(row) if right and row is not None and row.enabled else None

    async def _find(self, condition: ColumnElement[bool]) -> Any | None:
        async with self._database.reading() as connection:
            return (await connection.execute(select(AccountRow).where(condition))).one_or_none()

    async def _change(
        self, username: str, action: AuditAction, actor: str, **values: object
    ) -> None:
        async with self._database.changing() as connection:
            had_supervisors = await _supervisors(connection)
            changed = await connection.execute(
                update(AccountRow).where(AccountRow.username == username).values(**values)
            )
            if changed.rowcount == 0:
                raise NotFound("account", username)
            if had_supervisors and not await _supervisors(connection):
                raise ContractError("role", "this is the last supervisor; make another one first")
            await connection.execute(delete(SessionRow).where(SessionRow.username == username))
            told = {
                name: "changed" if name == "password_hash" else str(value)
                for name, value in values.items()
            }
            await append(
                connection,
                self._database.clock.now(),
                [AuditEvent(action=action, actor=actor, subject=username, details=told)],
            )

    async def _insert(
        self, connection: AsyncConnection, row: dict[str, object], actor: str
    ) -> None:
        await connection.execute(insert(AccountRow), [row])
        event = AuditEvent(
            action=AuditAction.ACCOUNT_ADDED,
            actor=actor,
            subject=str(row["username"]),
            details={
                "role": str(row["role"]),
                "external": row["external_id"] is not None,
                "camera_groups": str(row["camera_groups"]),
                "agency_id": str(row["agency_id"] or ""),
            },
        )
        await append(connection, self._database.clock.now(), [event])

    def _row(self, username: str, role: Role, display_name: str) -> dict[str, object]:
        return {
            "username": username,
            "display_name": display_name,
            "role": role.value,
            "password_hash": passwords.NONE,
            "enabled": True,
            "created_at": self._database.clock.now(),
            "camera_groups": None,
            "agency_id": None,
            "external_id": None,
        }


async def _supervisors(connection: AsyncConnection) -> int:
    """How many there are who may do everything."""
    count = await connection.scalar(
        select(func.count())
        .select_from(AccountRow)
        .where(
            AccountRow.role == Role.SUPERVISOR.value,
            AccountRow.enabled.is_(True),
            # Who is limited, or an agency's, is let near no account.
            AccountRow.camera_groups.is_(None),
            AccountRow.agency_id.is_(None),
        )
    )
    return count or 0


def dump_names(names: Iterable[str] | None) -> str | None:
    """A set of names as its column."""
    return None if names is None else json.dumps(sorted(set(names)), ensure_ascii=False)


def load_names(column: str | None) -> frozenset[str] | None:
    """The opposite of `dump_names`."""
    return None if column is None else frozenset(json.loads(column))


def to_account(row: Any) -> Account:
    """A row of `AccountRow` as the noun."""
    return Account(
        username=row.username,
        display_name=row.display_name,
        role=Role(row.role),
        enabled=row.enabled,
        created_at=row.created_at,
        camera_groups=load_names(row.camera_groups),
        agency_id=None if row.agency_id is None else AgencyId(row.agency_id),
        is_external=row.external_id is not None,
    )
