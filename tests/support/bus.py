"""A real Valkey server for tests, one a run, with a namespace of its own for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from plumbing.bus import Bus
from plumbing.embedded_bus import EmbeddedBus
from plumbing.ids import new_id


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedBus]:
    """A running server that many tests share: don't stop it, don't flush it."""
    with EmbeddedBus(tmp_path_factory.mktemp("bus")) as server:
        yield server


@pytest.fixture
def namespace() -> str:
    """Keys of one test."""
    return new_id("t")


@pytest.fixture
async def bus(shared_server: EmbeddedBus, namespace: str) -> AsyncIterator[Bus]:
    """A connected bus in a namespace of its own."""
    async with Bus(shared_server.url, namespace) as connected:
        yield connected


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[EmbeddedBus]:
    """A running server for one test, which may kill it and start it again."""
    with EmbeddedBus(tmp_path) as server:
        yield server
