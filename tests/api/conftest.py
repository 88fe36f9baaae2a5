"""A running API for the whole run, and one for tests that need their own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from contracts import CameraState, ProbeAnswer, ProbeCamera, ScenarioReport, StartScenario
from incidents.people.accounts import Role
from plumbing.bus import Bus
from plumbing.embedded_bus import EmbeddedBus
from tests.support.api import ApiThread, RunningApi, api_in_thread, api_settings, running_api


async def _finds_nothing(_: ProbeCamera) -> ProbeAnswer:
    return ProbeAnswer(state=CameraState.NOT_FOUND, detail="nothing is there")


async def _plays_nothing(command: StartScenario) -> ScenarioReport:
    why = "" if command.name is None else "is none of ours"
    return ScenarioReport(name=command.name or "", is_playing=False, refused=why)


@contextmanager
def answered(running: ApiThread) -> Iterator[ApiThread]:
    """With a worker and a city that answer at once: without them each request waits for long."""

    async def begin() -> list[asyncio.Task[None]]:
        bus = running.api.bus
        answering = (bus.answer_probes(_finds_nothing), bus.answer_city(_plays_nothing))
        return [asyncio.create_task(one) for one in answering]

    async def end() -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    tasks = running.run(begin())
    yield running
    running.run(end())


@pytest.fixture(scope="session")
def shared_api(
    tmp_path_factory: pytest.TempPathFactory, shared_server: EmbeddedBus
) -> Iterator[ApiThread]:
    """Served beside the tests; its data grow from test to test."""
    folder = tmp_path_factory.mktemp("api")
    settings = api_settings(folder)
    with api_in_thread(settings, shared_server.url, "api-tests") as running, answered(running):
        yield running


@pytest.fixture
def desk(shared_api: ApiThread) -> Iterator[httpx.Client]:
    """A client that may do everything."""
    with shared_api.client(Role.SUPERVISOR) as client:
        yield client


@pytest.fixture
def own_api_thread(tmp_path: Path, shared_server: EmbeddedBus) -> Iterator[ApiThread]:
    """A running API of the test's own, beside the test."""
    settings = api_settings(tmp_path)
    with api_in_thread(settings, shared_server.url, f"api-{tmp_path.name}") as one, answered(one):
        yield one


@pytest.fixture
async def own_api(tmp_path: Path, bus: Bus) -> AsyncIterator[RunningApi]:
    """A running API of the test's own, in the test's event loop."""
    async with running_api(api_settings(tmp_path), bus) as running:
        yield running
