"""What a machine's key may be narrowed to, beside its role: a thing, and whether it is changed.

A scope is ``<thing>:read`` or ``<thing>:write``; which one a route takes follows from its address,
so that a new route needs no line here.
"""

from __future__ import annotations

from collections.abc import Iterable

_ROOT = "/api/v1/"
_THINGS = {
    "aml": "calls",
    "sms": "calls",
    "pidf-lo": "calls",
    "messages": "calls",
    "ogc": "incidents",
    "cap": "incidents",
    "ws": "feed",
    "sse": "feed",
    "log": "feed",
    "incidents.csv": "incidents",
    "incidents.geojson": "incidents",
}
"""Addresses that are another way to a thing."""


def scope_of(method: str, path: str) -> str:
    """The scope that a route takes, by its method and path template."""
    first = path.removeprefix(_ROOT).lstrip("/").split("/", 1)[0]
    kind = "read" if method in ("GET", "HEAD", "WEBSOCKET") else "write"
    return f"{_THINGS.get(first, first)}:{kind}"


def scopes_of(routes: Iterable[tuple[str, str]]) -> frozenset[str]:
    """All that these routes take."""
    return frozenset(scope_of(method, path) for method, path in routes)
