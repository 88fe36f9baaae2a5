"""JPEG (ITU-T T.81, annex B): a chain of marked segments, and coded pictures without a length."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from api.stripping.exif import only_orientation
from api.stripping.refusal import NotWhole, require_reasonable

_START, _END, _SCAN, _COMMENT = 0xD8, 0xD9, 0xDA, 0xFE
_APPLICATION = range(0xE0, 0xF0)
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD8)})
_JFIF, _EXIF, _ICC, _ADOBE = b"JFIF\0", b"Exif\0\0", b"ICC_PROFILE\0", b"Adobe"
_JFIF_SIZE = 14
"""Of its fields, after which comes a thumbnail."""


def strip_jpeg(content: bytes) -> bytes:
    """Keep the picture, its colours and how to turn it.

    Raises:
        NotWhole: it is no JPEG, or too large unpacked.
    """
    kept: list[bytes] = []
    turned = b""
    has_frame = has_scan = False
    for marker, body, coded in _segments(content):
        if marker in _APPLICATION:
            if body.startswith(_EXIF):
                turned = turned or only_orientation(body[len(_EXIF) :])
                continue
            body = _of_application(body)
            if not body:
                continue
        elif marker == _COMMENT:
            continue
        elif marker in _FRAMES and len(body) > 4:
            has_frame = True
            height_px, width_px = struct.unpack_from(">HH", body, 1)
            require_reasonable(width_px, height_px or 1)
        has_scan = has_scan or marker == _SCAN
        kept.append(_segment(marker, body) + coded)
    if not (has_frame and has_scan):
        raise NotWhole("it is no whole JPEG")
    if turned:
        # After JFIF's own segment, which has to be the first one.
        kept.insert(1 if kept[0][4:].startswith(_JFIF) else 0, _segment(0xE1, _EXIF + turned))
    return b"".join([bytes((0xFF, _START)), *kept, bytes((0xFF, _END))])


def _segments(content: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Marker, body, and what is coded after it, up to the picture's end or the file's."""
    at = 2
    if content[:2] != bytes((0xFF, _START)):
        raise NotWhole("it is no JPEG")
    while at < len(content):
        if content[at] != 0xFF:
            raise NotWhole("it is no whole JPEG: something else lies between its parts")
        while at < len(content) and content[at] == 0xFF:
            at += 1
        if at == len(content):
            return
        marker, at = content[at], at + 1
        if marker == _END:
            return
        if marker in _WITHOUT_LENGTH:
            continue
        size = int.from_bytes(content[at : at + 2], "big")
        if size < 2 or at + size > len(content):
            raise NotWhole("it is no whole JPEG: a part is cut short")
        body, at = content[at + 2 : at + size], at + size
        end = _end_of_coded(content, at) if marker == _SCAN else at
        yield marker, body, content[at:end]
        at = end


def _end_of_coded(content: bytes, at: int) -> int:
    """Where the next marker stands that is no part of the coded picture."""
    while True:
        at = content.find(b"\xff", at)
        if at < 0 or at + 1 >= len(content):
            return len(content)
        if content[at + 1] != 0 and content[at + 1] not in _WITHOUT_LENGTH:
            return at
        at += 2


def _of_application(body: bytes) -> bytes:
    """What is kept of a program's segment: what a reader needs for the colours."""
    if body.startswith(_JFIF) and len(body) >= _JFIF_SIZE:
        return body[: _JFIF_SIZE - 2] + b"\0\0"
    return body if body.startswith((_ICC, _ADOBE)) else b""


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body
