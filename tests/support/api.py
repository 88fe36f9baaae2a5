"""A running API: the real application on a real server, with a real database file and bus."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx

from api.app import create_app
from api.server import listen, served
from incidents.people.accounts import Role
from incidents.store import Store
from plumbing.bus import Bus
from plumbing.clock import Clock, SystemClock
from plumbing.settings import Settings, load_settings
from tests.support.store import copy_tables

T = TypeVar("T")

PLAIN_HTTP = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Unused on plain HTTP; a client that makes its own reads all the machine's certificates first."""

USERNAME = "ani"
PASSWORD = "a long sentence for tests"


@dataclass
class RunningApi:
    """A served application and its parts."""

    url: str
    settings: Settings
    store: Store
    bus: Bus
    keys: dict[Role, str]

    @property
    def feed_url(self) -> str:
        return self.url.replace("http://", "ws://") + "/ws/v1/feed"

    def headers(self, role: Role = Role.SUPERVISOR) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.keys[role]}"}

    @asynccontextmanager
    async def client(self, role: Role | None = Role.SUPERVISOR) -> AsyncIterator[httpx.AsyncClient]:
        headers = self.headers(role) if role else {}
        async with httpx.AsyncClient(
            base_url=self.url, headers=headers, timeout=20, verify=PLAIN_HTTP
        ) as client:
            yield client

    @asynccontextmanager
    async def other_process(self) -> AsyncIterator[Store]:
        """The same database as another process has it: nothing but the file in common."""
        store = await Store.open(self.settings.database_url, SystemClock())
        try:
            yield store
        finally:
            await store.close()


def api_settings(data_dir: Path, **changes: object) -> Settings:
    """Settings with everything in one folder and a free port; ``api__feed_queue=10`` and so on."""
    values: dict[str, object] = {
        "data_dir": data_dir,
        "api__port": 0,
        "ingest__allow_private": "[127.0.0.0/8]",
        # Tests ask as fast as they can.
        "api__requests_per_s": 0,
        "api__strangers_per_s": 0,
        "evidence__min_free_bytes": 0,
        **changes,
    }
    return load_settings(None, {f"SIAGA__{key.upper()}": str(one) for key, one in values.items()})


@asynccontextmanager
async def running_api(
    settings: Settings, bus: Bus, clock: Clock | None = None
) -> AsyncIterator[RunningApi]:
    """Serve until the context ends; there are a machine key a role and an operator's account."""
    clock = clock or SystemClock()
    if settings.database.url is None:
        copy_tables(settings.data_dir / "siaga.sqlite3")
    store = await Store.open(settings.database_url, clock)
    try:
        known = {key.name for key in await store.keys.all()}
        keys = {role: await store.keys.issue(f"key-{role}-{len(known)}", role) for role in Role}
        app = create_app(settings, store, bus, clock=clock)
        with listen(settings.api) as bound:
            async with served(app, bound) as url:
                yield RunningApi(url, settings, store, bus, keys)
    finally:
        await store.close()


class ApiThread:
    """A running API beside the test, for tests that are not asynchronous themselves."""

    def __init__(self, api: RunningApi, loop: asyncio.AbstractEventLoop) -> None:
        self.api = api
        self._loop = loop

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something in the API's own event loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    @contextmanager
    def beside(self, work: Coroutine[Any, Any, object]) -> Iterator[None]:
        """Run something there until the context ends."""

        async def start() -> asyncio.Task[object]:
            return asyncio.create_task(work)

        async def stop() -> None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        task = self.run(start())
        try:
            yield
        finally:
            self.run(stop())

    def client(self, role: Role | None = Role.SUPERVISOR) -> httpx.Client:
        headers = self.api.headers(role) if role else {}
        return httpx.Client(base_url=self.api.url, headers=headers, timeout=20, verify=PLAIN_HTTP)


@contextmanager
def api_in_thread(settings: Settings, bus_url: str, namespace: str) -> Iterator[ApiThread]:
    """Serve from a thread until the context ends."""
    started: list[ApiThread] = []
    failed: list[BaseException] = []
    is_up, stop = threading.Event(), threading.Event()

    async def live() -> None:
        async with Bus(bus_url, namespace) as bus, running_api(settings, bus) as api:
            await api.store.accounts.add(USERNAME, PASSWORD, Role.OPERATOR, "Ani")
            started.append(ApiThread(api, asyncio.get_running_loop()))
            is_up.set()
            await asyncio.to_thread(stop.wait)

    def run() -> None:
        try:
            asyncio.run(live())
        except BaseException as error:  # noqa: BLE001 -- handed to the test below
            failed.append(error)
        finally:
            is_up.set()

    thread = threading.Thread(target=run, name="api")
    thread.start()
    is_up.wait()
    try:
        if failed:
            raise failed[0]
        yield started[0]
    finally:
        stop.set()
        thread.join(20)
    if failed:
        raise failed[0]


async def until(check: Callable[[], bool], timeout_s: float = 30.0) -> None:
    """Wait for something that another task brings about."""
    async with asyncio.timeout(timeout_s):
        while not check():  # noqa: ASYNC110 -- what is waited for has no event
            await asyncio.sleep(0.01)
