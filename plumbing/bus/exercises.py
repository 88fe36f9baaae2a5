"""Exercises: what the simulated city is asked to play, its answer, and what it tells afterwards."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from contracts import (
    ContractError,
    ScenarioReport,
    StartScenario,
    from_json,
    from_plain,
    to_json,
    to_plain,
)
from plumbing.bus.errors import BusUnavailable, NoAnswer
from plumbing.bus.link import ANSWER_S, Comeback, Link
from plumbing.ids import new_id
from plumbing.logs import get_logger

_log = get_logger(__name__)

_REPLY_KEPT_S = 60


class Exercises:
    """Asking the city, and hearing of it; see `plumbing.bus.Bus` for the contract."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def ask(self, command: StartScenario, timeout_s: float) -> ScenarioReport:
        """Ask, and wait for the answer."""
        question_id = new_id("exercise")
        questions = self._link.key("exercise")
        reply = self._link.key("exercise-reply", question_id)
        async with self._link.reached():
            body = json.dumps(
                {
                    "id": question_id,
                    "until_s": await self._server_time_s() + timeout_s,
                    "command": to_plain(command),
                }
            )
            await self._link.quick.rpush(questions, body)
            await self._link.quick.expire(questions, int(timeout_s) + _REPLY_KEPT_S)
            async with asyncio.timeout(timeout_s + ANSWER_S):
                answer: Any = await self._link.patient.blpop([reply], timeout=timeout_s)
            if answer is None:
                # So that a city that starts late doesn't play for nobody.
                await self._link.quick.lrem(questions, 1, body)
        if answer is None:
            raise NoAnswer(f"no simulated city answered within {timeout_s:g} s; does one run?")
        return from_json(ScenarioReport, answer[1])

    async def answer(self, answer: Callable[[StartScenario], Awaitable[ScenarioReport]]) -> None:
        """Answer one after the other until cancelled."""
        comeback = Comeback("exercises")
        while True:
            try:
                question = await self._next_question()
                comeback.succeeded()
                if question is None:
                    continue
                question_id, command = question
                told = await answer(command)
                reply = self._link.key("exercise-reply", question_id)
                async with self._link.reached():
                    await self._link.quick.rpush(reply, to_json(told))
                    await self._link.quick.expire(reply, _REPLY_KEPT_S)
            except BusUnavailable as error:
                await comeback.wait(error)

    async def publish(self, report: ScenarioReport) -> None:
        """Replace what is known of the city."""
        async with self._link.reached():
            await self._link.quick.set(self._link.key("exercise-state"), to_json(report))

    async def read(self) -> ScenarioReport | None:
        """What the city told last."""
        async with self._link.reached():
            found: Any = await self._link.quick.get(self._link.key("exercise-state"))
        return None if found is None else from_json(ScenarioReport, found)

    async def _next_question(self) -> tuple[str, StartScenario] | None:
        async with self._link.reached():
            async with asyncio.timeout(2 * ANSWER_S):
                found: Any = await self._link.patient.blpop(
                    [self._link.key("exercise")], timeout=ANSWER_S
                )
            if found is None:
                return None
            now_s = await self._server_time_s()
        try:
            question = json.loads(found[1])
            if question["until_s"] <= now_s:
                return None
            return question["id"], from_plain(StartScenario, question["command"])
        except (ValueError, KeyError, TypeError, ContractError) as error:
            _log.error("a command to the city can't be read; skipped", why=str(error))
            return None

    async def _server_time_s(self) -> float:
        seconds, micros = await self._link.quick.time()
        return float(seconds) + float(micros) / 1e6
