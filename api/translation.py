"""What the lower rooms' errors become over HTTP; those rooms know nothing of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from fastapi import FastAPI, Request
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.responses import Response

from api.problems import FieldError, Problem, conflict, invalid, not_found, unavailable
from contracts import to_plain
from incidents.errors import (
    Exists,
    IllegalStep,
    MessageInUse,
    NotFound,
    NothingToPropose,
    NothingToUndo,
    StoreUnusable,
    VersionConflict,
)
from plumbing.address_guard import AddressRefused
from plumbing.bus import BusUnavailable, NoAnswer
from plumbing.evidence import EvidenceError, EvidenceMissing
from plumbing.logs import get_logger

E = TypeVar("E", bound=Exception)

_log = get_logger(__name__)


def install(app: FastAPI) -> None:
    """Let routes pass these errors on."""
    _become(app, NotFound, lambda error: not_found(error.what, error.key))
    _become(app, VersionConflict, _conflict)
    _become(app, IllegalStep, _illegal_step)
    _become(app, Exists, _exists)
    _become(app, MessageInUse, lambda error: Problem(409, "message-in-use", f"{error}."))
    _become(app, NothingToPropose, lambda error: Problem(409, "nothing-to-propose", str(error)))
    _become(app, NothingToUndo, lambda error: Problem(409, "nothing-to-undo", f"{error}."))
    for kind in (StoreUnusable, OperationalError, InterfaceError, PoolTimeout):
        _become(app, kind, _database)
    _become(app, BusUnavailable, _bus)
    _become(app, NoAnswer, _no_answer)
    _become(app, AddressRefused, lambda error: invalid("url", error.reason))
    _become(app, EvidenceMissing, _evidence)
    _become(app, EvidenceError, _evidence_store)


def _become(app: FastAPI, kind: type[E], translate: Callable[[E], Problem]) -> None:
    async def answer(_request: Request, error: Exception) -> Response:
        if not isinstance(error, kind):
            raise error
        problem = translate(error)
        if problem.status >= 500:
            _log.warning("a part does not answer", problem=problem.slug, error=str(error))
        return problem.response()

    app.add_exception_handler(kind, answer)


def _conflict(error: VersionConflict) -> Problem:
    return conflict(
        "It has changed since that version; look at `current` and decide again.",
        to_plain(error.current),
    )


def _illegal_step(error: IllegalStep) -> Problem:
    return Problem(422, "illegal-step", f"{error}.", errors=(FieldError("action", str(error)),))


def _exists(error: Exists) -> Problem:
    return Problem(409, "exists", f"There is already a {error.what} {error.key!r}.")


def _database(_error: Exception) -> Problem:
    return unavailable("database", "The database doesn't answer now; try again in a moment.")


def _bus(_error: BusUnavailable) -> Problem:
    return unavailable("bus", "The bus doesn't answer now; try again in a moment.")


def _no_answer(_error: NoAnswer) -> Problem:
    detail = "No worker answered in time. Is one running, and is it free?"
    return Problem(504, "no-worker", detail)


def _evidence(_error: EvidenceMissing) -> Problem:
    return Problem(404, "not-found", "There is no such evidence (any more).")


def _evidence_store(_error: EvidenceError) -> Problem:
    return unavailable("evidence", "The evidence store doesn't answer now; try again in a moment.")
