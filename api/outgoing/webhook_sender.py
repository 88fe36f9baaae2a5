"""Sends webhooks: one process at a time, by lease; a task a webhook, so that a slow receiver holds
up nobody else.

A receiver that doesn't answer is given growing waits, and the whole outbox waits with it; one that
refuses a single message is sent that one again, later, while the rest goes on, but for the same
thing's. What could not be delivered for `webhooks.give_up_hours` becomes a dead letter.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from api.metrics import Metrics
from api.outgoing.events import MEDIA_TYPE, encoded_event
from api.outgoing.leading import lead
from api.outgoing.posting import Answer, post
from api.outgoing.signing import signed_headers
from incidents.errors import NotFound
from incidents.outboxes import Delivery, Result
from incidents.webhooks import Webhooks, WebhookState
from plumbing.address_guard import AddressGuard
from plumbing.bus import Bus
from plumbing.clock import Clock
from plumbing.logs import get_logger
from plumbing.sealing import Sealer
from plumbing.settings import WebhooksSettings

LEASE = "webhooks"
LOOK_S = 0.5
"""Between two looks at the log and at what has become due."""
REREAD_S = 5.0
AT_ONCE = 64
"""Messages sent before their results are kept, and"""
TOGETHER = 8
"""how many of them at the same time."""
FIRST_WAIT_S = 2.0
MOST_REFUSALS = 8
"""Times that a receiver may refuse one message before it is a dead letter."""

_log = get_logger(__name__)


class WebhookSender:
    """Tends every webhook while this process holds the lease."""

    def __init__(
        self,
        webhooks: Webhooks,
        bus: Bus,
        clock: Clock,
        sealer: Sealer,
        metrics: Metrics,
        settings: WebhooksSettings,
        source: str,
    ) -> None:
        """``source`` names us in the events."""
        self._webhooks = webhooks
        self._bus = bus
        self._clock = clock
        self._sealer = sealer
        self._metrics = metrics
        self._settings = settings
        self._source = source
        self._guard = AddressGuard(settings.allow_private, setting="webhooks.allow_private")
        self._ids: list[str] | None = None
        metrics.describe(
            "siaga_webhook_tries_total", "counter", "Webhook messages sent, by what became of them"
        )

    @property
    def guard(self) -> AddressGuard:
        """Which addresses may be posted to."""
        return self._guard

    async def run(self) -> None:
        """Send until cancelled."""
        await lead(self._bus, LEASE, self._tend_all)

    def changed(self) -> None:
        """Webhooks were changed here; another process's changes are seen within `REREAD_S`."""
        self._ids = None

    async def _tend_all(self) -> None:
        tasks: dict[str, asyncio.Task[None]] = {}
        read_at_s = 0.0
        try:
            while True:
                try:
                    if self._ids is None or self._clock.monotonic_s() - read_at_s > REREAD_S:
                        read_at_s = self._clock.monotonic_s()
                        self._ids = await self._webhooks.enabled_ids()
                except Exception as error:  # noqa: BLE001 - a database that is away comes back
                    _log.warning("webhooks can't be read", error=str(error))
                    await asyncio.sleep(LOOK_S * 4)
                    continue
                for webhook_id in self._ids:
                    if webhook_id not in tasks or tasks[webhook_id].done():
                        tasks[webhook_id] = asyncio.create_task(self._tend_logged(webhook_id))
                await asyncio.sleep(LOOK_S)
        finally:
            for task in tasks.values():
                task.cancel()
            await asyncio.gather(*tasks.values(), return_exceptions=True)

    async def _tend_logged(self, webhook_id: str) -> None:
        try:
            await self.tend(webhook_id)
        except NotFound:
            return
        except Exception:  # noqa: BLE001 - the next look tries again; others go on
            _log.exception("a webhook can't be tended now", webhook=webhook_id)

    async def tend(self, webhook_id: str) -> None:
        """Read the log on for a webhook, and send what is due until nothing more is.

        Raises:
            NotFound: it was removed.
        """
        while True:
            state = await self._webhooks.get(webhook_id)
            if not state.webhook.enabled:
                return
            # While many wait nothing more is read: the log keeps the rest.
            has_room = state.waiting < self._settings.max_waiting
            went_on = has_room and await self._webhooks.outboxes.fill(
                webhook_id,
                state.cursor_seq,
                state.webhook.only,
                lambda entry: encoded_event(entry, self._source),
            )
            sent = await self._send_due(await self._webhooks.get(webhook_id))
            if not sent and not went_on:
                return

    async def _send_due(self, state: WebhookState) -> bool:
        now = self._clock.now()
        if state.paused_until is not None and now < state.paused_until:
            return False
        webhook_id = state.webhook.id
        # A receiver that was away is asked with one message first.
        due = await self._webhooks.outboxes.due(webhook_id, 1 if state.failures else AT_ONCE)
        if not due:
            return False
        sealed = await self._webhooks.sealed_secrets(webhook_id)
        secrets = [self._sealer.unseal(one) for one in sealed]
        answers = await self._post_all(state, due, secrets)
        if any(answer.status == 410 for answer in answers):
            await self._webhooks.disable(webhook_id, "the receiver says that it is gone (410)")
        away = [answer for answer in answers if answer.is_away]
        failures = state.failures + 1 if away else 0
        paused = None
        if away:
            asked_s = max(answer.retry_after_s for answer in away)
            paused = now + timedelta(seconds=max(asked_s, self._wait_s(failures)))
        refused = [answer for answer in answers if not answer.is_taken and not answer.is_away]
        await self._webhooks.outboxes.settle(
            webhook_id,
            [
                self._result(delivery, answer, now)
                for delivery, answer in zip(due, answers, strict=True)
            ],
            failures=failures,
            paused_until=paused,
            problem=next((answer.problem for answer in (*away, *refused)), ""),
        )
        return paused is None

    async def _post_all(
        self, state: WebhookState, due: Sequence[Delivery], secrets: Sequence[str]
    ) -> list[Answer]:
        gate = asyncio.Semaphore(TOGETHER)
        is_away = asyncio.Event()

        async def one(delivery: Delivery) -> Answer:
            async with gate:
                if is_away.is_set():
                    # The rest would only wait for the same silence.
                    return Answer(0, "not sent: the receiver is away")
                answer = await self._post(state, delivery, secrets)
                if answer.is_away:
                    is_away.set()
                return answer

        return list(await asyncio.gather(*map(one, due)))

    async def _post(
        self, state: WebhookState, delivery: Delivery, secrets: Sequence[str]
    ) -> Answer:
        body = delivery.payload.encode()
        message_id = f"msg_{delivery.webhook_id}_{delivery.seq}"
        headers = signed_headers(secrets, message_id, int(self._clock.now().timestamp()), body)
        answer = await post(
            self._guard,
            self._clock,
            state.webhook.url,
            body,
            {"Content-Type": MEDIA_TYPE, **headers},
            self._settings.timeout_s,
        )
        result = "taken" if answer.is_taken else "away" if answer.is_away else "refused"
        self._metrics.count("siaga_webhook_tries_total", result=result)
        return answer

    def _result(self, delivery: Delivery, answer: Answer, now: datetime) -> Result:
        if answer.is_taken:
            return Result(seq=delivery.seq)
        is_old = now - delivery.queued_at >= timedelta(hours=self._settings.give_up_hours)
        is_refused = not answer.is_away and delivery.attempts + 1 >= MOST_REFUSALS
        if is_old or is_refused:
            return Result(seq=delivery.seq, problem=answer.problem)
        # The pause of the whole outbox is the wait where the receiver is away.
        wait_s = 0.0 if answer.is_away else self._wait_s(delivery.attempts + 1)
        return Result(
            seq=delivery.seq,
            problem=answer.problem,
            retry_at=now + timedelta(seconds=wait_s),
            was_away=answer.is_away,
        )

    def _wait_s(self, times: int) -> float:
        """Doubling, half of it by chance, so that many outboxes don't come back together."""
        wait_s = min(self._settings.longest_wait_s, FIRST_WAIT_S * 2.0 ** min(times - 1, 30))
        return wait_s * (0.5 + random.random() / 2)  # noqa: S311 - spreads tries, no secret
