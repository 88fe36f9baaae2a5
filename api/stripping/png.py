"""PNG (W3C PNG, third edition, 5.3): named chunks with checksums."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from api.stripping.exif import only_orientation
from api.stripping.refusal import NotWhole, require_reasonable

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KEPT = frozenset(
    b"IHDR PLTE IDAT IEND tRNS cHRM gAMA iCCP sBIT sRGB cICP mDCV cLLI bKGD hIST pHYs "
    b"acTL fcTL fdAT".split()
)


def strip_png(content: bytes) -> bytes:
    """Keep the picture, its colours, its animation and how to turn it.

    Raises:
        NotWhole: it is no PNG, or too large unpacked.
    """
    kept = [SIGNATURE]
    for number, (name, body) in enumerate(_chunks(content)):
        if (number == 0) is not (name == b"IHDR"):
            raise NotWhole("it is no whole PNG: its head is missing")
        if name == b"IHDR":
            if len(body) != 13:
                raise NotWhole("it is no whole PNG: its head is damaged")
            require_reasonable(*struct.unpack_from(">II", body))
        if name == b"eXIf":
            body = only_orientation(body)
        if name in _KEPT or (name == b"eXIf" and body):
            kept.append(_chunk(name, body))
    if not any(part[4:8] == b"IDAT" for part in kept):
        raise NotWhole("it is no whole PNG: there is no picture in it")
    if kept[-1][4:8] != b"IEND":
        kept.append(_chunk(b"IEND", b""))
    return b"".join(kept)


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and body, up to the picture's end; a last one that is cut short is left out."""
    if not content.startswith(SIGNATURE):
        raise NotWhole("it is no PNG")
    at, name = len(SIGNATURE), b""
    while name != b"IEND" and at + 12 <= len(content):
        size, name = struct.unpack_from(">I4s", content, at)
        if at + 12 + size > len(content):
            return
        yield name, content[at + 8 : at + 8 + size]
        at += 12 + size


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
