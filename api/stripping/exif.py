"""The one thing of Exif that a picture needs: how to turn it (Exif 3.0, 4.6.5.1.6)."""

from __future__ import annotations

import struct

_ORIENTATION = 0x0112
_SHORT = 3
_UPRIGHT = 1
_LAST = 8


def orientation_of(tiff: bytes) -> int:
    """How to turn the picture, 1 (as it is) to 8; 1 where it doesn't say, or can't be read."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return _UPRIGHT
    try:
        (start,) = struct.unpack_from(f"{order}I", tiff, 4)
        (entries,) = struct.unpack_from(f"{order}H", tiff, start)
        for number in range(entries):
            tag, kind, count, value = struct.unpack_from(
                f"{order}HHIH", tiff, start + 2 + 12 * number
            )
            if (tag, kind, count) == (_ORIENTATION, _SHORT, 1):
                return value if _UPRIGHT <= value <= _LAST else _UPRIGHT
    except struct.error:
        pass
    return _UPRIGHT


def only_orientation(tiff: bytes) -> bytes:
    """The same Exif with nothing but how to turn the picture; empty where it stands upright."""
    found = orientation_of(tiff)
    if found == _UPRIGHT:
        return b""
    return b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, _ORIENTATION, _SHORT, 1, found, 0, 0)
