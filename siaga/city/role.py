"""The simulated city as a role: serves its cameras, registers them, makes its calls, keeps score.

It is an ordinary client of the API with a machine key, so a demonstration goes the way that real
cameras and calls go. Everything it says is marked as an exercise.

Life: it plays its own scenario, round after round where that repeats, from the beginning again
where it doesn't. A `StartScenario` over the bus ends what plays and starts another; when that has
ended, or is stopped, its score is told (`Bus.publish_exercise`) and recorded by the API, and the
city goes back to its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from contracts import LonLat, ScenarioReport, StartScenario
from plumbing.bus import Bus, BusUnavailable
from plumbing.logs import get_logger
from plumbing.settings import Settings
from siaga.city.client import CityClient
from siaga.city.exercise_watch import ExerciseWatch
from siaga.city.performance import Performance
from siaga.city.scenario_shelf import ordered
from siaga.city.units import CityUnits
from simulator.city import EVERYDAY, City, SimulatedCity
from simulator.library import named
from simulator.serve import CityServer
from simulator.videos import VideoCity

_log = get_logger(__name__)

KEY_VARIABLE = "SIAGA_CITY_KEY"
"""Environment variable with the machine key; never an argument, which others could read."""
API_VARIABLE = "SIAGA_CITY_API"


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
            asyncio.create_task(CityUnits(client, role.centre).run()),
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
        self.centre = LonLat(settings.city.lon, settings.city.lat)
        self._client = client
        self._watch = watch
        self._bus = bus
        self._own = make_city(plan, self.centre)
        self._next: SimulatedCity | None = None
        self._asked_by = ""
        self._turn = asyncio.Event()
        self._registered: set[str] = set()
        self._last_score = ""

    async def take(self, command: StartScenario) -> ScenarioReport:
        """Follow a command; what follows from it is told by `Bus.publish_exercise`."""
        answer, city = await asyncio.to_thread(ordered, command, self.centre)
        if not answer.refused:
            self._next, self._asked_by = city or self._own, command.asked_by
            self._turn.set()
        return answer

    async def play(self) -> None:
        """Play until cancelled."""
        city, asked_by = self._own, ""
        while True:
            self._turn.clear()
            self._next = None
            async with CityServer(city, port=self._plan.rtsp_port) as server:
                await self._play_served(server, asked_by)
                if self._plan.score_file is not None and self._next is None:
                    # Once is enough for a score; the supervisor stops everything now.
                    await asyncio.Event().wait()
            # What was asked for meanwhile; else, after a guest, the city's own.
            city, asked_by = (self._own, "") if self._next is None else (self._next, self._asked_by)

    async def _play_served(self, server: CityServer, asked_by: str) -> None:
        """One city, until another is wanted or it has come to its end."""
        await self._register(server)
        if not isinstance(server.city, City):
            # A folder of videos has no calls; its cameras stay.
            await self._turn.wait()
            return
        performance = Performance(
            server=server,
            city=server.city,
            client=self._client,
            watch=self._watch,
            tell=self._tell,
            asked_by=asked_by,
            score_file=self._plan.score_file,
            last_score=self._last_score,
        )
        playing = asyncio.create_task(performance.run())
        turned = asyncio.create_task(self._turn.wait())
        try:
            await asyncio.wait({playing, turned}, return_when=asyncio.FIRST_COMPLETED)
            if playing.done():
                playing.result()
        finally:
            playing.cancel()
            turned.cancel()
            await asyncio.gather(playing, turned, return_exceptions=True)
        await performance.end()
        self._last_score = performance.last_score

    async def _register(self, server: CityServer) -> None:
        for camera in server.cameras:
            await self._client.register(camera)
        now = {str(camera.id) for camera in server.cameras}
        for camera_id in sorted(self._registered - now):
            await self._client.remove(camera_id)
        self._registered = now
        _log.info("the city is on the air", cameras=len(now))

    async def _tell(self, report: ScenarioReport) -> None:
        if self._bus is None:
            return
        try:
            await self._bus.publish_exercise(report)
        except BusUnavailable as error:
            _log.warning("what the city plays could not be told", why=str(error))
