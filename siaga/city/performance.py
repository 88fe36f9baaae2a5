"""One city while it plays: its calls are made, its rounds scored, what has ended is recorded.

Life: `run` until it returns or is cancelled; then `end`, which scores an exercise that was cut
short for what it came to, and ends what nobody has dealt with.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from contracts import ExerciseRecord, ScenarioReport
from plumbing.ids import new_id
from plumbing.logs import get_logger
from siaga.city.client import CityClient
from siaga.city.exercise_watch import ExerciseWatch
from siaga.city.scenario_shelf import on_offer
from simulator.callers import SimulatedCall
from simulator.city import City
from simulator.handsets import Way
from simulator.score_document import as_document
from simulator.scoring import score
from simulator.serve import CityServer

_log = get_logger(__name__)

SETTLES_S = 12.0
"""After a scenario's end, calls and detections that are under way still become incidents."""
WORTH_SCORING_S = 5.0
"""What is stopped sooner was a mistake, and leaves no record."""

Tell = Callable[[ScenarioReport], Awaitable[None]]


@dataclass(slots=True, kw_only=True)
class Performance:
    """A scenario on a server."""

    server: CityServer
    city: City
    client: CityClient
    watch: ExerciseWatch
    tell: Tell
    asked_by: str = ""
    score_file: Path | None = None
    """Where the first finished round's score is written."""
    last_score: str = ""
    exercise_id: str = field(init=False)
    _about: dict[str, str] = field(init=False, default_factory=dict)
    _is_scored: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self.exercise_id = "" if self.city.scenario.repeats else new_id("exercise")

    async def run(self) -> None:
        """Play; returns after a scenario that ends, and never after one that repeats."""
        await self._announce(is_playing=True)
        async with asyncio.TaskGroup() as tasks:
            calling = tasks.create_task(self._make_calls(tasks))
            await self._keep_score()
            calling.cancel()

    async def end(self) -> None:
        """Leave a clear list behind; an exercise that was stopped is scored for what it came to."""
        elapsed_s = (datetime.now(UTC) - self.server.timeline.wall(0)).total_seconds()
        if self.exercise_id and not self._is_scored and elapsed_s >= WORTH_SCORING_S:
            await self._score(0, min(elapsed_s, self.city.scenario.seconds))
        await self._clear()

    async def _make_calls(self, tasks: asyncio.TaskGroup) -> None:
        async for call in self.server.calls():
            call_id = await self.client.call(call)
            self._about[call_id] = call.event_id
            tasks.create_task(self._locate(call_id, call))

    async def _locate(self, call_id: str, call: SimulatedCall) -> None:
        """Send what the caller's phone finds out, each in its time."""
        own = () if call.fix.way is Way.NETWORK else (call.fix,)
        waited_s = 0.0
        for fix in (*own, *call.later):
            await asyncio.sleep(max(0.0, fix.after_s - waited_s))
            waited_s = fix.after_s
            await self.client.locate(call_id, call.number, fix)

    async def _keep_score(self) -> None:
        """Score every round when it is over; returns after the only one."""
        scenario, number = self.city.scenario, 0
        while True:
            start_s = number * scenario.seconds
            settles_s = 0.0 if scenario.repeats else SETTLES_S
            await self.server.timeline.sleep_until(start_s + scenario.seconds + settles_s)
            await self._score(number, scenario.seconds)
            if not scenario.repeats:
                return
            await self._clear()
            number += 1

    async def _score(self, number: int, seconds: float) -> None:
        """Score a round as far as it was played."""
        scenario, timeline = self.city.scenario, self.server.timeline
        begins_s = number * scenario.seconds
        events = self.city.round_of_events(number)
        found = score(
            scenario.name,
            scenario.seed,
            timeline.wall(0),
            seconds,
            [event for event in events if event.starts_s < begins_s + seconds],
            self.watch.reported(timeline.wall(begins_s)),
            self._about,
            self.city.projection,
        )
        document = as_document(found)
        self.last_score = json.dumps(document)
        self._is_scored = True
        _log.info("a round is over", score=document["totals"])
        await self._announce(is_playing=scenario.repeats)
        if self.exercise_id:
            await self.client.record(self._record())
        if self.score_file is not None:
            part = self.score_file.with_suffix(".part")
            part.write_text(self.last_score, encoding="utf-8")
            part.replace(self.score_file)

    def _record(self) -> ExerciseRecord:
        scenario = self.city.scenario
        return ExerciseRecord(
            id=self.exercise_id,
            scenario=scenario.name,
            title=scenario.title,
            judul=scenario.judul or scenario.title,
            seed=scenario.seed,
            asked_by=self.asked_by,
            started_at=self.server.timeline.wall(0),
            ended_at=datetime.now(UTC),
            score=self.last_score,
        )

    async def _announce(self, *, is_playing: bool) -> None:
        scenario, started_at = self.city.scenario, self.server.timeline.wall(0)
        ends_at = None
        if not scenario.repeats:
            planned = started_at + timedelta(seconds=scenario.seconds)
            ends_at = planned if is_playing else datetime.now(UTC)
        await self.tell(
            ScenarioReport(
                name=scenario.name,
                title=scenario.title,
                judul=scenario.judul or scenario.title,
                exercise_id=self.exercise_id,
                asked_by=self.asked_by,
                is_playing=is_playing,
                started_at=started_at,
                ends_at=ends_at,
                score=self.last_score,
                available=await asyncio.to_thread(on_offer),
            )
        )

    async def _clear(self) -> None:
        """End what nobody has dealt with, so that what comes next starts with a clear list."""
        for incident in self.watch.untouched():
            await self.client.cancel(incident)
