"""The processes of the feed's benchmark, and what is asked of them over their pipes."""

from __future__ import annotations

import asyncio
import multiprocessing
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

from bench.feed_readers import Findings, read_in_process

READER_PROCESSES = 2
PATIENCE_S = 60.0
_spawn = multiprocessing.get_context("spawn")


@contextmanager
def process(body: Callable[..., None], *arguments: Any) -> Iterator[Connection]:
    """A process that runs ``body(its end of a pipe, *arguments)``; yields our end."""
    ours, theirs = _spawn.Pipe()
    process = _spawn.Process(target=body, args=(theirs, *arguments))
    process.start()
    theirs.close()
    try:
        yield ours
    finally:
        if process.is_alive():
            ours.send("end")
        process.join(10)
        if process.is_alive():
            process.kill()
            process.join()


@contextmanager
def readers(count: int, url: str, headers: dict[str, str]) -> Iterator[list[Connection]]:
    """As many readers, shared out among processes."""
    half = count // READER_PROCESSES
    shares = [half] * (READER_PROCESSES - 1)
    shares.append(count - sum(shares))
    with (
        process(read_in_process, url, headers, shares[0]) as one,
        process(read_in_process, url, headers, shares[1]) as two,
    ):
        yield [one, two]


async def heard(pipe: Connection) -> Any:
    """The next thing said over a pipe; EOFError where the process has ended instead."""
    return await asyncio.to_thread(pipe.recv)


async def all_open(readers: list[Connection]) -> None:
    """Wait until every reader has had its snapshot."""
    await asyncio.gather(*map(heard, readers))


async def cpu(server: Connection) -> float:
    """Seconds that a server's process has used."""
    server.send("cpu")
    return float(await heard(server))


async def findings(readers: list[Connection], seq: int) -> Findings:
    """What all have seen since they were last asked, once they have come to ``seq``."""
    for reader in readers:
        reader.send(("findings", seq, PATIENCE_S))
    found: list[Findings] = await asyncio.gather(*map(heard, readers))
    delays = array("d")
    for one in found:
        delays.extend(one.delays_s)
    return Findings(
        received=sum(one.received for one in found),
        out_of_order=sum(one.out_of_order for one in found),
        closed=sum(one.closed for one in found),
        last_at_s=max(one.last_at_s for one in found),
        delays_s=delays,
    )
