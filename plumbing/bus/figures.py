"""What workers count, for whoever watches the installation: the newest figures, nothing more."""

from __future__ import annotations

import json
from collections.abc import Mapping

from plumbing.bus.link import Link

KEPT_S = 60.0
"""A worker silent for longer counts nothing any more."""


class Figures:
    """Publishing and reading figures; see `plumbing.bus.Bus` for the contract."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def publish(self, worker: str, figures: Mapping[str, float]) -> None:
        """Replace a worker's figures."""
        async with self._link.reached():
            seconds, _ = await self._link.quick.time()
            body = json.dumps({"at_s": seconds, "figures": dict(figures)})
            await self._link.quick.hset(self._link.key("figures"), worker, body)

    async def read(self) -> dict[str, dict[str, float]]:
        """The figures of the workers that were heard of lately, by worker and name."""
        async with self._link.reached():
            seconds, _ = await self._link.quick.time()
            bodies = await self._link.quick.hgetall(self._link.key("figures"))
            told = {_text(worker): json.loads(body) for worker, body in bodies.items()}
            gone = [worker for worker, one in told.items() if seconds - one["at_s"] > KEPT_S]
            if gone:
                await self._link.quick.hdel(self._link.key("figures"), *gone)
        return {
            worker: {name: float(value) for name, value in one["figures"].items()}
            for worker, one in sorted(told.items())
            if worker not in gone
        }


def _text(key: bytes | str) -> str:
    return key.decode() if isinstance(key, bytes) else key
