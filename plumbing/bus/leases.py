"""Leases: who may do a thing now, with a fencing number that unmasks one who slept too long."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from plumbing.bus.link import Link


@dataclass(frozen=True, slots=True)
class Lease:
    """A right that ends by itself. ``fencing`` is greater than that of every earlier holder."""

    name: str
    holder: str
    fencing: int


@dataclass(frozen=True, slots=True)
class HeldLease:
    """Who has a lease, and what its holder lets others know."""

    holder: str
    fencing: int
    note: str


# The number outlives the lease; a holder that let its lease lapse gets a new one as well, since it
# can't know whether somebody else held it in between.
_TAKE = """
local holder = redis.call('HGET', KEYS[1], 'holder')
if holder and holder ~= ARGV[1] then return 0 end
local fencing
if holder then
  fencing = tonumber(redis.call('HGET', KEYS[1], 'fencing'))
else
  fencing = math.max(tonumber(redis.call('GET', KEYS[2]) or '0'), tonumber(ARGV[3])) + 1
  redis.call('SET', KEYS[2], string.format('%.0f', fencing))
  redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'fencing', string.format('%.0f', fencing))
end
redis.call('HSET', KEYS[1], 'note', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return fencing
"""

_RENEW = """
local held = redis.call('HMGET', KEYS[1], 'holder', 'fencing')
if held[1] ~= ARGV[1] or held[2] ~= ARGV[2] then return 0 end
if ARGV[4] then redis.call('HSET', KEYS[1], 'note', ARGV[4]) end
return redis.call('PEXPIRE', KEYS[1], ARGV[3])
"""

_RELEASE = """
local held = redis.call('HMGET', KEYS[1], 'holder', 'fencing')
if held[1] ~= ARGV[1] or held[2] ~= ARGV[2] then return 0 end
return redis.call('DEL', KEYS[1])
"""


class Leases:
    """Taking, renewing and listing leases; see `plumbing.bus.Bus` for the contract."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._take = link.quick.register_script(_TAKE)
        self._renew = link.quick.register_script(_RENEW)
        self._release = link.quick.register_script(_RELEASE)

    def _key(self, name: str) -> str:
        return self._link.key("lease", name)

    async def take(
        self, name: str, holder: str, ttl_s: float, above: int, note: str
    ) -> Lease | None:
        """Take a free lease, or one's own."""
        async with self._link.reached():
            fencing = await self._take(
                keys=[self._key(name), self._link.key("fencing", name)],
                args=[holder, _ms(ttl_s), above, note],
            )
        return Lease(name, holder, int(fencing)) if fencing else None

    async def renew(self, lease: Lease, ttl_s: float) -> bool:
        """Prolong a lease that is still held."""
        return (await self.renew_all([lease], ttl_s, ()))[0]

    async def renew_all(
        self, leases: Sequence[Lease], ttl_s: float, notes: Sequence[str]
    ) -> list[bool]:
        """Prolong leases in one go, and say which were still held."""
        if not leases:
            return []
        # Left by its end even where the work is cancelled while its script is loaded: a pipeline
        # that is only executed would keep its connection then.
        async with self._link.reached(), self._link.quick.pipeline(transaction=False) as pipe:
            for lease, note in itertools.zip_longest(leases, notes):
                await self._renew(
                    keys=[self._key(lease.name)],
                    args=[lease.holder, lease.fencing, _ms(ttl_s), *([note] if notes else [])],
                    client=pipe,
                )
            return [bool(renewed) for renewed in await pipe.execute()]

    async def release(self, lease: Lease) -> None:
        """Give a lease back, if it is still held."""
        async with self._link.reached():
            await self._release(keys=[self._key(lease.name)], args=[lease.holder, lease.fencing])

    async def look(self, names: Sequence[str]) -> list[HeldLease | None]:
        """Who holds these, in one go."""
        if not names:
            return []
        async with self._link.reached(), self._link.quick.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.hmget(self._key(name), "holder", "fencing", "note")
            found = await pipe.execute()
        return [
            HeldLease(holder.decode(), int(fencing), (note or b"").decode()) if holder else None
            for holder, fencing, note in found
        ]

    async def held(self, prefix: str) -> dict[str, str]:
        """Names and holders of the leases whose names start so."""
        start = len(self._key(""))
        pattern = re.sub(r"([\\*?\[\]])", r"\\\1", self._key(prefix)) + "*"
        async with self._link.reached():
            keys = [key async for key in self._link.quick.scan_iter(match=pattern, count=1000)]
            async with self._link.quick.pipeline(transaction=False) as pipe:
                for key in keys:
                    pipe.hget(key, "holder")
                holders = await pipe.execute()
        return {
            key.decode()[start:]: holder.decode()
            for key, holder in sorted(zip(keys, holders, strict=True))
            if holder is not None
        }


def _ms(seconds: float) -> int:
    if seconds <= 0:
        raise ValueError(f"a lease needs a time above 0 s, got {seconds}")
    return max(1, int(seconds * 1000))
