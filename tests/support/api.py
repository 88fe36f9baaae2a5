"""A running API: the real application on a real server, with a real database file and bus."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from api.app import create_app
from api.server import listen, served
from incidents.accounts import Role
from incidents.store import Store
from plumbing.bus import Bus
from plumbing.clock import SystemClock
from plumbing.settings import Settings, load_settings

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
        async with httpx.AsyncClient(base_url=self.url, headers=headers, timeout=20) as client:
            yield client


def api_settings(data_dir: Path, **sections: Any) -> Settings:
    """Settings with everything in one folder and a free port."""
    environment = {"SIAGA__DATA_DIR": str(data_dir), "SIAGA__API__PORT": "0"}
    environment |= {
        f"SIAGA__{section}__{key}".upper(): str(value)
        for section, values in sections.items()
        for key, value in values.items()
    }
    environment.setdefault("SIAGA__INGEST__ALLOW_PRIVATE", "[127.0.0.0/8]")
    environment.setdefault("SIAGA__EVIDENCE__MIN_FREE_BYTES", "0")
    return load_settings(None, environment)


@asynccontextmanager
async def running_api(settings: Settings, bus: Bus) -> AsyncIterator[RunningApi]:
    """Serve until the context ends; there is one machine key a role, and a user ``ani``."""
    store = await Store.open(settings.database_url, SystemClock())
    try:
        keys = {role: await store.keys.issue(f"key-{role}", role) for role in Role}
        app = create_app(settings, store, bus)
        with listen(settings.api) as bound:
            async with served(app, bound) as url:
                yield RunningApi(url, settings, store, bus, keys)
    finally:
        await store.close()


async def until(check: Callable[[], bool], timeout_s: float = 5.0) -> None:
    """Wait for something that another task brings about."""
    async with asyncio.timeout(timeout_s):
        while not check():  # noqa: ASYNC110 -- what is waited for has no event
            await asyncio.sleep(0.01)
