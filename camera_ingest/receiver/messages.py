"""RTSP messages as text (RFC 2326): requests out, answers in. Pure; what comes in is bounded."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

MAX_HEAD_BYTES = 16_384
MAX_BODY_BYTES = 262_144

_STATUS_LINE = re.compile(rb"RTSP/1\.\d (\d{3})(?: |$)")
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")


class NoRtsp(Exception):
    """What came is no RTSP message."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, or a request of the camera's own (status 0), which nobody has to heed."""

    status: int
    headers: tuple[tuple[str, str], ...]
    """Names in lower case, in the order in which they came; some come several times."""
    body: bytes

    def header(self, name: str) -> str:
        """The first value of a header; empty where there is none."""
        return next((value for key, value in self.headers if key == name), "")

    def all_of(self, name: str) -> list[str]:
        """All values of a header."""
        return [value for key, value in self.headers if key == name]


def request(method: str, url: str, number: int, headers: Iterable[tuple[str, str]] = ()) -> bytes:
    """A request's bytes.

    Raises:
        ValueError: a line break stands in the URL or a header and would become another header.
    """
    lines = [f"{method} {url} RTSP/1.0", f"CSeq: {number}", "User-Agent: siaga"]
    lines += [f"{name}: {value}" for name, value in headers]
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a request can't hold line breaks")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def parse_message(data: bytes | bytearray | memoryview, start: int) -> tuple[Answer, int] | None:
    """The message that begins at ``start``, and where it ends; none while it isn't whole.

    Raises:
        NoRtsp: it is none, or larger than any camera's.
    """
    head_limit = bytes(data[start : start + MAX_HEAD_BYTES])
    blank = _BLANK_LINE.search(head_limit)
    if blank is None:
        if len(head_limit) == MAX_HEAD_BYTES or not _may_become_rtsp(head_limit):
            raise NoRtsp
        return None
    lines = head_limit[: blank.start()].split(b"\n")
    found = _STATUS_LINE.match(lines[0].strip())
    if found is None and not _is_request(lines[0]):
        raise NoRtsp
    headers = tuple(_header(line) for line in lines[1:])
    length = next((value for name, value in headers if name == "content-length"), "0")
    if not (length.isascii() and length.isdigit()) or int(length[:10]) > MAX_BODY_BYTES:
        raise NoRtsp
    body_start = start + blank.end()
    end = body_start + int(length)
    if len(data) < end:
        return None
    return Answer(int(found[1]) if found else 0, headers, bytes(data[body_start:end])), end


def _may_become_rtsp(head: bytes) -> bool:
    """Whether an unfinished head could be one: printable text, its first line of RTSP's kind."""
    first, newline, _ = head.partition(b"\n")
    if newline:
        return _STATUS_LINE.match(first.strip()) is not None or _is_request(first)
    if first[:7] == b"RTSP/1."[: len(first)]:
        return True
    return first[:1].isupper() and all(32 <= byte < 127 for byte in first.rstrip(b"\r"))


def _is_request(line: bytes) -> bool:
    return line.strip().endswith((b" RTSP/1.0", b" RTSP/1.1"))


def _header(line: bytes) -> tuple[str, str]:
    name, _, value = line.decode("utf-8", "replace").partition(":")
    return name.strip().lower(), value.strip()
