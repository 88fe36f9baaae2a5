"""Webhooks: who is sent which changes, how far the log was read for each, and what still waits.

A change that passes a webhook's filter becomes a row of its outbox in the transaction that moves
the webhook's place in the log, and leaves it when the receiver has confirmed it, or as a dead
letter after a long time. So nothing depends on a process's memory: whoever sends next goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from contracts import (
    AgencyId,
    AlarmLevel,
    ContractError,
    Hazard,
    LogEntry,
    LogKind,
    from_json,
    to_json,
)
from contracts.errors import require_text
from incidents.database import Database
from incidents.errors import NotFound, VersionConflict
from incidents.log import Log, LogFilter
from incidents.tables import CounterRow, WebhookDeliveryRow, WebhookRow

WAITING, DEAD = "waiting", "dead"
FILL = 500
"""Entries of the log put into an outbox at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A receiver and what it is sent; its secret lies elsewhere."""

    id: str
    name: str
    url: str
    kinds: tuple[LogKind, ...] = ()
    hazards: tuple[Hazard, ...] = ()
    levels: tuple[AlarmLevel, ...] = ()
    areas: tuple[str, ...] = ()
    agencies: tuple[AgencyId, ...] = ()
    groups: tuple[str, ...] = ()
    exercise: bool = False
    """Exercises only, or what is real only: they never leave by one route."""
    enabled: bool = True
    version: int = 1

    def __post_init__(self) -> None:
        require_text("name", self.name, 200)
        require_text("url", self.url, 2_000)

    @property
    def only(self) -> LogFilter:
        """What passes; nothing named lets all through."""
        return LogFilter(
            kinds=frozenset(self.kinds) or None,
            hazards=frozenset(self.hazards) or None,
            levels=frozenset(self.levels) or None,
            areas=frozenset(self.areas) or None,
            agencies=frozenset(self.agencies) or None,
            groups=frozenset(self.groups) or None,
            exercise=self.exercise,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookState:
    """A webhook and how it goes."""

    webhook: Webhook
    cursor_seq: int
    failures: int
    paused_until: datetime | None
    problem: str
    waiting: int
    dead: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A change that a receiver has not confirmed."""

    webhook_id: str
    seq: int
    subject_id: str
    attempts: int
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


