"""Wake-ups (hints that may be lost) and cues to workers (kept for a minute)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from contracts import ContractError, Cue, KeepClip, WatchClosely, from_json, to_json
from plumbing.bus.errors import BusUnavailable
from plumbing.bus.link import ANSWER_S, Comeback, Link
from plumbing.logs import get_logger

_log = get_logger(__name__)

_CUES_KEPT = 1000
"""Older cues fall off: a worker that lags by so many has lost sight of the present."""

_KINDS: dict[str, type[Cue]] = {"watch": WatchClosely, "clip": KeepClip}
_NAMES: dict[type[Cue], str] = {kind: name for name, kind in _KINDS.items()}


class Hints:
    """Waking readers and cueing workers; see `plumbing.bus.Bus` for the contract."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def wake(self, seq: int) -> None:
        """Tell whoever listens that the log has come to ``seq``."""
        async with self._link.reached():
            await self._link.quick.publish(self._link.key("wake"), str(seq))

    async def wakes(self) -> AsyncIterator[int]:
        """Numbers as they are told; see `plumbing.bus.Bus.wakes`."""
        comeback = Comeback("wake-ups")
        last = 0
        while True:
            pubsub = self._link.patient.pubsub(ignore_subscribe_messages=True)
            try:
                async with self._link.reached():
                    await pubsub.subscribe(self._link.key("wake"))
                    await pubsub.get_message(ignore_subscribe_messages=True, timeout=ANSWER_S)
                comeback.succeeded()
                yield last
                while True:
                    async with self._link.reached():
                        message = await pubsub.get_message(timeout=ANSWER_S)
                    if message is not None:
                        last = int(message["data"])
                        yield last
            except BusUnavailable as error:
                await comeback.wait(error)
            finally:
                await pubsub.aclose()  # type: ignore[no-untyped-call]

    async def tell(self, command: Cue) -> None:
        """Cue every worker."""
        async with self._link.reached():
            await self._link.quick.xadd(
                self._link.key("cues"),
                {"v": to_json(command), "k": _NAMES[type(command)]},
                maxlen=_CUES_KEPT,
            )

    async def told(self, since_s: float) -> AsyncIterator[Cue]:
        """Cues from ``since_s`` seconds ago onwards; see `plumbing.bus.Bus.told`."""
        comeback = Comeback("cues")
        last: str | None = None
        while True:
            try:
                async with self._link.reached():
                    if last is None:
                        seconds, _ = await self._link.quick.time()
                        last = f"{int((seconds - since_s) * 1000)}-0"
                    answer: Any = await self._link.patient.xread(
                        {self._link.key("cues"): last}, block=int(ANSWER_S * 1000)
                    )
                comeback.succeeded()
            except BusUnavailable as error:
                await comeback.wait(error)
                continue
            for entry_id, fields in answer[0][1] if answer else ():
                last = entry_id.decode()
                try:
                    yield from_json(_KINDS[fields[b"k"].decode()], fields[b"v"])
                except (ContractError, KeyError) as error:
                    _log.error("a cue can't be read; skipped", entry=last, why=str(error))
