"""A question to whichever process is free to answer it, and its answer, over lists that expire."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

from contracts import ContractError, from_json, from_plain, to_plain
from plumbing.bus.errors import BusUnavailable, NoAnswer
from plumbing.bus.link import ANSWER_S, Comeback, Link
from plumbing.ids import new_id
from plumbing.logs import get_logger
from plumbing.redact import redact_url

_log = get_logger(__name__)

Q = TypeVar("Q")
A = TypeVar("A")

_REPLY_KEPT_S = 60


class Questions(Generic[Q, A]):
    """Asking and answering one kind of question; see `plumbing.bus.Bus` for the contracts.

    Args:
        link: The way to the server.
        name: Of the kind; part of the lists' names.
        question: The noun that is asked.
        answer: The noun that answers.
        answerer: Who answers, for the errors: ``worker``.
        at_once: Questions that one process works on together; more wait in the list, for it or for
            another.
    """

    def __init__(
        self,
        link: Link,
        name: str,
        question: type[Q],
        answer: type[A],
        *,
        answerer: str,
        at_once: int,
    ) -> None:
        self._link = link
        self._name = name
        self._question = question
        self._answer = answer
        self._answerer = answerer
        self._at_once = at_once

    async def ask(self, command: Q, timeout_s: float) -> A:
        """Ask, and wait for the answer."""
        question_id = new_id(self._name)
        questions, reply = self._link.key(self._name), self._reply(question_id)
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
                # So that one who starts late does nothing for nobody.
                await self._link.quick.lrem(questions, 1, body)
        if answer is None:
            raise NoAnswer(f"no {self._answerer} answered within {timeout_s:g} s; is one running?")
        if answer[1].startswith(b"!"):
            raise NoAnswer(f"the {self._answerer} failed at it: {answer[1][1:].decode()}")
        return from_json(self._answer, answer[1])

    async def answer(self, answer: Callable[[Q], Awaitable[A]]) -> None:
        """Answer until cancelled."""
        comeback = Comeback(f"questions: {self._name}")
        free = asyncio.Semaphore(self._at_once)
        async with asyncio.TaskGroup() as tasks:
            while True:
                # Take no question off the list that nobody here has a hand free for.
                await free.acquire()
                try:
                    question = await self._next()
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

    async def _next(self) -> tuple[str, Q] | None:
        async with self._link.reached():
            async with asyncio.timeout(2 * ANSWER_S):
                found: Any = await self._link.patient.blpop(
                    [self._link.key(self._name)], timeout=ANSWER_S
                )
            if found is None:
                return None
            now_s = await self._server_time_s()
        try:
            question = json.loads(found[1])
            if question["until_s"] <= now_s:
                return None
            return question["id"], from_plain(self._question, question["command"])
        except (ValueError, KeyError, TypeError, ContractError) as error:
            why = redact_url(str(error))
            _log.error("a question can't be read; skipped", kind=self._name, why=why)
            return None

    async def _answer_one(
        self, question_id: str, command: Q, answer: Callable[[Q], Awaitable[A]]
    ) -> None:
        try:
            body = json.dumps(to_plain(await answer(command)))
        except Exception as error:  # noqa: BLE001 - whatever fails is the asker's to know
            _log.exception("a question could not be answered", kind=self._name, id=question_id)
            body = f"!{type(error).__name__}: {redact_url(str(error))}"
        reply = self._reply(question_id)
        try:
            async with self._link.reached(), self._link.quick.pipeline(transaction=True) as pipe:
                pipe.rpush(reply, body)
                pipe.expire(reply, _REPLY_KEPT_S)
                await pipe.execute()
        except BusUnavailable as error:
            _log.warning("an answer was lost with the bus", kind=self._name, why=str(error))

    def _reply(self, question_id: str) -> str:
        return self._link.key(f"{self._name}-reply", question_id)

    async def _server_time_s(self) -> float:
        seconds, micros = await self._link.quick.time()
        return float(seconds) + float(micros) / 1e6
