"""Follow the feed from Python: every change once, in order, across lost connections and restarts.

    async for item in follow_feed("http://127.0.0.1:8112", key="siaga_..."):
        match item:
            case Snapshot(): ...      # forget what you knew; this is how things are
            case Change(): ...        # one change, in order, none left out
            case Gap(): ...           # the log has lost what you missed; a Snapshot follows

Life: connect, resume after the last change that was handed out, hand out what comes; when the
connection ends, wait (longer each time, with jitter, and from the start again after a connection
that worked) and connect anew. It ends by raising only what retrying can't mend: `FeedRefused`.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import websockets
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, InvalidURI, WebSocketException

CLOSE_GONE = 4410
CLOSE_SIGNED_OUT = 4401
LARGEST_MESSAGE = 64 * 1024 * 1024
"""A snapshot of a large city; changes are far smaller."""
SILENCE_S = 20.0
"""The server speaks every 5 s at least; after this long without a word the line is dead."""

Plain = dict[str, Any]


class FeedRefused(Exception):
    """The server won't have us: wrong key, no right to the feed, or no feed at this address.

    Attributes:
        status: the HTTP status, or the websocket's close code.
    """

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(f"the feed refused ({status}): {detail}")
        self.status = status


class FeedBroken(Exception):
    """The server broke the feed's law: a change is missing between two that came."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How things were right after entry ``seq``; the members are the wire's plain JSON values."""

    seq: int
    incidents: list[Plain]
    cameras: list[Plain]
    calls: list[Plain]
    units: list[Plain]
    shelves: list[Plain]
    desk_load: Plain | None = None
    """How many alarms the desk is given, as it was told last."""


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the log; ``subject`` is the whole noun as it was after the change."""

    seq: int
    kind: str
    subject_id: str
    actor: str
    recorded_at: str
    exercise: bool
    detail: str
    subject: Plain


@dataclass(frozen=True, slots=True)
class Gap:
    """What came after ``after`` is lost to the log's retention; a `Snapshot` follows."""

    after: int


Item = Snapshot | Change | Gap


@dataclass(frozen=True, slots=True)
class Waits:
    """How long to wait between connections, in seconds."""

    first_s: float = 0.2
    longest_s: float = 15.0

    def before(self, attempt: int) -> float:
        """Before the ``attempt``-th try in a row (from 1): doubling, half of it by chance."""
        wait_s = min(self.longest_s, self.first_s * 2.0 ** min(attempt - 1, 30))
        return wait_s * (0.5 + random.random() / 2)  # noqa: S311 - spreads readers, no secret


async def follow_feed(
    url: str,
    *,
    key: str | None = None,
    cookie: str | None = None,
    after: int | None = None,
    only: Mapping[str, Sequence[str]] | None = None,
    waits: Waits = Waits(),
) -> AsyncGenerator[Item]:
    """Every change, once and in order, for as long as it is iterated; `aclose` hangs up.

    Args:
        url: the server's address, ``http://host:port`` or ``https://host/behind/a/proxy``.
        key: a machine's key, or
        cookie: a session's token.
        after: the last change that is known already; none starts with a `Snapshot`.
        only: what to follow, such as ``{"hazard": ["fire"], "area": ["Bekasi Timur"]}``; see
            docs/api.md. Nothing lets all through.
        waits: between connections.

    Raises:
        FeedRefused: see there.
        FeedBroken: likewise; resume with ``after`` to be sure.
    """
    cursor = after
    attempt = 0
    while True:
        try:
            async with _connect(url, key, cookie, cursor, only or {}) as connection:
                async for item in _items(connection, cursor):
                    attempt = 0
                    cursor = item.seq
                    yield item
        except ConnectionClosed as closed:
            code = closed.rcvd.code if closed.rcvd else 1006
            if code == CLOSE_SIGNED_OUT:
                raise FeedRefused(code, "the session or key was revoked") from closed
            if code == CLOSE_GONE:
                yield Gap(after=cursor or 0)
                cursor = None
        except InvalidStatus as refusal:
            status = refusal.response.status_code
            # What the server can't do now it may do later; what it forbids it will forbid again.
            if status < 500 and status != 429:
                raise FeedRefused(status, _reason(refusal.response.body)) from refusal
        except InvalidURI as error:
            raise FeedRefused(400, f"{url!r} is no address") from error
        except (OSError, TimeoutError, WebSocketException):
            # The server is away or its answer is no websocket's; the wait below grows.
            pass
        attempt += 1
        await asyncio.sleep(waits.before(attempt))


def _connect(
    url: str,
    key: str | None,
    cookie: str | None,
    cursor: int | None,
    only: Mapping[str, Sequence[str]],
) -> connect:
    parts = urlsplit(url)
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
    wishes = [(name, value) for name, values in only.items() for value in values]
    query = urlencode([*wishes, *([] if cursor is None else [("after", str(cursor))])])
    headers: dict[str, str] = {}
    if key is not None:
        headers["Authorization"] = f"Bearer {key}"
    if cookie is not None:
        headers["Cookie"] = f"siaga_session={cookie}"
    return websockets.connect(
        urlunsplit((scheme, parts.netloc, f"{parts.path.rstrip('/')}/ws/v1/feed", query, "")),
        additional_headers=headers,
        compression=None,
        max_size=LARGEST_MESSAGE,
        open_timeout=10,
        close_timeout=2,
        user_agent_header="siaga-feed-client",
    )


async def _items(
    connection: ClientConnection, cursor: int | None
) -> AsyncIterator[Snapshot | Change]:
    while True:
        async with asyncio.timeout(SILENCE_S):
            message = json.loads(await connection.recv())
        if message["type"] == "snapshot":
            cursor = message["seq"]
            yield Snapshot(
                cursor,
                message["incidents"],
                message["cameras"],
                message["calls"],
                message.get("units", []),
                message.get("shelves", []),
                message.get("desk_load"),
            )
        for plain in _changes(message):
            if plain["prev_seq"] != cursor:
                raise FeedBroken(f"change {plain['seq']} follows {plain['prev_seq']}, not {cursor}")
            cursor = plain["seq"]
            yield _change(plain)


def _changes(message: Plain) -> Iterator[Plain]:
    if message["type"] == "change":
        yield message
    elif message["type"] == "changes":
        yield from message["items"]


def _change(plain: Plain) -> Change:
    return Change(
        seq=plain["seq"],
        kind=plain["kind"],
        subject_id=plain["subject_id"],
        actor=plain["actor"],
        recorded_at=plain["recorded_at"],
        exercise=plain["exercise"],
        detail=plain["detail"],
        subject=plain["subject"],
    )


def _reason(body: bytes | bytearray | None) -> str:
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        return "no reason given"
    return str(found.get("detail", "no reason given")) if isinstance(found, dict) else ""
