"""The two servers that are compared, each in a process of its own.

Both answer over a pipe: first their address, then to ``"cpu"`` the seconds of CPU they have used,
and ``"end"`` ends them.
"""

from __future__ import annotations

import asyncio
import time
from multiprocessing.connection import Connection

from websockets.asyncio.server import ServerConnection, broadcast, serve

from api.server import serve as serve_api
from plumbing.clock import Clock, SystemClock
from plumbing.logs import configure_logging
from plumbing.settings import Settings


def api_in_process(pipe: Connection, settings: Settings, clock: Clock | None = None) -> None:
    """The API role as it runs in earnest; ``clock`` is the machine's where none is given."""
    configure_logging("warning")

    async def live() -> None:
        stop = asyncio.Event()
        role = asyncio.create_task(serve_api(settings, stop, pipe.send, clock or SystemClock()))
        answering = asyncio.create_task(_answer(pipe, None))
        await asyncio.wait({role, answering}, return_when=asyncio.FIRST_COMPLETED)
        stop.set()
        await role

    asyncio.run(live())


def bare_in_process(pipe: Connection) -> None:
    """Nothing but `websockets.broadcast`: what is said over the pipe is sent to everybody."""

    async def live() -> None:
        connections: set[ServerConnection] = set()

        async def handle(connection: ServerConnection) -> None:
            await connection.send('{"type":"snapshot","seq":0}')
            connections.add(connection)
            try:
                await connection.wait_closed()
            finally:
                connections.discard(connection)

        async with serve(
            handle, "127.0.0.1", 0, compression=None, backlog=2048, open_timeout=60
        ) as server:
            port = server.sockets[0].getsockname()[1]
            pipe.send(f"http://127.0.0.1:{port}")
            await _answer(pipe, connections)

    asyncio.run(live())


async def _answer(pipe: Connection, connections: set[ServerConnection] | None) -> None:
    while (question := await asyncio.to_thread(pipe.recv)) != "end":
        if question == "cpu":
            pipe.send(time.process_time())
        elif connections is not None:
            broadcast(connections, question)