class Webhooks:
    """The ``webhooks`` and ``webhook_deliveries`` tables."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._log = Log(database)

    async def add(self, webhook: Webhook, sealed_secret: str) -> Webhook:
        """Make a webhook; it is sent what happens from now on."""
        async with self._database.changing() as connection:
            last = await connection.scalar(select(CounterRow.value).where(CounterRow.name == "log"))
            webhook = replace(webhook, version=1)
            await connection.execute(
                insert(WebhookRow).values(
                    id=webhook.id,
                    version=1,
                    removed=False,
                    body=to_json(webhook).decode(),
                    sealed_secret=sealed_secret,
                    sealed_previous=None,
                    previous_until=None,
                    cursor_seq=last or 0,
                    failures=0,
                    paused_until=None,
                    problem="",
                )
            )
        return webhook

    async def all(self) -> list[WebhookState]:
        """Every webhook, by id, and how it goes."""
        async with self._database.reading(is_long=True) as connection:
            rows = (
                await connection.execute(
                    select(WebhookRow).where(WebhookRow.removed.is_(False)).order_by(WebhookRow.id)
                )
            ).all()
            counts = {
                (row.webhook_id, row.state): row.number
                for row in await connection.execute(
                    select(
                        WebhookDeliveryRow.webhook_id,
                        WebhookDeliveryRow.state,
                        func.count().label("number"),
                    ).group_by(WebhookDeliveryRow.webhook_id, WebhookDeliveryRow.state)
                )
            }
        return [_state(row, counts) for row in rows]

    async def enabled_ids(self) -> list[str]:
        """The webhooks that are to be sent anything."""
        async with self._database.reading() as connection:
            bodies = await connection.scalars(
                select(WebhookRow.body).where(WebhookRow.removed.is_(False)).order_by(WebhookRow.id)
            )
            found = [from_json(Webhook, body) for body in bodies]
        return [webhook.id for webhook in found if webhook.enabled]

    async def get(self, webhook_id: str) -> WebhookState:
        """One of them.

        Raises:
            NotFound: no such webhook.
        """
        async with self._database.reading(is_long=True) as connection:
            row = await _row(connection, webhook_id)
            counts = await connection.execute(
                select(WebhookDeliveryRow.state, func.count().label("number"))
                .where(WebhookDeliveryRow.webhook_id == webhook_id)
                .group_by(WebhookDeliveryRow.state)
            )
            return _state(row, {(row.id, one.state): one.number for one in counts})

    async def change(self, webhook: Webhook, *, version: int) -> Webhook:
        """Change the one that is at ``version``; what waits in its outbox is sent all the same.

        Raises:
            NotFound, VersionConflict: as for cameras.
        """
        async with self._database.changing() as connection:
            row = await _row(connection, webhook.id)
            current = from_json(Webhook, row.body)
            if current.version != version:
                raise VersionConflict(current, version)
            webhook = replace(webhook, version=version + 1)
            await connection.execute(
                update(WebhookRow)
                .where(WebhookRow.id == webhook.id)
                .values(
                    version=webhook.version,
                    body=to_json(webhook).decode(),
                    failures=0,
                    paused_until=None,
                    problem="",
                )
            )
        return webhook

    async def disable(self, webhook_id: str, problem: str) -> None:
        """The receiver said that it is gone: send nothing more, until somebody looks at it."""
        async with self._database.changing() as connection:
            row = await _row(connection, webhook_id)
            webhook = from_json(Webhook, row.body)
            changed = replace(webhook, enabled=False, version=webhook.version + 1)
            await connection.execute(
                update(WebhookRow)
                .where(WebhookRow.id == webhook_id)
                .values(version=changed.version, body=to_json(changed).decode(), problem=problem)
            )

    async def remove(self, webhook_id: str) -> None:
        """Take it away, with all that waits.

        Raises:
            NotFound: no such webhook.
        """
        async with self._database.changing() as connection:
            await _row(connection, webhook_id)
            await connection.execute(
                delete(WebhookDeliveryRow).where(WebhookDeliveryRow.webhook_id == webhook_id)
            )
            await connection.execute(
                update(WebhookRow)
                .where(WebhookRow.id == webhook_id)
                .values(removed=True, sealed_secret="", sealed_previous=None)
            )

    async def rotate(self, webhook_id: str, sealed_secret: str, overlap: timedelta) -> None:
        """Sign with another secret, and beside it with the old one for a while.

        Raises:
            NotFound: no such webhook.
        """
        async with self._database.changing() as connection:
            row = await _row(connection, webhook_id)
            await connection.execute(
                update(WebhookRow)
                .where(WebhookRow.id == webhook_id)
                .values(
                    sealed_secret=sealed_secret,
                    sealed_previous=row.sealed_secret,
                    previous_until=self._database.clock.now() + overlap,
                )
            )

    async def sealed_secrets(self, webhook_id: str) -> list[str]:
        """What signs now, the newest first.

        Raises:
            NotFound: no such webhook.
        """
        async with self._database.reading() as connection:
            row = await _row(connection, webhook_id)
        now = self._database.clock.now()
        is_old_valid = row.previous_until is not None and now < row.previous_until
        return [row.sealed_secret, *([row.sealed_previous] if is_old_valid else [])]

    async def fill(
        self, state: WebhookState, encode: Callable[[LogEntry], str], max_waiting: int
    ) -> bool:
        """Read the log on for a webhook; true where there may be more to read at once.

        Nothing is read while ``max_waiting`` wait: the log keeps the rest.
        """
        if state.waiting >= max_waiting:
            return False
        webhook = state.webhook
        found, looked_to = await self._log.scan(state.cursor_seq, FILL, webhook.only)
        if looked_to <= state.cursor_seq:
            return False
        now = self._database.clock.now()
        rows = [
            {
                "webhook_id": webhook.id,
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
                    WebhookRow.id == webhook.id,
                    WebhookRow.cursor_seq == state.cursor_seq,
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
                values: dict[str, Any] = {
                    "attempts": WebhookDeliveryRow.attempts + 1,
                    "problem": result.problem,
                }
                if result.retry_at is None:
                    values["state"] = DEAD
                else:
                    values["due_at"] = result.retry_at
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
            await _row(connection, webhook_id)
            changed = await connection.execute(
                update(WebhookDeliveryRow)
                .where(rows)
                .values(state=WAITING, attempts=0, due_at=now, queued_at=now)
            )
        return int(changed.rowcount)


async def _row(connection: Any, webhook_id: str) -> Any:
    found = await connection.execute(
        select(WebhookRow).where(WebhookRow.id == webhook_id, WebhookRow.removed.is_(False))
    )
    row = found.one_or_none()
    if row is None:
        raise NotFound("webhook", webhook_id)
    return row


def _state(row: Any, counts: dict[tuple[str, str], int]) -> WebhookState:
    return WebhookState(
        webhook=from_json(Webhook, row.body),
        cursor_seq=row.cursor_seq,
        failures=row.failures,
        paused_until=row.paused_until,
        problem=row.problem,
        waiting=counts.get((row.id, WAITING), 0),
        dead=counts.get((row.id, DEAD), 0),
    )


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
