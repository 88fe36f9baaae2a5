"""The turn to write: within a process in the order of asking, and fair between the processes of one
SQLite file.

SQLite's own waiting is a poll with growing pauses: who has waited longest looks most seldom, and on
a busy machine somebody is refused in the end though everybody's transactions are short. So our
processes queue at two locked files beside the database. Who writes holds one, who is next the
other, so that who has written and wants to again finds that place taken; and all who want it look
equally often. The kernel lets both files go when a process dies.

They are for order alone. What keeps two from writing at once is SQLite's lock, so a program that
knows nothing of the files, or a file that somebody deletes, makes the waiting worse and nothing
wrong.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import random
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

from sqlalchemy.exc import OperationalError

_PAUSE_S = 0.002
"""Between two looks, the same however long one has waited: at most about as long as a turn takes,
so that who comes back at once doesn't find the place of the next free time and again."""
_PAUSE_OF_NEXT_S = 0.001
"""Who is next looks alone, and nobody writes between the end of a turn and his look."""


class Turns:
    """Gives the writers of this process their turns, one after another.

    Args:
        path: the SQLite file that other processes write, too; none where the database itself
            queues its writers (PostgreSQL).
        longest_wait_s: after that a writer gives up. Ours take milliseconds; a longer wait means a
            process that hangs, and an error is the better answer then.
    """

    def __init__(self, path: Path | None, longest_wait_s: float) -> None:
        self._here = asyncio.Lock()
        self._longest_wait_s = longest_wait_s
        self._files = None if path is None else _opened(path)

    @contextlib.asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """A turn: wait for it, have it, give it to the next.

        Raises:
            OperationalError: another process keeps it.
        """
        async with self._here:
            if self._files is None:
                yield
                return
            following, turn = self._files
            until_s = asyncio.get_running_loop().time() + self._longest_wait_s
            async with contextlib.AsyncExitStack() as mine:
                async with self._locked(following, _PAUSE_S, until_s):
                    mine_now = self._locked(turn, _PAUSE_OF_NEXT_S, until_s)
                    await mine.enter_async_context(mine_now)
                yield

    @contextlib.asynccontextmanager
    async def _locked(self, file: int, pause_s: float, until_s: float) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        while not _locks(file):
            if loop.time() > until_s:
                why = f"another process has been writing for {self._longest_wait_s:g} s"
                raise OperationalError("BEGIN IMMEDIATE", {}, sqlite3.OperationalError(why))
            # By chance, so that no two look in step for ever.
            chance = random.uniform(0.5, 1.5)  # noqa: S311 - no secret
            await asyncio.sleep(pause_s * chance)
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the files; nobody may have the turn."""
        for file in self._files or ():
            os.close(file)
        self._files = None


def _opened(path: Path) -> tuple[int, int]:
    """The two files; a lock belongs to this opening of them, and goes when it is closed."""
    # To be read by all: root's command line and the service's account queue together, and who may
    # go into the folder is the folder's business.
    how = os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC
    following, turn = (
        os.open(path.with_name(f"{path.name}-{end}"), how, 0o644) for end in ("next", "turn")
    )
    return following, turn


def _locks(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
