"""The simulated city as a role: serves its cameras, registers them, makes its calls, keeps score.

It is an ordinary client of the API with a machine key, so a demonstration goes the way that real
cameras and calls go. Everything it says is marked as an exercise.

Life: it plays its own scenario, round after round where that repeats, from the beginning again
where it doesn't. A `StartScenario` over the bus ends what plays and starts another; when that has
ended, its score is told (`Bus.publish_exercise`) and the city goes back to its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from contracts import LonLat, ScenarioReport, StartScenario
from plumbing.bus import Bus, BusUnavailable
from plumbing.logs import get_logger
from plumbing.settings import Settings
from siaga.city_client import CityClient
from siaga.exercise_watch import ExerciseWatch
from simulator.callers import SimulatedCall
from simulator.city import EVERYDAY, City, SimulatedCity, VideoCity
from simulator.scenario import ScenarioError, library, named
from simulator.scoring import as_document, score
from simulator.serve import CityServer

_log = get_logger(__name__)

KEY_VARIABLE = "SIAGA_CITY_KEY"
"""Environment variable with the machine key; never an argument, which others could read."""
API_VARIABLE = "SIAGA_CITY_API"
SETTLES_S = 12.0
"""After a scenario's end, calls and detections that are under way still become incidents."""


@dataclass(frozen=True, slots=True)
class CityPlan:
    """What the city's process was started with."""

    rtsp_port: int
    cameras: int | None = None
    """So many in place of the scenario's own."""
    seed: int | None = None
    videos: Path | None = None
    scenario: str = EVERYDAY
    score_file: Path | None = None
    """Where the first finished round's score is written."""


def make_city(plan: CityPlan, centre: LonLat) -> SimulatedCity:
    """The drawn city, or a folder's videos as cameras.

    Raises:
        UnplayableVideoError: the folder holds no video, or a file that is none.
        ScenarioError: there is no such scenario, or it can't be played.
    """
    if plan.videos is not None:
        return VideoCity.from_folder(plan.videos, centre)
    scenario = named(plan.scenario)
    if plan.seed is not None:
        scenario = scenario.model_copy(update={"seed": plan.seed})
    if plan.cameras is not None:
        return City.demo(plan.cameras, scenario.seed, centre, scenario=scenario)
    return City.of(scenario, centre)


async def play_city(plan: CityPlan, settings: Settings, stopping: asyncio.Event) -> None:
    """Serve, register and call until ``stopping`` is set."""
    url, key = os.environ[API_VARIABLE], os.environ[KEY_VARIABLE]
    headers = {"Authorization": f"Bearer {key}"}
    async with (
        httpx.AsyncClient(base_url=url, headers=headers, timeout=10, trust_env=False) as client,
        _connected(settings) as bus,
    ):
        watch = ExerciseWatch(url, key)
        role = _CityRole(plan, settings, CityClient(client), watch, bus)
        tasks: list[asyncio.Task[Any]] = [
            asyncio.create_task(watch.run()),
            asyncio.create_task(role.play()),
        ]
        if bus is not None:
            tasks.append(asyncio.create_task(bus.answer_city(role.take)))
        ended: asyncio.Task[Any] = asyncio.create_task(stopping.wait())
        await asyncio.wait({*tasks, ended}, return_when=asyncio.FIRST_COMPLETED)
        try:
            for task in tasks:
                if task.done():
                    # Its end before ours is a failure; the supervisor starts the city again.
                    task.result()
        finally:
            for task in (*tasks, ended):
                task.cancel()
            await asyncio.gather(*tasks, ended, return_exceptions=True)


@contextlib.asynccontextmanager
async def _connected(settings: Settings) -> AsyncIterator[Bus | None]:
    if settings.bus.url is None:
        yield None
        return
    async with Bus(settings.bus.url, settings.bus.namespace, settings.bus.max_backlog) as bus:
        yield bus


