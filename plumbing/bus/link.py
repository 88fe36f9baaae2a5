"""The connections to the server, and its errors turned into ours."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ConstantBackoff
from redis.exceptions import ConnectionError as ServerGone
from redis.exceptions import RedisError

from plumbing.bus.errors import BusUnavailable
from plumbing.logs import get_logger
from plumbing.redact import redact_url

_log = get_logger(__name__)

ANSWER_S = 5.0
"""A server that takes longer for a command that doesn't wait is treated as gone."""
_CONNECT_S = 3.0
_FIRST_WAIT_S = 0.1
_LONGEST_WAIT_S = 3.0


class Link:
    """One process's way to the server. Not shared between event loops.

    ``quick`` is for commands that answer at once, ``patient`` for those that wait in the server:
    those must not be cut off by the time limit that finds a hung server.
    """

    def __init__(self, url: str, namespace: str) -> None:
        self.namespace = namespace
        self._shown_url = redact_url(url)
        try:
            # One retry at once mends a connection that died while it lay in the pool. Where we
            # wait in the server there is none: a listener must notice that it was cut off.
            self.quick = self._client(url, ANSWER_S, retries=1)
            self.patient = self._client(url, None, retries=0)
        except ValueError as error:
            raise ValueError(
                f"bus.url {self._shown_url!r} is no redis://host:port/db address: {error}"
            ) from error

    @staticmethod
    def _client(url: str, timeout_s: float | None, retries: int) -> Redis:
        return Redis.from_url(
            url,
            socket_timeout=timeout_s,
            socket_connect_timeout=_CONNECT_S,
            socket_keepalive=True,
            health_check_interval=15,
            retry=Retry(ConstantBackoff(0.05), retries, supported_errors=(ServerGone,)),
            protocol=2,
        )

    def key(self, *parts: str) -> str:
        """The full name of a key: ``siaga:lease:worker-1``."""
        return ":".join((self.namespace, *parts))

    async def close(self) -> None:
        """Close all connections."""
        await self.quick.aclose()
        await self.patient.aclose()

    @asynccontextmanager
    async def reached(self) -> AsyncIterator[None]:
        """Turn every failure to reach the server into `BusUnavailable`.

        A cancellation is never lost in here: the client waits by `asyncio.wait_for`, which before
        Python 3.12 swallows one that comes just as its answer does.
        """
        task = asyncio.current_task()
        before = task.cancelling() if task else 0
        try:
            yield
        except (RedisError, OSError, TimeoutError) as error:
            if task and task.cancelling() > before:
                raise asyncio.CancelledError from error
            raise self.unavailable(error) from error
        if task and task.cancelling() > before:
            raise asyncio.CancelledError

    def unavailable(self, error: Exception) -> BusUnavailable:
        """Our error for one of the client's; never shows a password."""
        return BusUnavailable(f"bus {self._shown_url}: {redact_url(str(error))}")


class Comeback:
    """The waits of an endless iteration between attempts: growing, jittered, reset by success."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._failures = 0

    def succeeded(self) -> None:
        """The server answered."""
        if self._failures:
            _log.info("the bus is back", task=self._what)
        self._failures = 0

    async def wait(self, error: BusUnavailable) -> None:
        """Say once that the bus is away, and wait before the next attempt."""
        if self._failures == 0:
            _log.warning("the bus is away; trying again", task=self._what, why=str(error))
        longest = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2.0 ** min(self._failures, 10))
        self._failures += 1
        await asyncio.sleep(longest * random.uniform(0.5, 1.0))  # noqa: S311 - spreads load, hides nothing
