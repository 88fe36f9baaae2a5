"""Who asks too often waits: buckets of tokens, one a sender, bounded in number."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from plumbing.clock import Clock

MAX_KEPT = 20_000
"""Senders remembered; the one heard longest ago is forgotten first, and begins anew."""


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at_s: float


class Buckets:
    """Token buckets; they live in the process's memory."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: OrderedDict[str, _Bucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def wait_s(self, sender: str, *, per_s: float, burst: float) -> float:
        """Take one of a sender's tokens; the seconds until there is one, if there is none.

        ``per_s`` flow in, up to ``burst``, which is also what it begins with.
        """
        now_s = self._clock.monotonic_s()
        bucket = self._kept.pop(sender, None) or _Bucket(burst, now_s)
        bucket.tokens = min(burst, bucket.tokens + (now_s - bucket.at_s) * per_s)
        bucket.at_s = now_s
        self._kept[sender] = bucket
        while len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)
        if bucket.tokens < 1:
            return (1 - bucket.tokens) / per_s
        bucket.tokens -= 1
        return 0.0
