"""MP4 (ISO/IEC 14496-12): boxes within boxes, whose places others name by number of bytes. So what
is taken out becomes free space of the same size."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from api.stripping.refusal import NotWhole

_WRITTEN_BESIDE = frozenset({b"udta", b"meta", b"uuid"})
_LOOKED_INTO = frozenset({b"moov", b"trak", b"moof", b"traf"})
_METADATA = b"meta"
"""The handler of a track that tells where the phone was, picture by picture."""


@dataclass(frozen=True, slots=True)
class _Box:
    """A name, and where its head, its body and its end stand."""

    name: bytes
    start: int
    body: int
    end: int


def strip_mp4(content: bytes) -> bytes:
    """Blank what phones and programs write beside the video: place, time, device, owner.

    Raises:
        NotWhole: it is no MP4.
    """
    boxes = list(_boxes(content, 0, len(content)))
    if not {b"ftyp", b"moov"} <= {box.name for box in boxes}:
        raise NotWhole("it is no whole MP4: its head is missing")
    changed = bytearray(content)
    while boxes:
        box = boxes.pop()
        if box.name in _WRITTEN_BESIDE or _is_metadata_track(content, box):
            changed[box.start + 4 : box.start + 8] = b"free"
            changed[box.body : box.end] = bytes(box.end - box.body)
        elif box.name in _LOOKED_INTO:
            boxes += _boxes(content, box.body, box.end)
    return bytes(changed)


def _boxes(content: bytes, start: int, end: int) -> Iterator[_Box]:
    """Those that lie between two places, up to one that is cut short."""
    while start + 8 <= end:
        size, name = struct.unpack_from(">I4s", content, start)
        body = start + 8
        if size == 1:
            size, body = int.from_bytes(content[start + 8 : start + 16], "big"), start + 16
        elif size == 0:
            size = end - start
        if size < body - start or start + size > end:
            return
        yield _Box(name, start, body, start + size)
        start += size


def _is_metadata_track(content: bytes, track: _Box) -> bool:
    if track.name != b"trak":
        return False
    return any(
        # After version, flags and a field that is zero.
        content[handler.body + 8 : handler.body + 12] == _METADATA
        for media in _boxes(content, track.body, track.end)
        if media.name == b"mdia"
        for handler in _boxes(content, media.body, media.end)
        if handler.name == b"hdlr"
    )
