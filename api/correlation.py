"""One id a request: in the answer's ``X-Request-Id``, in every log line, and in a 500's document.

The last line of defence, too: an error that nobody foresaw is logged with its traceback under that
id, and the caller learns the id alone.
"""

from __future__ import annotations

import contextlib
import re

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import Problem
from plumbing.ids import new_id
from plumbing.logs import get_logger

_ACCEPTABLE = re.compile(r"[A-Za-z0-9._-]{8,80}")
_log = get_logger(__name__)


class Correlation:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection (ASGI)."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        # A dispatch system's own id is kept, so that both sides' logs can be laid side by side.
        sent = Headers(scope=scope).get("x-request-id", "")
        request_id = sent if _ACCEPTABLE.fullmatch(sent) else new_id("req")
        has_answered = False

        async def with_id(message: Message) -> None:
            nonlocal has_answered
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            has_answered = True
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, with_id)
            except Exception:
                _log.exception("request failed", method=scope.get("method"), path=scope["path"])
                if not has_answered:
                    await _unforeseen(request_id).response()(scope, receive, with_id)
                elif scope["type"] == "http":
                    raise
                else:
                    # Raised on, it would be told a second time and the line cut without a word.
                    with contextlib.suppress(RuntimeError, OSError):
                        await send({"type": "websocket.close", "code": 1011, "reason": request_id})


def _unforeseen(request_id: str) -> Problem:
    detail = (
        "Something went wrong that nobody foresaw. The log has it under this correlation id; "
        "the request may be sent again."
    )
    return Problem(500, "internal", detail, extra={"correlation_id": request_id})
