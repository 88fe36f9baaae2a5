"""Webhooks' outboxes: what each receiver has not confirmed yet, and what was given up.

A change that passes a webhook's filter becomes a row of its outbox in the transaction that moves
the webhook's place in the log, and leaves it when the receiver has confirmed it, or as a dead
letter after a long time. So nothing depends on a process's memory: whoever sends next goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts import ContractError, LogEntry
from incidents.database import Database
from incidents.errors import NotFound
from incidents.log import Log, LogFilter
from incidents.tables import WebhookDeliveryRow, WebhookRow

WAITING, DEAD = "waiting", "dead"
FILL = 500
"""Entries of the log put into an outbox at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A change that a receiver has not confirmed."""

    webhook_id: str
    seq: int
    subject_id: str
    attempts: int
    """Times that it was refused, and the one at which it was given up."""
    due_at: datetime
    queued_at: datetime
    problem: str
    payload: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of one try; ``retry_at`` none and a problem make a dead letter."""

    seq: int
    problem: str = ""
    retry_at: datetime | None = None
    was_away: bool = False
    """The receiver said nothing of this message, which has a try more for that."""


class Outboxes:
    """The ``webhook_deliveries`` table, and how far each webhook has come in the log."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._log = Log(database)

    async def fill(
        self,
        webhook_id: str,
        cursor_seq: int,
        only: LogFilter,
        encode: Callable[[LogEntry], str],
    ) -> bool:
        """Read the log on from where a webhook is; true where there may be more to read at once."""
        found, looked_to = await self._log.scan(cursor_seq, FILL, only)
        if looked_to <= cursor_seq:
            return False
        now = self._database.clock.now()
        rows = [
            {
                "webhook_id": webhook_id,
                "seq": one.entry.seq,
                "subject_id": one.entry.subject_id,
                "state": WAITING,
                "attempts": 0,
                "due_at": now,
                "queued_at": now,
                "problem": "",
                "payload": encode(one.entry),
            }
            for one in found
        ]
        async with self._database.changing() as connection:
            moved = await connection.execute(
                update(WebhookRow)
                .where(
                    WebhookRow.id == webhook_id,
                    WebhookRow.cursor_seq == cursor_seq,
                    WebhookRow.removed.is_(False),
                )
                .values(cursor_seq=looked_to)
            )
            # Another sender may have been faster; its rows are these.
            if moved.rowcount and rows:
                await connection.execute(insert(WebhookDeliveryRow), rows)
        return True

    async def due(self, webhook_id: str, limit: int) -> list[Delivery]:
        """The oldest change of each thing that waits, where it is due, oldest first: a thing's
        changes go one after another, and one that can't be delivered holds up no other thing."""
        heads = (
            select(func.min(WebhookDeliveryRow.seq))
            .where(WebhookDeliveryRow.webhook_id == webhook_id, WebhookDeliveryRow.state == WAITING)
            .group_by(WebhookDeliveryRow.subject_id)
        )
        statement = (
            select(WebhookDeliveryRow)
            .where(
                WebhookDeliveryRow.webhook_id == webhook_id,
                WebhookDeliveryRow.seq.in_(heads),
                WebhookDeliveryRow.due_at <= self._database.clock.now(),
            )
            .order_by(WebhookDeliveryRow.seq)
            .limit(limit)
        )
        async with self._database.reading(is_long=True) as connection:
            return [_delivery(row) for row in await connection.execute(statement)]

    async def settle(
        self,
        webhook_id: str,
        results: Sequence[Result],
        *,
        failures: int,
        paused_until: datetime | None,
        problem: str,
    ) -> None:
        """Keep what became of some tries, and how the receiver does."""
        async with self._database.changing() as connection:
            for result in results:
                rows = (WebhookDeliveryRow.webhook_id == webhook_id) & (
                    WebhookDeliveryRow.seq == result.seq
                )
                if not result.problem:
                    await connection.execute(delete(WebhookDeliveryRow).where(rows))
                    continue
                values: dict[str, Any] = {"problem": result.problem}
                if result.retry_at is None:
                    values["state"] = DEAD
                else:
                    values["due_at"] = result.retry_at
                if result.retry_at is None or not result.was_away:
                    values["attempts"] = WebhookDeliveryRow.attempts + 1
                await connection.execute(update(WebhookDeliveryRow).where(rows).values(**values))
            await connection.execute(
                update(WebhookRow)
                .where(WebhookRow.id == webhook_id)
                .values(failures=failures, paused_until=paused_until, problem=problem)
            )

    async def dead_letters(
        self, webhook_id: str, limit: int = 100, after: int = 0
    ) -> list[Delivery]:
        """What was given up, oldest first."""
        statement = (
            select(WebhookDeliveryRow)
            .where(
                WebhookDeliveryRow.webhook_id == webhook_id,
                WebhookDeliveryRow.state == DEAD,
                WebhookDeliveryRow.seq > after,
            )
            .order_by(WebhookDeliveryRow.seq)
            .limit(limit)
        )
        async with self._database.reading() as connection:
            return [_delivery(row) for row in await connection.execute(statement)]

    async def send_again(self, webhook_id: str, seqs: Collection[int] | None) -> int:
        """Put dead letters back into the outbox, all or those named; returns how many.

        Raises:
            NotFound: no such webhook.
        """
        if seqs is not None and len(seqs) > FILL:
            raise ContractError("seqs", f"must name at most {FILL}; leave it out for all")
        now = self._database.clock.now()
        rows = (WebhookDeliveryRow.webhook_id == webhook_id) & (WebhookDeliveryRow.state == DEAD)
        if seqs is not None:
            rows &= WebhookDeliveryRow.seq.in_(sorted(seqs))
        async with self._database.changing() as connection:
            await read_webhook(connection, webhook_id)
            changed = await connection.execute(
                update(WebhookDeliveryRow)
                .where(rows)
                .values(state=WAITING, attempts=0, due_at=now, queued_at=now)
            )
        return int(changed.rowcount)


async def read_webhook(connection: AsyncConnection, webhook_id: str) -> Any:
    """A row of `WebhookRow`.

    Raises:
        NotFound: no such webhook.
    """
    found = await connection.execute(
        select(WebhookRow).where(WebhookRow.id == webhook_id, WebhookRow.removed.is_(False))
    )
    row = found.one_or_none()
    if row is None:
        raise NotFound("webhook", webhook_id)
    return row


def _delivery(row: Any) -> Delivery:
    return Delivery(
        webhook_id=row.webhook_id,
        seq=row.seq,
        subject_id=row.subject_id,
        attempts=row.attempts,
        due_at=row.due_at,
        queued_at=row.queued_at,
        problem=row.problem,
        payload=row.payload,
    )
