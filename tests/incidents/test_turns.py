"""Writers get their turns: those of one process in order, each of several processes its share."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from incidents.store import Store
from incidents.turns import Turns
from plumbing.clock import SystemClock
from tests.incidents.forks import Forks
from tests.incidents.test_database import chain


async def test_eight_processes_that_write_at_once_are_all_heard(
    any_url: str, forks: Forks, tmp_path: Path
) -> None:
    names = "abcdefgh"
    outs = {name: tmp_path / name for name in names}
    # They open and migrate the empty database at once, too.
    writers = [forks.start("hammer", any_url, name, 15, out=outs[name]) for name in names]
    store = await Store.open(any_url, SystemClock())
    while any(forks.is_alive(writer) for writer in writers):  # noqa: ASYNC110 - other processes
        await asyncio.sleep(0.01)
    heard = {name: out.read_text().split("\n") for name, out in outs.items()}
    assert {name: len(lines) - 1 for name, lines in heard.items()} == dict.fromkeys(names, 15)
    entries = await store.log.after(0, limit=1000)
    chain(entries)
    assert len(entries) == 8 * (1 + 15 + 15)
    reports = await store.reports.after(0, limit=1000)
    assert [report.seq for report in reports] == list(range(1, 8 * 15 + 1))
    assert {f"accepted {report.id}" for report in reports} == {
        line for lines in heard.values() for line in lines if line
    }
    assert (await store.audit.verify()).holds
    await store.close()


async def test_who_writes_again_and_again_lets_the_others_in(tmp_path: Path) -> None:
    path = tmp_path / "siaga.sqlite3"
    greedy, modest = Turns(path, 15), Turns(path, 15)
    taken: list[str] = []

    async def write(turns: Turns, name: str, times: int) -> None:
        for _ in range(times):
            async with turns.one():
                taken.append(name)
                await asyncio.sleep(0.005)

    again = asyncio.create_task(write(greedy, "greedy", 10_000))
    while len(taken) < 5:  # noqa: ASYNC110 - a list is a plain value
        await asyncio.sleep(0)
    await write(modest, "modest", 20)
    again.cancel()
    await asyncio.gather(again, return_exceptions=True)
    between = "".join(one[0] for one in taken).split("m")[1:-1]
    assert len(between) == 19
    assert sum(map(len, between)) <= 3 * len(between), between
    greedy.close()
    modest.close()


async def test_writers_of_one_process_come_in_the_order_that_they_asked(tmp_path: Path) -> None:
    turns = Turns(tmp_path / "siaga.sqlite3", 15)
    taken: list[int] = []

    async def write(number: int) -> None:
        async with turns.one():
            await asyncio.sleep(0)
            taken.append(number)

    await asyncio.gather(*map(write, range(50)))
    assert taken == list(range(50))
    turns.close()


async def test_who_gives_up_or_is_stopped_keeps_nobody_from_his_turn(tmp_path: Path) -> None:
    path = tmp_path / "siaga.sqlite3"
    slow, hasty, third = Turns(path, 15), Turns(path, 0.05), Turns(path, 15)
    async with slow.one():
        with pytest.raises(OperationalError, match="another process has been writing for"):
            async with hasty.one():
                pass
        waiting = asyncio.create_task(third.one().__aenter__())
        await asyncio.sleep(0.02)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    for turns in (hasty, third, slow):
        async with turns.one():
            pass
        turns.close()


async def test_a_process_that_dies_in_its_turn_leaves_it_to_the_next(
    sqlite_url: str, forks: Forks, tmp_path: Path
) -> None:
    store = await Store.open(sqlite_url, SystemClock())
    out = tmp_path / "accepted.txt"
    writer = forks.start("hammer", sqlite_url, "w", 100_000, out=out)
    while not out.exists() or not out.read_text():  # noqa: ASYNC110 - another process
        await asyncio.sleep(0.005)
    os.kill(writer, signal.SIGSTOP)
    forks.kill(writer)
    await store.touch()
    chain(await store.log.after(0, limit=10_000))
    await store.close()
