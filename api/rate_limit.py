"""Nobody may keep everybody else from being answered: requests a second by whoever sends them.

A bucket of tokens a sender (429 when it is empty): machines by their key, people by their session,
strangers by their address. A key or session has a bucket of its own once it was let in; until then
all of an address share one, or whoever sends another key with each request would have none at all.
A sender's secret is kept as a digest alone. What supervises us is never refused, nor is a
websocket: its reader costs nothing until it is let in.
"""

from __future__ import annotations

import hashlib
import math
from collections import OrderedDict

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Receive, Scope, Send

from api.buckets import MAX_KEPT, Buckets
from api.problems import Problem
from plumbing.clock import Clock

BURST_S = 10.0
"""A bucket holds what flows in within this: a console starts with dozens of requests at once."""
_FREE = frozenset({"/healthz", "/readyz", "/metrics"})
_OF_NETWORKS = frozenset({"/aml"})
"""Positions of callers come from few addresses of networks; they are held to what a key is."""


class RateLimit:
    """ASGI middleware; 0 a second turns a limit off."""

    def __init__(
        self, app: ASGIApp, clock: Clock, *, cookie: str, known_per_s: float, strangers_per_s: float
    ) -> None:
        self._app = app
        self._buckets = Buckets(clock)
        self._let_in: OrderedDict[str, None] = OrderedDict()
        """Digests of the secrets that somebody was let in by; the oldest are forgotten first."""
        self._cookie = cookie
        self._known_per_s = known_per_s
        self._strangers_per_s = strangers_per_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection (ASGI)."""
        if scope["type"] != "http" or scope["path"] in _FREE:
            await self._app(scope, receive, send)
            return
        digest = self._digest(scope)
        sender, per_s = self._sender(scope, digest)
        if per_s > 0:
            wait_s = self._buckets.wait_s(sender, per_s=per_s, burst=per_s * BURST_S)
            if wait_s > 0:
                await _refusal(wait_s).response()(scope, receive, send)
                return
        try:
            await self._app(scope, receive, send)
        finally:
            if digest and scope.get("state", {}).get("identity") is not None:
                self._remember(digest)

    def _digest(self, scope: Scope) -> str:
        """Of the key or session that came along; empty where none did."""
        headers = Headers(scope=scope)
        secret = headers.get("authorization") or cookie_parser(headers.get("cookie", "")).get(
            self._cookie
        )
        return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest() if secret else ""

    def _sender(self, scope: Scope, digest: str) -> tuple[str, float]:
        address = scope["client"][0] if scope.get("client") else "?"
        if digest in self._let_in:
            return f"{address} {digest}", self._known_per_s
        if digest:
            return f"{address} unknown", self._known_per_s
        if scope["path"] in _OF_NETWORKS:
            # Not out of the strangers' bucket: behind a proxy all have one address.
            return f"{address} networks", self._known_per_s
        return address, self._strangers_per_s

    def _remember(self, digest: str) -> None:
        self._let_in[digest] = None
        self._let_in.move_to_end(digest)
        while len(self._let_in) > MAX_KEPT:
            self._let_in.popitem(last=False)


def _refusal(wait_s: float) -> Problem:
    return Problem(
        429,
        "too-many-requests",
        "Too many requests in a short time; wait for Retry-After, and follow the feed instead of "
        "asking again and again.",
        headers={"Retry-After": str(math.ceil(wait_s))},
    )
