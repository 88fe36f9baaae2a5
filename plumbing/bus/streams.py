"""Topics: durable streams with consumer groups, trimmed only behind what everybody acknowledged."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from redis.exceptions import ResponseError

from contracts import CameraHealth, ClipReport, ContractError, Detection, from_json, to_json
from plumbing.bus.errors import BusFull
from plumbing.bus.link import ANSWER_S, Link

T = TypeVar("T")


@dataclass(frozen=True)
class Topic(Generic[T]):
    """A stream of one noun."""

    name: str
    kind: type[T]


DETECTIONS: Topic[Detection] = Topic("detections", Detection)
HEALTH: Topic[CameraHealth] = Topic("health", CameraHealth)
CLIPS: Topic[ClipReport] = Topic("clips", ClipReport)


@dataclass(frozen=True, slots=True)
class Delivery(Generic[T]):
    """One entry handed to a consumer; where it can't be read, ``problem`` says why."""

    entry_id: str
    value: T | None
    problem: str = ""
    raw: bytes | None = None
    """The entry as it lay on the stream; none where nothing did."""


_FIELD = b"v"

# Refuses rather than trims: what is on the stream has been confirmed to somebody. All or nothing,
# so that a publisher may repeat the whole batch.
_ADD = """
if redis.call('XLEN', KEYS[1]) + #ARGV - 1 > tonumber(ARGV[1]) then return 0 end
for i = 2, #ARGV do redis.call('XADD', KEYS[1], '*', 'v', ARGV[i]) end
return 1
"""

# An entry may go once every group has got past it: below the oldest pending one, or, with nothing
# pending, up to the last delivered one.
_ACKNOWLEDGE = """
-- A server that lost its memory has nothing left to let go of.
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('XACK', KEYS[1], unpack(ARGV))
local function parts(id)
  local ms, n = string.match(id, '(%d+)-(%d+)')
  return tonumber(ms), tonumber(n)
end
local best_ms, best_n
for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local facts = {}
  for i = 1, #group, 2 do facts[group[i]] = group[i + 1] end
  local ms, n
  if facts['pending'] > 0 then
    ms, n = parts(redis.call('XPENDING', KEYS[1], facts['name'])[2])
  else
    ms, n = parts(facts['last-delivered-id'])
    n = n + 1
  end
  if not best_ms or ms < best_ms or (ms == best_ms and n < best_n) then best_ms, best_n = ms, n end
end
if best_ms then
  redis.call('XTRIM', KEYS[1], 'MINID', '=', string.format('%.0f-%.0f', best_ms, best_n))
end
return 1
"""


