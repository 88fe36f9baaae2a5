"""Webhooks: who is sent which changes, and how it goes; what waits is in `incidents.outboxes`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from contracts import (
    AgencyId,
    AlarmLevel,
    Hazard,
    LogKind,
    from_json,
    to_json,
)
from contracts.errors import require_text
from incidents.database import Database
from incidents.errors import VersionConflict
from incidents.log import LogFilter
from incidents.outboxes import DEAD, WAITING, Outboxes, read_webhook
from incidents.tables import CounterRow, WebhookDeliveryRow, WebhookRow


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


class Webhooks:
    """The ``webhooks`` table."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.outboxes = Outboxes(database)

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
            row = await read_webhook(connection, webhook_id)
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
            row = await read_webhook(connection, webhook.id)
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
            row = await read_webhook(connection, webhook_id)
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
            await read_webhook(connection, webhook_id)
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
            row = await read_webhook(connection, webhook_id)
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
            row = await read_webhook(connection, webhook_id)
        now = self._database.clock.now()
        is_old_valid = row.previous_until is not None and now < row.previous_until
        return [row.sealed_secret, *([row.sealed_previous] if is_old_valid else [])]


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
