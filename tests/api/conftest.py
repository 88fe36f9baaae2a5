"""A running API for the whole run, and one for tests that need their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from incidents.people.accounts import Role
from plumbing.bus import Bus
from plumbing.embedded_bus import EmbeddedBus
from tests.support.api import ApiThread, RunningApi, api_in_thread, api_settings, running_api


@pytest.fixture(scope="session")
def shared_api(
    tmp_path_factory: pytest.TempPathFactory, shared_server: EmbeddedBus
) -> Iterator[ApiThread]:
    """Served beside the tests; its data grow from test to test."""
    folder = tmp_path_factory.mktemp("api")
    with api_in_thread(api_settings(folder), shared_server.url, "api-tests") as running:
        yield running


@pytest.fixture
def desk(shared_api: ApiThread) -> Iterator[httpx.Client]:
    """A client that may do everything."""
    with shared_api.client(Role.SUPERVISOR) as client:
        yield client


@pytest.fixture
def own_api_thread(tmp_path: Path, shared_server: EmbeddedBus) -> Iterator[ApiThread]:
    """A running API of the test's own, beside the test."""
    with api_in_thread(api_settings(tmp_path), shared_server.url, f"api-{tmp_path.name}") as one:
        yield one


@pytest.fixture
async def own_api(tmp_path: Path, bus: Bus) -> AsyncIterator[RunningApi]:
    """A running API of the test's own, in the test's event loop."""
    async with running_api(api_settings(tmp_path), bus) as running:
        yield running
