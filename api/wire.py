"""The bytes that go out: nouns and lists of them, and the feed's messages.

A change is encoded once and sent to many, so messages are put together from encoded parts; only
``prev_seq`` differs from reader to reader, and stands where it can be filled in.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.responses import Response

from contracts import Call, DeskLoad, Incident, LogEntry, LogKind, Shelf, Unit, to_json

JSON = "application/json"


def answer(body: bytes, status: int = 200, **headers: str) -> Response:
    """Encoded JSON as an answer."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(body, status_code=status, media_type=JSON, headers=named)


def plain(value: Any) -> bytes:
    """Plain JSON values, encoded."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def array(items: Iterable[bytes]) -> bytes:
    """Encoded items as one JSON array."""
    return b"[" + b",".join(items) + b"]"


def members(**parts: bytes) -> bytes:
    """Encoded parts as one JSON object."""
    inner = b",".join(b'"%b":%b' % (name.encode(), part) for name, part in parts.items())
    return b"{" + inner + b"}"


@dataclass(frozen=True, slots=True)
class EncodedEntry:
    """One entry of the log, encoded but for the reader's ``prev_seq``."""

    seq: int
    recorded_at: datetime
    kind: LogKind
    subject_id: str
    exercise: bool
    tags: str
    """What filters look at (`incidents.tags`)."""
    _after_prev_seq: bytes
    chained: bytes
    """The whole change for a reader who has seen the entry right before this one."""

    def after(self, prev_seq: int) -> bytes:
        """The whole change for a reader whose last one was ``prev_seq``."""
        if prev_seq == self.seq - 1:
            return self.chained
        return _change(self.seq, prev_seq, self._after_prev_seq)


def _change(seq: int, prev_seq: int, rest: bytes) -> bytes:
    return b'{"type":"change","seq":%d,"prev_seq":%d,%b' % (seq, prev_seq, rest)


def encode_entry(entry: LogEntry, tags: str = "") -> EncodedEntry:
    """Encode an entry for everybody who will be sent it."""
    # The noun's own encoding starts {"seq":N, and the feed says seq and prev_seq before the rest.
    rest = to_json(entry).removeprefix(b'{"seq":%d,' % entry.seq)
    chained = _change(entry.seq, entry.seq - 1, rest)
    return EncodedEntry(
        entry.seq,
        entry.recorded_at,
        entry.kind,
        entry.subject_id,
        entry.exercise,
        tags,
        rest,
        chained,
    )


def changes_message(entries: Sequence[EncodedEntry], prev_seq: int) -> bytes:
    """One message for one or more entries in order, the first of which follows ``prev_seq``."""
    parts: list[bytes] = []
    for entry in entries:
        parts.append(entry.after(prev_seq))
        prev_seq = entry.seq
    if len(parts) == 1:
        return parts[0]
    return b'{"type":"changes","items":' + array(parts) + b"}"


def snapshot_message(
    seq: int,
    incidents: Iterable[Incident],
    cameras: Iterable[bytes],
    calls: Iterable[Call],
    units: Iterable[Unit] = (),
    shelves: Iterable[Shelf] = (),
    desk_load: DeskLoad | None = None,
) -> bytes:
    """The state of things as it was right after entry ``seq``; cameras come encoded."""
    return members(
        type=b'"snapshot"',
        seq=b"%d" % seq,
        incidents=array(map(to_json, incidents)),
        cameras=array(cameras),
        calls=array(map(to_json, calls)),
        units=array(map(to_json, units)),
        shelves=array(map(to_json, shelves)),
        desk_load=b"null" if desk_load is None else to_json(desk_load),
    )


def ping_message(seq: int, at: datetime) -> bytes:
    """Nothing has changed since ``seq``, and the line is alive."""
    return b'{"type":"ping","seq":%d,"at":"%b"}' % (seq, at.isoformat().encode())
