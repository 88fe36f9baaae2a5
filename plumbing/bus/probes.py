"""Probes: a question to whichever worker is free, and its answer, over lists that expire."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from contracts import ContractError, ProbeAnswer, ProbeCamera, from_json, from_plain, to_plain
from plumbing.bus.errors import BusUnavailable, NoAnswer
from plumbing.bus.link import ANSWER_S, Comeback, Link
from plumbing.ids import new_id
from plumbing.logs import get_logger
from plumbing.redact import redact_url

_log = get_logger(__name__)

AT_ONCE = 4
"""Probes that one worker works on together; more wait in the list, for it or for another."""
_REPLY_KEPT_S = 60


class Probes:
    """Asking and answering; see `plumbing.bus.Bus` for the contract."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def ask(self, command: ProbeCamera, timeout_s: float) -> ProbeAnswer:
        """Ask, and wait for the answer."""
        question_id = new_id("probe")
        questions, reply = self._link.key("probe"), self._link.key("probe-reply", question_id)
        async with self._link.reached():
            body = json.dumps(
                {
                    "id": question_id,
                    "until_s": await self._server_time_s() + timeout_s,
                    "command": to_plain(command),
                }
            )
            async with self._link.quick.pipeline(transaction=True) as pipe:
                pipe.rpush(questions, body)
                pipe.expire(questions, int(timeout_s) + _REPLY_KEPT_S)
                await pipe.execute()
            async with asyncio.timeout(timeout_s + ANSWER_S):
                answer: Any = await self._link.patient.blpop([reply], timeout=timeout_s)
            if answer is None:
                # So that a worker that starts late doesn't open a camera for nobody.
                await self._link.quick.lrem(questions, 1, body)
        if answer is None:
            raise NoAnswer(f"no worker answered within {timeout_s:g} s; is one running?")
        if answer[1].startswith(b"!"):
            raise NoAnswer(f"the worker failed at it: {answer[1][1:].decode()}")
        return from_json(ProbeAnswer, answer[1])

    async def answer(self, answer: Callable[[ProbeCamera], Awaitable[ProbeAnswer]]) -> None:
        """Answer probes until cancelled."""
        comeback = Comeback("probes")
        free = asyncio.Semaphore(AT_ONCE)
        async with asyncio.TaskGroup() as tasks:
            while True:
                # Take no question off the list that nobody here has a hand free for.
                await free.acquire()
                try:
                    question = await self._next_question()
                    comeback.succeeded()
                except BusUnavailable as error:
                    free.release()
                    await comeback.wait(error)
                    continue
                if question is None:
                    free.release()
                    continue
                task = tasks.create_task(self._answer_one(*question, answer))
                task.add_done_callback(lambda _: free.release())

    async def _next_question(self) -> tuple[str, ProbeCamera] | None:
        async with self._link.reached():
            async with asyncio.timeout(2 * ANSWER_S):
                found: Any = await self._link.patient.blpop(
                    [self._link.key("probe")], timeout=ANSWER_S
                )
            if found is None:
                return None
            now_s = await self._server_time_s()
        try:
            question = json.loads(found[1])
            if question["until_s"] <= now_s:
                return None
            return question["id"], from_plain(ProbeCamera, question["command"])
        except (ValueError, KeyError, TypeError, ContractError) as error:
            _log.error("a probe can't be read; skipped", why=redact_url(str(error)))
            return None

    async def _answer_one(
        self,
        question_id: str,
        command: ProbeCamera,
        answer: Callable[[ProbeCamera], Awaitable[ProbeAnswer]],
    ) -> None:
        try:
            body = json.dumps(to_plain(await answer(command)))
        except Exception as error:  # noqa: BLE001 - whatever fails is the asker's to know
            _log.exception("a probe failed", camera_id=command.source.camera_id)
            body = f"!{type(error).__name__}: {redact_url(str(error))}"
        reply = self._link.key("probe-reply", question_id)
        try:
            async with self._link.reached(), self._link.quick.pipeline(transaction=True) as pipe:
                pipe.rpush(reply, body)
                pipe.expire(reply, _REPLY_KEPT_S)
                await pipe.execute()
        except BusUnavailable as error:
            _log.warning("a probe's answer was lost with the bus", why=str(error))

    async def _server_time_s(self) -> float:
        seconds, micros = await self._link.quick.time()
        return float(seconds) + float(micros) / 1e6
