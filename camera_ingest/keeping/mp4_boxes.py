"""The boxes that an MP4 file is made of (ISO/IEC 14496-12), as bytes."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from camera_ingest.keeping.parameter_sets import TrackFormat

TICKS_PER_S = 90_000
"""All times in our files."""
_EPOCH = datetime(1904, 1, 1, tzinfo=UTC)
_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)


def box(kind: bytes, *parts: bytes) -> bytes:
    """A box of its kind, around its parts."""
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def full_box(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    """A box with a version and flags (4.2)."""
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


def runs_box(kind: bytes, form: str, runs: Sequence[tuple[int, int]], version: int = 0) -> bytes:
    """A table of runs, each packed by ``form`` (8.6.1)."""
    body = b"".join(struct.pack(form, *run) for run in runs)
    return full_box(kind, version, 0, struct.pack(">I", len(runs)), body)


def _since_1904(at: datetime) -> int:
    return int((at - _EPOCH).total_seconds())


def movie_header(start: datetime, duration: int) -> bytes:
    """``mvhd`` (8.2.2): one track, as many ticks long."""
    at = _since_1904(start)
    return full_box(
        b"mvhd",
        1,
        0,
        struct.pack(">QQIQ", at, at, TICKS_PER_S, duration),
        struct.pack(">IH", 0x10000, 0x100),
        bytes(10),
        _MATRIX,
        bytes(24),
        struct.pack(">I", 2),
    )


def track(described: TrackFormat, start: datetime, duration: int, table: bytes) -> bytes:
    """``trak`` (8.3.1) of a camera's video, with its sample table."""
    at = _since_1904(start)
    size = struct.pack(">II", described.width_px << 16, described.height_px << 16)
    return box(
        b"trak",
        full_box(
            b"tkhd",
            1,
            3,
            struct.pack(">QQIIQ", at, at, 1, 0, duration),
            bytes(16),
            _MATRIX,
            size,
        ),
        box(
            b"mdia",
            full_box(
                b"mdhd", 1, 0, struct.pack(">QQIQHH", at, at, TICKS_PER_S, duration, 0x55C4, 0)
            ),
            full_box(b"hdlr", 0, 0, bytes(4), b"vide", bytes(12), b"camera\0"),
            box(
                b"minf",
                full_box(b"vmhd", 0, 1, bytes(8)),
                box(
                    b"dinf",
                    full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1)),
                ),
                table,
            ),
        ),
    )


def sample_description(described: TrackFormat) -> bytes:
    """``stsd`` (8.5.2): how the decoder is set up."""
    kind, content = described.configuration
    entry = box(
        described.sample_entry,
        struct.pack(">6xH16x", 1),
        struct.pack(">HH", described.width_px, described.height_px),
        struct.pack(">IIIH", 0x480000, 0x480000, 0, 1),
        bytes(32),
        struct.pack(">Hh", 24, -1),
        box(kind, content),
    )
    return full_box(b"stsd", 0, 0, struct.pack(">I", 1), entry)


def named_values(values: Mapping[str, str]) -> bytes:
    """Named values, as QuickTime keeps them and FFmpeg reads them."""
    keys = b"".join(box(b"mdta", key.encode()) for key in values)
    items = b"".join(
        box(struct.pack(">I", n), box(b"data", struct.pack(">II", 1, 0), value.encode()))
        for n, value in enumerate(values.values(), 1)
    )
    return box(
        b"meta",
        full_box(b"hdlr", 0, 0, bytes(4), b"mdta", bytes(13)),
        full_box(b"keys", 0, 0, struct.pack(">I", len(values)), keys),
        box(b"ilst", items),
    )
