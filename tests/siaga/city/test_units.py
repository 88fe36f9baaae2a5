"""The simulated units go where they are sent, tell of it, and are free again."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from contracts import (
    AgencyId,
    AssignmentState,
    Incident,
    IncidentAction,
    IncidentId,
    IncidentState,
    UnitId,
    UnitState,
)
from plumbing.bus import Bus
from siaga.city.units import CityUnits
from tests.incidents.make import CENTRE, call, found
from tests.incidents.writer import Writer
from tests.support.api import RunningApi, api_settings, running_api

INCIDENT = IncidentId("drill-1")
ENGINE = UnitId("damkar-d-1")


@pytest.fixture
async def api(tmp_path: Path, bus: Bus) -> AsyncIterator[RunningApi]:
    """With the fleet on duty, 300 times as fast as the clock."""
    async with running_api(api_settings(tmp_path), bus) as running, running.client() as client:
        driving = asyncio.create_task(CityUnits(client, CENTRE, hurry=300).run())
        yield running
        driving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await driving


async def until(api: RunningApi, state: AssignmentState) -> Incident:
    async with asyncio.timeout(20):
        while True:
            now = await api.store.incidents.get(INCIDENT)
            if now.assignments[0].state is state:
                return now
            await asyncio.sleep(0.02)


async def test_a_unit_drives_there_tells_of_it_and_is_free_again(api: RunningApi) -> None:
    store = api.store
    async with asyncio.timeout(20):
        while not any(unit.position for unit in await store.units.all()):  # noqa: ASYNC110 -- another's database
            await asyncio.sleep(0.02)
    made = found(INCIDENT, "report-call-1", exercise=True)
    await Writer(store).apply(call(exercise=True), made)
    now = await store.incidents.act(INCIDENT, IncidentAction.VERIFY, actor="ani", version=1)
    await store.dispatching.assign(
        INCIDENT, AgencyId("damkar"), ENGINE, actor="ani", version=now.version
    )
    arrived = await until(api, AssignmentState.ON_SCENE)
    assert arrived.state is IncidentState.ON_SCENE
    assert arrived.en_route_at is not None
    done = await until(api, AssignmentState.CLOSED)
    assert done.assignments[0].ended_at is not None
    assert (await store.units.get(ENGINE)).state is UnitState.AVAILABLE
