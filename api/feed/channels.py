"""Followers with one filter share one channel: what passes is put together once for all of them.

A channel holds the followers that are level with the log. Each growth is one frame, the same bytes
for everybody whose last change was the same; that differs only between those who have just joined
and the rest, and never in a channel without a filter. A follower whose line is full when its turn
comes leaves the channel with its place, and catches up by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from api.wire import EncodedEntry, changes_message
from incidents.log import LogFilter


class Lagging(Protocol):
    """A connection that reads behind the log's end."""

    @property
    def cursor(self) -> int:
        """Everything up to here has been sent to it or filtered out."""
        ...

    def overrun(self) -> None:
        """What it still has to catch up with is no longer at hand; called once."""
        ...


class Follower(Lagging, Protocol):
    """A connection that can be level with the log, and has no place of its own then."""

    def offer(self, frame: bytes) -> bool:
        """Send a frame at once; false, and nothing is sent, where its line has no room."""
        ...

    def fall_behind(self, cursor: int, told: int) -> None:
        """It is level no longer: everything after ``cursor`` is to be caught up with, and the last
        change that it was told of is ``told``."""
        ...


class Channel:
    """The level followers of one filter, and the last change that they were told of."""

    def __init__(self, only: LogFilter, cursor: int, frame: Callable[[bytes], bytes]) -> None:
        """
        Args:
            only: what they want to see.
            cursor: the log's end now.
            frame: wraps a message for the line.
        """
        self._only = only
        self._frame = frame
        self._told = cursor
        self._level: dict[Follower, None] = {}
        self._fresh: dict[Follower, int] = {}
        """Those whose last change was another one, and which; until their next one."""

    def __len__(self) -> int:
        return len(self._level) + len(self._fresh)

    def join(self, follower: Follower, told: int) -> None:
        """From now on ``follower``, whose last change was ``told``, is level."""
        if told == self._told:
            self._level[follower] = None
        else:
            self._fresh[follower] = told

    def leave(self, follower: Follower) -> None:
        """The opposite of `join`; harmless for a stranger."""
        self._level.pop(follower, None)
        self._fresh.pop(follower, None)

    def drop_all(self, cursor: int) -> list[Follower]:
        """Everybody falls behind: the log has a hole after ``cursor``."""
        dropped = {**dict.fromkeys(self._level, self._told), **self._fresh}
        self._level.clear()
        self._fresh.clear()
        for follower, told in dropped.items():
            follower.fall_behind(cursor, told)
        return list(dropped)

    def hand_over(self, entries: Sequence[EncodedEntry], cursor: int) -> list[Follower]:
        """Tell everybody what passes of the entries after ``cursor``; returns who fell behind."""
        passing = [entry for entry in entries if self._only.passes(entry, entry.tags)]
        if not passing:
            return []
        told = self._told
        self._told = passing[-1].seq
        slow: list[Follower] = []
        if self._level:
            frame = self._frame(changes_message(passing, told))
            slow = [follower for follower in self._level if not follower.offer(frame)]
        for follower in slow:
            del self._level[follower]
            follower.fall_behind(cursor, told)
        return slow + self._bring_level(passing, cursor)

    def _bring_level(self, passing: Sequence[EncodedEntry], cursor: int) -> list[Follower]:
        slow: list[Follower] = []
        frames: dict[int, bytes] = {}
        for follower, told in self._fresh.items():
            if told not in frames:
                frames[told] = self._frame(changes_message(passing, told))
            if follower.offer(frames[told]):
                self._level[follower] = None
            else:
                slow.append(follower)
                follower.fall_behind(cursor, told)
        self._fresh.clear()
        return slow

    def ping(self, frame: bytes) -> None:
        """Show everybody that the line is alive."""
        for follower in (*self._level, *self._fresh):
            # Who has no room is shown as much by what it hasn't read.
            follower.offer(frame)
