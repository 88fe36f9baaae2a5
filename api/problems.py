"""Every error as an RFC 9457 problem document, and nothing secret in any of them.

A route raises `Problem`, or lets an error of a lower room pass: `install` says what each becomes.
What nobody foresaw becomes a 500 that names a correlation id and nothing else (`api.correlation`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from contracts import ContractError

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:siaga:problem:"
MAX_FIELD = 200
"""Characters of a field's name: an unknown one is of the sender's making."""
MAX_ERRORS_SHOWN = 50
"""A body with ten thousand bad elements gets the first few, not a reply of megabytes."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with one field; the name is dotted where it lies deeper."""

    field: str
    why: str


class Problem(Exception):
    """An answer that is an error.

    Attributes:
        status: the HTTP status.
        slug: the kind, a short lasting name; ``urn:siaga:problem:<slug>`` is its type.
        detail: what is wrong and what to do, for people.
        errors: the fields at fault.
        headers: to send along, such as ``Retry-After``.
        extra: further members of the document, already in JSON's plain values.
    """

    def __init__(
        self,
        status: int,
        slug: str,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(f"{status} {slug}: {detail}")
        self.status = status
        self.slug = slug
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})

    def document(self) -> dict[str, Any]:
        """The members of the problem document."""
        found: dict[str, Any] = {
            "type": TYPE_PREFIX + self.slug,
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors:
            shown = self.errors[:MAX_ERRORS_SHOWN]
            found["errors"] = [{"field": error.field, "why": error.why} for error in shown]
        return {**found, **self.extra}

    def response(self) -> Response:
        """The document as an answer."""
        return Response(
            json.dumps(self.document(), ensure_ascii=False).encode("utf-8", "replace"),
            status_code=self.status,
            headers=self.headers,
            media_type=MEDIA_TYPE,
        )


class ProblemErrorBody(BaseModel):
    """A field at fault."""

    field: str
    why: str


class ProblemBody(BaseModel):
    """A problem document (RFC 9457)."""

    type: str = Field(description=f"`{TYPE_PREFIX}` and a lasting name of the kind")
    title: str
    status: int
    detail: str
    errors: list[ProblemErrorBody] = []


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The ``responses`` of a route that may answer with these problems."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemBody"}}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": content}
        for status in statuses
    }


def not_found(what: str, which: str) -> Problem:
    """404 for one thing of a kind."""
    return Problem(404, "not-found", f"There is no {what} {which!r}.")


def invalid(field: str, why: str) -> Problem:
    """422 for one field."""
    return Problem(422, "invalid", f"{field}: {why}", errors=(FieldError(field, why),))


def conflict(detail: str, current: Any) -> Problem:
    """409 for a change made on an old version; ``current`` is the thing as it is now (plain)."""
    return Problem(409, "version-conflict", detail, extra={"current": current})


def unavailable(what: str, detail: str) -> Problem:
    """503 for a part that doesn't answer."""
    return Problem(503, f"{what}-unavailable", detail, headers={"Retry-After": "2"})


def install(app: FastAPI) -> None:
    """Turn the framework's and the nouns' errors into problem documents."""
    app.add_exception_handler(Problem, _answer_problem)
    app.add_exception_handler(RequestValidationError, _answer_validation)
    app.add_exception_handler(ContractError, _answer_contract)
    app.add_exception_handler(HTTPException, _answer_http)


async def _answer_problem(_request: Request, error: Exception) -> Response:
    if not isinstance(error, Problem):
        raise error
    return error.response()


async def _answer_contract(_request: Request, error: Exception) -> Response:
    if not isinstance(error, ContractError):
        raise error
    return invalid(error.field, error.why).response()


async def _answer_http(_request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    slug = _HTTP_SLUGS.get(error.status_code, "http-error")
    detail = _HTTP_DETAILS.get(error.status_code, str(error.detail))
    return Problem(error.status_code, slug, detail, headers=error.headers).response()


_HTTP_SLUGS = {
    400: "bad-request",
    404: "not-found",
    405: "method-not-allowed",
    413: "too-large",
    416: "range-not-satisfiable",
}
_HTTP_DETAILS = {
    400: "The body could not be read; send JSON in UTF-8 with Content-Type: application/json.",
    404: "There is nothing at this address; /docs lists what there is.",
    405: "This address doesn't take that method; the Allow header lists what it takes.",
}


async def _answer_validation(_request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    errors = [_field_error(problem) for problem in error.errors()]
    detail = "; ".join(f"{one.field}: {one.why}" for one in errors[:3])
    return Problem(422, "invalid", detail, errors=errors).response()


_TIME_ERRORS = frozenset({"timezone_aware", "datetime_parsing", "datetime_from_date_parsing"})
_TIME_WANTED = (
    "must be a time with its offset, such as 2026-11-22T06:00:00Z (in an address, + is %2B)"
)


def _field_error(problem: Mapping[str, Any]) -> FieldError:
    # Only the place and the message are told: the input may hold a password.
    place = [str(part) for part in problem.get("loc", ())]
    if place and place[0] in ("body", "query", "path", "header", "cookie"):
        place = place[1:]
    inner = problem.get("ctx", {}).get("error")
    if isinstance(inner, ContractError):
        return FieldError(_dotted([*place, inner.field]), inner.why)
    if problem.get("type") == "json_invalid":
        return FieldError("(body)", f"is no JSON: {inner}")
    if problem.get("type") == "extra_forbidden":
        return FieldError(_dotted(place), "unknown field; see /docs for what is known here")
    if problem.get("type") in _TIME_ERRORS:
        return FieldError(_dotted(place), _TIME_WANTED)
    if not place:
        why = "a JSON object is needed, with Content-Type: application/json"
        return FieldError("(body)", why)
    why = str(problem.get("msg", "is not valid")).removeprefix("Value error, ")
    return FieldError(_dotted(place), why)


def _dotted(place: Sequence[str]) -> str:
    return ".".join(place)[:MAX_FIELD] or "(blank)"
