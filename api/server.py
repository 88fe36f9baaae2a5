"""Serves the application: the body of the ``siaga api`` role."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Generator

import uvicorn
from fastapi import FastAPI

from api.app import create_app
from api.feed.line import Line
from api.services import Services
from incidents.store import Store
from plumbing.bus import Bus
from plumbing.clock import Clock, SystemClock
from plumbing.logs import get_logger
from plumbing.settings import ApiSettings, Settings

GRACE_S = 2
"""How long open requests may take to finish once the server was told to stop."""
LARGEST_MESSAGE = 64 * 1024
"""Readers of the feed have nothing to say; one that sends more is cut off."""
BACKLOG = 2048
"""A whole city's readers may come back in the same second."""

_log = get_logger(__name__)


class ServeError(Exception):
    """The address can't be listened on; the message says which and why."""


def listen(settings: ApiSettings) -> socket.socket:
    """Bind the configured address; port 0 takes a free one.

    Raises:
        ServeError: it is taken, not ours, or may not be bound.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((settings.host, settings.port))
    except OSError as error:
        bound.close()
        raise ServeError(
            f"can't listen on {settings.host} port {settings.port}: {error.strerror}; "
            "set api.host and api.port to an address of this machine that is free"
        ) from error
    return bound


def url_of(bound: socket.socket) -> str:
    """Where a browser finds it."""
    host, port = bound.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{shown}:{port}"


@contextlib.asynccontextmanager
async def served(app: FastAPI, bound: socket.socket) -> AsyncIterator[str]:
    """Serve while the context lasts; yields the address once it answers.

    At the end it takes no more requests, lets running ones finish for `GRACE_S`, closes the feed's
    connections with 1012 ("come back"), and ends its event streams.
    """
    server = _Server(_configuration(app))
    task = asyncio.create_task(server.serve(sockets=[bound]))
    try:
        await _until_started(server, task)
        yield url_of(bound)
    finally:
        services: Services = app.state.services
        services.readers.stopping.set()
        server.should_exit = True
        await task


async def serve(
    settings: Settings,
    stop: asyncio.Event,
    on_ready: Callable[[str], None] = lambda _url: None,
    clock: Clock | None = None,
) -> None:
    """The whole role: open the database and the bus, serve until ``stop`` is set, close them.

    ``on_ready`` is told the address, once, when it answers. ``clock`` is the machine's where none
    is given.

    Raises:
        ServeError: no bus is configured, the address can't be listened on, or the application
            didn't start.
        StoreUnusable: the database can't be used.
    """
    if settings.bus.url is None:
        raise ServeError("bus.url is not set: the API needs the address of the bus that all share")
    clock = clock or SystemClock()
    with listen(settings.api) as bound:
        async with Bus(settings.bus.url, settings.bus.namespace, settings.bus.max_backlog) as bus:
            store = await Store.open(settings.database_url, clock)
            try:
                app = create_app(settings, store, bus, clock=clock)
                async with served(app, bound) as url:
                    _log.info("api is ready", url=url)
                    on_ready(url)
                    await stop.wait()
            finally:
                await store.close()


class _Server(uvicorn.Server):
    """uvicorn's server, which leaves signals to the role that runs it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Capture none."""
        yield


def _configuration(app: FastAPI) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="on",
        ws=Line,
        ws_max_size=LARGEST_MESSAGE,
        ws_ping_interval=20.0,
        ws_ping_timeout=20.0,
        # The feed's frames are the same bytes for everybody; compressed ones wouldn't be.
        ws_per_message_deflate=False,
        backlog=BACKLOG,
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=GRACE_S,
        h11_max_incomplete_event_size=64 * 1024,
        proxy_headers=False,
    )


async def _until_started(server: uvicorn.Server, task: asyncio.Task[None]) -> None:
    while not server.started:
        if task.done():
            await task
            raise ServeError("the application did not start; its log says why")
        await asyncio.sleep(0.01)
