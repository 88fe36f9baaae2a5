"""What lies between a reader's place and the end of the log, from the ring or the database."""

from __future__ import annotations

from api.feed.hub import PAGE, Feed, LogSource
from api.wire import EncodedEntry, encode_entry
from incidents.log import EVERYTHING, LogFilter


class PlaceGone(Exception):
    """The log no longer (or not yet) has the place that a reader asked for."""


async def entries_after(
    feed: Feed, source: LogSource, cursor: int, only: LogFilter
) -> tuple[list[EncodedEntry], int]:
    """Some of what passes after ``cursor``, which lies before the feed's; and how far that reaches.

    Raises:
        PlaceGone: retention has passed the cursor.
    """
    if feed.reaches(cursor):
        ring = feed.after(cursor)
        return [entry for entry in ring if only.passes(entry, entry.tags)], ring[-1].seq
    async with feed.database_turns:
        found, looked_to = await source.scan(cursor, PAGE, only)
        is_chained = only == EVERYTHING and found and found[0].entry.seq == cursor + 1
        if not is_chained and await source.oldest_seq() > cursor + 1:
            raise PlaceGone
    # No farther than the feed: what lies beyond it comes through it.
    entries = [encode_entry(one.entry, one.tags) for one in found if one.entry.seq <= feed.cursor]
    return entries, min(looked_to, feed.cursor)


async def is_kept(feed: Feed, source: LogSource, after: int) -> bool:
    """Whether a reader can go on after this place."""
    if feed.reaches(after):
        return True
    async with feed.database_turns:
        if after > feed.cursor and after > await source.last_seq():
            return False
        return after >= await source.oldest_seq() - 1