class _CityRole:
    """What plays now, and what is to play next."""

    def __init__(
        self,
        plan: CityPlan,
        settings: Settings,
        client: CityClient,
        watch: ExerciseWatch,
        bus: Bus | None,
    ) -> None:
        self._plan = plan
        self._centre = LonLat(settings.city.lon, settings.city.lat)
        self._client = client
        self._watch = watch
        self._bus = bus
        self._own = make_city(plan, self._centre)
        self._next: SimulatedCity | None = None
        self._turn = asyncio.Event()
        self._registered: set[str] = set()
        self._last_score = ""

    async def take(self, command: StartScenario) -> ScenarioReport:
        """Follow a command; what follows from it is told by `Bus.publish_exercise`."""
        names = tuple(await asyncio.to_thread(lambda: sorted(library())))
        if command.name is None:
            self._next = self._own
            self._turn.set()
            return ScenarioReport(name="", is_playing=False, available=names)
        try:
            scenario = await asyncio.to_thread(named, command.name)
            # A command names one of the library; a path is for those at the machine.
            if command.name not in names:
                raise ScenarioError(f"no scenario {command.name!r}")
            if command.seed is not None:
                scenario = scenario.model_copy(update={"seed": command.seed})
            city = await asyncio.to_thread(City.of, scenario, self._centre)
        except ScenarioError as error:
            return ScenarioReport(
                name=command.name, is_playing=False, refused=str(error), available=names
            )
        self._next = city
        self._turn.set()
        return ScenarioReport(
            name=scenario.name, title=scenario.title, is_playing=True, available=names
        )

    async def play(self) -> None:
        """Play until cancelled."""
        city = self._own
        while True:
            self._turn.clear()
            self._next = None
            async with CityServer(city, port=self._plan.rtsp_port) as server:
                await self._play_served(server)
                if self._plan.score_file is not None and self._next is None:
                    # Once is enough for a score; the supervisor stops everything now.
                    await asyncio.Event().wait()
            # What was asked for meanwhile; else, after a guest, the city's own.
            city = self._next or self._own

    async def _play_served(self, server: CityServer) -> None:
        """One city, until another is wanted or it has come to its end."""
        playing = asyncio.create_task(self._perform(server))
        turned = asyncio.create_task(self._turn.wait())
        try:
            await asyncio.wait({playing, turned}, return_when=asyncio.FIRST_COMPLETED)
            if playing.done():
                playing.result()
        finally:
            playing.cancel()
            turned.cancel()
            await asyncio.gather(playing, turned, return_exceptions=True)

    async def _perform(self, server: CityServer) -> None:
        await self._register(server)
        if not isinstance(server.city, City):
            # A folder of videos has no calls; its cameras stay.
            await asyncio.Event().wait()
        assert isinstance(server.city, City)  # noqa: S101 - told to the type checker
        scenario = server.city.scenario
        started_at = server.timeline.wall(0)
        ends_at = None
        if not scenario.repeats:
            ends_at = started_at + timedelta(seconds=scenario.seconds)
        await self._tell(
            ScenarioReport(
                name=scenario.name,
                title=scenario.title,
                is_playing=True,
                started_at=started_at,
                ends_at=ends_at,
                score=self._last_score,
            )
        )
        about: dict[str, str] = {}
        async with asyncio.TaskGroup() as tasks:
            calling = tasks.create_task(self._make_calls(server, about, tasks))
            await self._keep_score(server, server.city, about)
            calling.cancel()

    async def _register(self, server: CityServer) -> None:
        for camera in server.cameras:
            await self._client.register(camera)
        now = {str(camera.id) for camera in server.cameras}
        for camera_id in sorted(self._registered - now):
            await self._client.remove(camera_id)
        self._registered = now
        _log.info("the city is on the air", cameras=len(now))

    async def _make_calls(
        self, server: CityServer, about: dict[str, str], tasks: asyncio.TaskGroup
    ) -> None:
        async for call in server.calls():
            call_id = await self._client.call(call)
            about[call_id] = call.event_id
            if call.later:
                tasks.create_task(self._send_later(call_id, call))

    async def _send_later(self, call_id: str, call: SimulatedCall) -> None:
        waited_s = 0.0
        for fix in call.later:
            await asyncio.sleep(max(0.0, fix.after_s - waited_s))
            waited_s = fix.after_s
            await self._client.fix(call_id, fix)

    async def _keep_score(self, server: CityServer, city: City, about: dict[str, str]) -> None:
        """Score every round when it is over; returns after the only one."""
        scenario, number = city.scenario, 0
        while True:
            start_s = number * scenario.seconds
            settles_s = 0.0 if scenario.repeats else SETTLES_S
            await server.timeline.sleep_until(start_s + scenario.seconds + settles_s)
            await self._score(server, city, number, about)
            await self._clear()
            if not scenario.repeats:
                return
            number += 1

    async def _score(
        self, server: CityServer, city: City, number: int, about: dict[str, str]
    ) -> None:
        scenario = city.scenario
        start_s = number * scenario.seconds
        since = server.timeline.wall(start_s)
        found = score(
            scenario.name,
            scenario.seed,
            server.timeline.wall(0),
            scenario.seconds,
            city.round_of_events(number),
            self._watch.reported(since),
            about,
            city.projection,
        )
        document = as_document(found)
        self._last_score = json.dumps(document)
        _log.info("a round is over", score=document["totals"])
        await self._tell(
            ScenarioReport(
                name=scenario.name,
                title=scenario.title,
                is_playing=scenario.repeats,
                started_at=server.timeline.wall(0),
                ends_at=None if scenario.repeats else datetime.now(UTC),
                score=self._last_score,
            )
        )
        if self._plan.score_file is not None:
            part = self._plan.score_file.with_suffix(".part")
            part.write_text(self._last_score, encoding="utf-8")
            part.replace(self._plan.score_file)

    async def _clear(self) -> None:
        """End what nobody has dealt with, so that the next round starts with a clear list."""
        for incident in self._watch.untouched():
            await self._client.cancel(incident)

    async def _tell(self, report: ScenarioReport) -> None:
        if self._bus is None:
            return
        try:
            await self._bus.publish_exercise(report)
        except BusUnavailable as error:
            _log.warning("what the city plays could not be told", why=str(error))
