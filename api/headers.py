"""Security headers of every answer, with a content security policy that MapLibre GL can live with.

MapLibre draws in a worker that it starts from a blob, and reads its images from blobs and data
addresses. Nothing is fetched from elsewhere unless the configuration names an online map style.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from plumbing.settings import MapSettings


def content_security_policy(settings: MapSettings) -> str:
    """The policy of every page; an online style's host is added where the map needs it."""
    elsewhere = ""
    if settings.style_url is not None:
        parts = urlsplit(settings.style_url)
        if parts.scheme and parts.netloc:
            elsewhere = f" {parts.scheme}://{parts.netloc}"
    directives = (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        # Style attributes in templates; no style sheet and no script gets in this way.
        "style-src-attr 'unsafe-inline'",
        f"img-src 'self' data: blob:{elsewhere}",
        f"connect-src 'self'{elsewhere}",
        "font-src 'self'",
        "media-src 'self' blob:",
        "worker-src 'self' blob:",
        "child-src 'self' blob:",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
    return "; ".join(directives)


_PRIVATE = ("/api/", "/ogc", "/cap/")
"""Addresses whose answers nobody may keep."""


class SecurityHeaders:
    """ASGI middleware: sets the headers on every HTTP answer."""

    def __init__(self, app: ASGIApp, policy: str) -> None:
        self._app = app
        self._headers = {
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "no-referrer",
            "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                if scope["path"].startswith(_PRIVATE):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, with_headers)
