"""Nobody may keep everybody else from being answered: requests a second by whoever sends them.

A bucket of tokens a sender (429 when it is empty): machines by their key, people by their session,
strangers by their address. A sender's secret is kept as a digest alone. What supervises us is never
refused, nor is a websocket: its reader costs nothing until it is let in.
"""

from __future__ import annotations

import hashlib
import math
from collections import OrderedDict
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Receive, Scope, Send

from api.problems import Problem
from plumbing.clock import Clock

BURST_S = 10.0
"""A bucket holds what flows in within this: a console starts with dozens of requests at once."""
MAX_KEPT = 20_000
_FREE = frozenset({"/healthz", "/readyz", "/metrics"})
_OF_NETWORKS = frozenset({"/aml"})
"""Positions of callers come from few addresses of networks; they are held to what a key is."""


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at_s: float


class RateLimit:
    """ASGI middleware; 0 a second turns a limit off."""

    def __init__(
        self, app: ASGIApp, clock: Clock, *, cookie: str, known_per_s: float, strangers_per_s: float
    ) -> None:
        self._app = app
        self._clock = clock
        self._cookie = cookie
        self._known_per_s = known_per_s
        self._strangers_per_s = strangers_per_s
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection (ASGI)."""
        if scope["type"] == "http" and scope["path"] not in _FREE:
            sender, per_s = self._sender(scope)
            wait_s = self._wait_s(sender, per_s) if per_s > 0 else 0.0
            if wait_s > 0:
                await _refusal(wait_s).response()(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _sender(self, scope: Scope) -> tuple[str, float]:
        headers = Headers(scope=scope)
        secret = headers.get("authorization") or cookie_parser(headers.get("cookie", "")).get(
            self._cookie
        )
        address = scope["client"][0] if scope.get("client") else "?"
        if secret:
            # With the address: who guesses keys is a stranger with every new guess otherwise.
            digest = hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
            return f"{address} {digest}", self._known_per_s
        known = scope["path"] in _OF_NETWORKS
        return address, self._known_per_s if known else self._strangers_per_s

    def _wait_s(self, sender: str, per_s: float) -> float:
        """Take one token; the seconds until there is one, if there is none."""
        now_s = self._clock.monotonic_s()
        full = per_s * BURST_S
        bucket = self._buckets.pop(sender, None) or _Bucket(full, now_s)
        bucket.tokens = min(full, bucket.tokens + (now_s - bucket.at_s) * per_s)
        bucket.at_s = now_s
        self._buckets[sender] = bucket
        while len(self._buckets) > MAX_KEPT:
            self._buckets.popitem(last=False)
        if bucket.tokens < 1:
            return (1 - bucket.tokens) / per_s
        bucket.tokens -= 1
        return 0.0


def _refusal(wait_s: float) -> Problem:
    return Problem(
        429,
        "too-many-requests",
        "Too many requests in a short time; wait for Retry-After, and follow the feed instead of "
        "asking again and again.",
        headers={"Retry-After": str(math.ceil(wait_s))},
    )
