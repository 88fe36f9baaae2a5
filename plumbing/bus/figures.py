"""What workers tell of themselves for whoever watches the installation: the newest alone."""

from __future__ import annotations

import json
from typing import Any

from plumbing.bus.link import Link

KEPT_S = 60.0
"""A worker silent for longer tells nothing any more."""


class Notices:
    """One JSON value a worker, under one name; see `plumbing.bus.Bus` for the contract."""

    def __init__(self, link: Link, name: str, kept_s: float = KEPT_S) -> None:
        self._link = link
        self._name = name
        self._kept_s = kept_s

    async def publish(self, worker: str, value: Any) -> None:
        """Replace what a worker tells."""
        async with self._link.reached():
            seconds, _ = await self._link.quick.time()
            body = json.dumps({"at_s": seconds, "figures": value})
            await self._link.quick.hset(self._link.key(self._name), worker, body)

    async def read(self) -> dict[str, Any]:
        """What the workers tell that were heard of lately, by worker."""
        async with self._link.reached():
            seconds, _ = await self._link.quick.time()
            bodies = await self._link.quick.hgetall(self._link.key(self._name))
            told = {_text(worker): json.loads(body) for worker, body in bodies.items()}
            gone = [worker for worker, one in told.items() if seconds - one["at_s"] > self._kept_s]
            if gone:
                await self._link.quick.hdel(self._link.key(self._name), *gone)
        return {
            worker: one["figures"] for worker, one in sorted(told.items()) if worker not in gone
        }


def _text(key: bytes | str) -> str:
    return key.decode() if isinstance(key, bytes) else key
