"""Refuses request bodies that are too large: before reading one whose length is declared, and at
the limit for one that comes in chunks.

The refusal is sent at once. Then, for a moment, what the client still sends is read and thrown
away: a connection that is closed over unread data is reset, and clients would report that in
place of the refusal.
"""

from __future__ import annotations

import asyncio
import contextlib

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import Problem

LINGER_S = 2.0
_FILES = ("/attachments", "/photos", "/cameras/import")


class BodyTooLarge(HTTPException):
    """The body is larger than the limit; an HTTP error wherever it is met."""

    def __init__(self, max_bytes: int) -> None:
        detail = f"The body is larger than the {max_bytes} bytes that are taken here."
        super().__init__(413, detail, {"Connection": "close"})


class BodyLimit:
    """ASGI middleware: bodies above ``max_bytes`` get 413; files have their own limit."""

    def __init__(self, app: ASGIApp, max_bytes: int, max_attachment_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._max_attachment_bytes = max_attachment_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_file = str(scope["path"]).endswith(_FILES)
        most = self._max_attachment_bytes if is_file else self._max_bytes
        # The server has seen to it that the header is a whole number.
        declared = int(Headers(scope=scope).get("content-length", "0"))
        if declared > most:
            refusal = BodyTooLarge(most)
            problem = Problem(413, "too-large", refusal.detail, headers=refusal.headers)
            await problem.response()(scope, receive, _lingering(receive, send))
            return

        read_bytes = 0

        async def counted() -> Message:
            nonlocal read_bytes
            message = await receive()
            if message["type"] == "http.request":
                read_bytes += len(message.get("body", b""))
                if read_bytes > most:
                    raise BodyTooLarge(most)
            return message

        async def answering(message: Message) -> None:
            await (_lingering(receive, send) if read_bytes > most else send)(message)

        await self._app(scope, counted, answering)


def _lingering(receive: Receive, send: Send) -> Send:
    async def sending(message: Message) -> None:
        is_last = message["type"] == "http.response.body" and not message.get("more_body", False)
        if not is_last:
            await send(message)
            return
        await send({**message, "more_body": True})
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LINGER_S):
                while (await receive()).get("more_body", False):
                    pass
        await send({"type": "http.response.body", "body": b""})

    return sending