class Streams:
    """Publishing and receiving; see `plumbing.bus.Bus` for the contract."""

    def __init__(self, link: Link, max_backlog: int) -> None:
        self._link = link
        self._max_backlog = max_backlog
        self._add = link.quick.register_script(_ADD)
        self._acknowledge = link.quick.register_script(_ACKNOWLEDGE)
        self._known_groups: set[tuple[str, str]] = set()
        self._resumed_to: dict[tuple[str, str, str], bytes | None] = {}
        self._reclaimed_at_s: dict[tuple[str, str], float] = {}

    def _key(self, topic: Topic[Any]) -> str:
        return self._link.key("stream", topic.name)

    async def publish(self, topic: Topic[T], values: Sequence[T]) -> None:
        """Append all of them or none."""
        if not values:
            return
        bodies = [to_json(value, topic.kind) for value in values]
        async with self._link.reached():
            taken = await self._add(keys=[self._key(topic)], args=[self._max_backlog, *bodies])
        if not taken:
            raise BusFull(
                f"topic {topic.name} holds {self._max_backlog} entries that nobody has "
                "acknowledged; is the fusion process running? (bus.max_backlog)"
            )

    def begin(self, topic: Topic[Any], group: str, consumer: str) -> None:
        """Begin a consumer's life; see `plumbing.bus.Bus.begin`."""
        self._resumed_to.pop((topic.name, group, consumer), None)

    async def receive(
        self,
        topic: Topic[T],
        group: str,
        consumer: str,
        *,
        count: int,
        block_s: float,
        reclaim_after_s: float,
    ) -> list[Delivery[T]]:
        """What this consumer had before, then what dead ones left, then what is new."""
        async with self._link.reached():
            await self._ensure_group(topic, group)
            try:
                entries = await self._resume(topic, group, consumer, count)
                if not entries:
                    entries = await self._reclaim(topic, group, consumer, count, reclaim_after_s)
                if not entries:
                    entries = await self._fresh(topic, group, consumer, count, block_s)
            except ResponseError as error:
                if not str(error).startswith(("NOGROUP", "UNBLOCKED")):
                    raise
                # The server lost its memory (restored, flushed): begin anew at the next call.
                self._known_groups.discard((topic.name, group))
                entries = []
        return [_decode(topic, entry_id, fields) for entry_id, fields in entries]

    async def acknowledge(self, topic: Topic[Any], group: str, entry_ids: Iterable[str]) -> None:
        """Let go of entries; see `plumbing.bus.Bus.acknowledge`."""
        ids = list(entry_ids)
        # Lua's unpack is bounded by its stack (about 8,000 values).
        for start in range(0, len(ids), 1000):
            async with self._link.reached():
                await self._acknowledge(
                    keys=[self._key(topic)], args=[group, *ids[start : start + 1000]]
                )

    async def _ensure_group(self, topic: Topic[Any], group: str) -> None:
        if (topic.name, group) in self._known_groups:
            return
        try:
            await self._link.quick.xgroup_create(self._key(topic), group, id="0", mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise
        self._known_groups.add((topic.name, group))

    async def _resume(self, topic: Topic[Any], group: str, consumer: str, count: int) -> _Entries:
        # What this consumer was given in an earlier life is handed out page by page, once.
        who = (topic.name, group, consumer)
        last = self._resumed_to.get(who, b"0")
        if last is None:
            return []
        answer = await self._link.quick.xreadgroup(
            group, consumer, {self._key(topic): last}, count=count
        )
        entries = _entries(answer)
        self._resumed_to[who] = entries[-1][0] if entries else None
        return entries

    async def _reclaim(
        self, topic: Topic[Any], group: str, consumer: str, count: int, after_s: float
    ) -> _Entries:
        now_s = time.monotonic()
        if now_s < self._reclaimed_at_s.get((topic.name, group), -1e9) + after_s / 4:
            return []
        _, entries, *gone = await self._link.quick.xautoclaim(
            self._key(topic), group, consumer, int(after_s * 1000), count=count
        )
        if not entries:
            self._reclaimed_at_s[(topic.name, group)] = now_s
        # Entries that somebody trimmed by hand are listed apart: tell, don't lose silently.
        return [*entries, *((entry_id, None) for entry_id in (gone[0] if gone else ()))]

    async def _fresh(
        self, topic: Topic[Any], group: str, consumer: str, count: int, block_s: float
    ) -> _Entries:
        # BLOCK 0 would mean for ever.
        block_ms = max(1, int(block_s * 1000))
        async with asyncio.timeout(block_s + ANSWER_S):
            return _entries(
                await self._link.patient.xreadgroup(
                    group, consumer, {self._key(topic): ">"}, count=count, block=block_ms
                )
            )


_Entries = list[tuple[bytes, dict[bytes, bytes] | None]]


def _entries(answer: Any) -> _Entries:
    return list(answer[0][1]) if answer else []


def _decode(topic: Topic[T], entry_id: bytes, fields: dict[bytes, bytes] | None) -> Delivery[T]:
    shown_id = entry_id.decode()
    if not fields:
        return Delivery(shown_id, None, "the entry was removed from the stream before it was read")
    body = fields.get(_FIELD)
    if body is None:
        whole = b"; ".join(name + b"=" + value for name, value in fields.items())
        return Delivery(shown_id, None, f"no field {_FIELD.decode()!r} in the entry", whole)
    try:
        return Delivery(shown_id, from_json(topic.kind, body), raw=body)
    except (ContractError, UnicodeDecodeError) as error:
        return Delivery(shown_id, None, f"no {topic.kind.__name__}: {error}", body)
