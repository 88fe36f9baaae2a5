"""How the audit log is chained: each entry's hash covers the one before it.

An entry's ``hash`` is the SHA-256 of the former entry's hash, its own plain columns and the hash of
its details; that of the details is salted. So details can be taken away, as the law may want, and
nobody can guess them from what stays, while the chain still holds. Whoever can write to the
database could make a whole new chain: note a head now and then elsewhere (`siaga audit verify`
prints it, the log of the processes has one an hour) and check against it.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from incidents.tables import AuditAnchorRow, AuditRow, CounterRow

COUNTER = "audit"
DetailValue = str | int | float | bool | None | list[str] | dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """Something somebody did or saw: references only, never a caller's place, number or name."""

    action: str
    actor: str
    subject: str = ""
    """The id of what it was about."""
    details: Mapping[str, DetailValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain."""

    seq: int
    hash: str

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"


async def append(connection: AsyncConnection, now: datetime, events: Iterable[AuditEvent]) -> None:
    """Add entries within a writing transaction of the caller's.

    The counter's row is locked until its end, so that writers in several processes come one after
    another. Whoever locks other rows too does so before, never after.
    """
    await connection.execute(
        select(CounterRow.value).where(CounterRow.name == COUNTER).with_for_update()
    )
    head = await read_head(connection)
    rows: list[dict[str, object]] = []
    for event in events:
        details = json.dumps(dict(event.details), sort_keys=True, ensure_ascii=False)
        salt = secrets.token_hex(16)
        row: dict[str, object] = {
            "seq": head.seq + 1,
            "recorded_at": now,
            "actor": event.actor,
            "action": event.action,
            "subject": event.subject,
            "details": details,
            "salt": salt,
            "details_hash": hash_of_details(salt, details),
        }
        head = Head(head.seq + 1, hash_of_entry(head.hash, row))
        rows.append(row | {"hash": head.hash})
    if rows:
        await connection.execute(insert(AuditRow), rows)
        await connection.execute(
            update(CounterRow).where(CounterRow.name == COUNTER).values(value=head.seq)
        )


async def read_head(connection: AsyncConnection) -> Head:
    """The newest entry, or the anchor where retention took all."""
    newest = select(AuditRow.seq, AuditRow.hash).order_by(AuditRow.seq.desc()).limit(1)
    row = (await connection.execute(newest)).one_or_none()
    if row is None:
        anchor = select(AuditAnchorRow.seq, AuditAnchorRow.hash)
        row = (await connection.execute(anchor)).one()
    return Head(row.seq, row.hash)


def hash_of_details(salt: str, details: str) -> str:
    """Of an entry's details, hexadecimal."""
    return hashlib.sha256(f"{salt}\n{details}".encode()).hexdigest()


def hash_of_entry(former_hash: str, row: Mapping[str, object]) -> str:
    """Of an entry that follows the one with ``former_hash``, hexadecimal."""
    recorded_at = row["recorded_at"]
    if not isinstance(recorded_at, datetime):
        raise TypeError(f"recorded_at must be a time, got {recorded_at!r}")
    plain = [
        row["seq"],
        recorded_at.isoformat(timespec="microseconds"),
        row["actor"],
        row["action"],
        row["subject"],
        row["details_hash"],
    ]
    text = f"{former_hash}\n{json.dumps(plain, ensure_ascii=False)}"
    return hashlib.sha256(text.encode()).hexdigest()
