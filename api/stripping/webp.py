"""WebP (RFC 9649): chunks of a RIFF file, and flags in its extended head that tell of them."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from api.stripping.exif import only_orientation
from api.stripping.refusal import NotWhole, require_reasonable

_PICTURES = frozenset({b"VP8 ", b"VP8L", b"ANMF"})
_KEPT = _PICTURES | {b"VP8X", b"ALPH", b"ANIM", b"ICCP"}
_EXIF_FLAG, _XMP_FLAG = 0x08, 0x04


def strip_webp(content: bytes) -> bytes:
    """Keep the picture, its colours, its animation and how to turn it.

    Raises:
        NotWhole: it is no WebP, or too large unpacked.
    """
    kept: list[tuple[bytes, bytes]] = []
    turned = b""
    for name, body in _chunks(content):
        if name == b"EXIF":
            turned = turned or only_orientation(body.removeprefix(b"Exif\0\0"))
        elif name in _KEPT:
            require_reasonable(*_size_px(name, body))
            kept.append((name, body))
    if not any(name in _PICTURES for name, _ in kept):
        raise NotWhole("it is no whole WebP: there is no picture in it")
    name, head = kept[0]
    if name == b"VP8X":
        flags = head[0] & ~(_EXIF_FLAG | _XMP_FLAG) | (_EXIF_FLAG if turned else 0)
        kept[0] = (name, bytes((flags,)) + head[1:])
        if turned:
            kept.append((b"EXIF", turned))
    body = b"WEBP" + b"".join(_chunk(*one) for one in kept)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    if content[:4] != b"RIFF" or content[8:12] != b"WEBP":
        raise NotWhole("it is no WebP")
    at = 12
    end = min(len(content), 8 + int.from_bytes(content[4:8], "little"))
    while at + 8 <= end:
        name, size = struct.unpack_from("<4sI", content, at)
        if at + 8 + size > end:
            return
        yield name, content[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def _size_px(name: bytes, body: bytes) -> tuple[int, int]:
    """Width and height of what says so; one pixel for the others."""
    if name == b"VP8X" and len(body) >= 10:
        return (
            int.from_bytes(body[4:7], "little") + 1,
            int.from_bytes(body[7:10], "little") + 1,
        )
    # Within a picture of its own each side has 14 bits, which is too many only together.
    if name == b"VP8 " and len(body) >= 10:
        width, height = struct.unpack_from("<HH", body, 6)
        return width & 0x3FFF, height & 0x3FFF
    if name == b"VP8L" and len(body) >= 5:
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return 1, 1


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack("<4sI", name, len(body)) + body + b"\0" * (len(body) % 2)
