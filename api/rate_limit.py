"""Nobody may keep everybody else from being answered: requests a second by whoever sends them.

A bucket of tokens a sender (429 when it is empty): machines by their key, people by their session,
strangers by their address. A sender's secret is kept as a digest alone. What supervises us is never
refused, nor is a websocket: its reader costs nothing until it is let in.
"""

from __future__ import annotations

import hashlib
import math

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Receive, Scope, Send

from api.buckets import Buckets
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
        self._cookie = cookie
        self._known_per_s = known_per_s
        self._strangers_per_s = strangers_per_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection (ASGI)."""
        if scope["type"] == "http" and scope["path"] not in _FREE:
            sender, per_s = self._sender(scope)
            if per_s > 0:
                wait_s = self._buckets.wait_s(sender, per_s=per_s, burst=per_s * BURST_S)
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


def _refusal(wait_s: float) -> Problem:
    return Problem(
        429,
        "too-many-requests",
        "Too many requests in a short time; wait for Retry-After, and follow the feed instead of "
        "asking again and again.",
        headers={"Retry-After": str(math.ceil(wait_s))},
    )
