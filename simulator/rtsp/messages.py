"""RTSP requests and answers as text (RFC 2326)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

_REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    454: "Session Not Found",
    455: "Method Not Valid in This State",
    461: "Unsupported Transport",
}
_HEAD_BYTES = 16_384
_BODY_BYTES = 65_536


class BadRequestError(Exception):
    """The client sent something that is no RTSP request; the connection can't go on."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request; header names are in lower case."""

    method: str
    url: str
    headers: dict[str, str]

    @property
    def path(self) -> str:
        """The URL's path without slashes at its ends and without the track's part."""
        return urlsplit(self.url).path.strip("/").removesuffix("trackID=0").strip("/")


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """The next request, or None at the connection's end. RTCP from the client is passed over.

    Raises:
        BadRequestError: not RTSP, or longer than any client's request is.
    """
    try:
        while (first := await reader.readexactly(1)) in (b"$", b"\r", b"\n"):
            if first == b"$":
                frame = await reader.readexactly(3)
                await reader.readexactly(int.from_bytes(frame[1:], "big"))
        head = first + await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    except asyncio.LimitOverrunError as error:
        raise BadRequestError("the request's head is too long") from error
    if len(head) > _HEAD_BYTES:
        raise BadRequestError("the request's head is too long")
    request = _parse_head(head)
    length = request.headers.get("content-length", "0")
    if not length.isdigit() or int(length) > _BODY_BYTES:
        raise BadRequestError(f"content-length {length!r} is not one")
    try:
        await reader.readexactly(int(length))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    return request


def _parse_head(head: bytes) -> Request:
    lines = head.decode("utf-8", "replace").strip().split("\r\n")
    words = lines[0].split(" ")
    if len(words) != 3 or not words[2].startswith("RTSP/1."):
        raise BadRequestError(f"not an RTSP request: {lines[0][:80]!r}")
    pairs = (line.partition(":") for line in lines[1:])
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    return Request(words[0].upper(), words[1], headers)


def answer(
    request: Request, status: int, headers: Iterable[tuple[str, str]] = (), body: str = ""
) -> bytes:
    """The answer's bytes."""
    lines = [f"RTSP/1.0 {status} {_REASONS[status]}", f"CSeq: {request.headers.get('cseq', '0')}"]
    lines += [f"{name}: {value}" for name, value in headers]
    if body:
        lines.append(f"Content-Length: {len(body.encode())}")
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()
