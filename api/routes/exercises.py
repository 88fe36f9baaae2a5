"""Exercises: play a scenario of the simulated city, and see how those at the desks did.

What plays is asked over the bus; what has ended is a record in the database, which the city hands
in as an ordinary client with a machine's key.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field, StrictInt, ValidationError
from starlette.responses import Response

from api.formats.exports import csv_table
from api.problems import Problem, documented, invalid, unavailable
from api.rights.access import GuardedRoute
from api.rights.identity import Kind
from api.rights.security import identity_of
from api.routes.reports import As, Format
from api.schemas.bodies import Body, Moment, Text
from api.schemas.shapes_exercises import Exercise, ExerciseList, ExerciseState, Score
from api.services import services_of
from api.wire import answer, plain
from contracts import ExerciseRecord, ScenarioReport, StartScenario, to_plain
from plumbing.bus import NoAnswer

CITY_ANSWERS_WITHIN_S = 8.0
"""It lays out a city of hundreds of junctions first."""
LARGEST_SCORE = 1_000_000

router = APIRouter(prefix="/api/v1/exercises", route_class=GuardedRoute, tags=["exercises"])

Id = Annotated[str, Path(min_length=1, max_length=80)]


class Order(Body):
    """Which scenario to play from its beginning."""

    scenario: Text = Field(min_length=1, max_length=60)
    seed: Annotated[StrictInt, Field(ge=0, le=2**31)] | None = Field(
        None, description="Another city and other callers than the scenario's own"
    )


class Record(Body):
    """An exercise that has ended, as the city saw it."""

    id: Text = Field(min_length=1, max_length=80)
    scenario: Text = Field(min_length=1, max_length=60)
    title: Text = Field(max_length=200)
    judul: Text = Field(max_length=200)
    seed: StrictInt
    asked_by: Text = Field(max_length=80)
    started_at: Moment
    ended_at: Moment
    score: str = Field(max_length=LARGEST_SCORE, description="A JSON document")


@router.get("", response_model=ExerciseList, responses=documented(401, 403, 503))
async def list_exercises(
    request: Request, limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> Response:
    """The scenarios that can be played here, and the exercises that were, newest first."""
    services = services_of(request)
    state = await services.bus.read_exercise()
    records = await services.store.exercises.recent(limit)
    found = {
        "scenarios": [] if state is None else [to_plain(one) for one in state.available],
        "exercises": [_summary(record) for record in records],
    }
    return answer(plain(found))


@router.get("/current", response_model=ExerciseState, responses=documented(401, 503))
async def read_current(request: Request) -> Response:
    """What the simulated city plays now; everybody's screen says so."""
    return answer(plain(_state(await services_of(request).bus.read_exercise())))


@router.post(
    "",
    status_code=202,
    response_model=ExerciseState,
    responses=documented(401, 403, 413, 422, 503),
)
async def start_exercise(request: Request, body: Order) -> Response:
    """Play a scenario from its beginning. Another one that plays is stopped and scored."""
    return answer(plain(_state(await _ask(request, body.scenario, body.seed))), 202)


@router.delete(
    "/current", status_code=202, response_model=ExerciseState, responses=documented(401, 403, 503)
)
async def stop_exercise(request: Request) -> Response:
    """Stop what plays; it is scored for what it came to, and the city goes back to its own."""
    return answer(plain(_state(await _ask(request, None, None))), 202)


@router.post("/records", status_code=204, responses=documented(401, 403, 413, 422))
async def keep_record(request: Request, body: Record) -> Response:
    """Hand in how an exercise went: for the simulated city's key."""
    identity = identity_of(request)
    if identity.kind is not Kind.MACHINE:
        raise Problem(
            403, "forbidden", "Scores are handed in by the simulated city, not by people."
        )
    try:
        Score.model_validate_json(body.score)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, ("score", *first["loc"])))
        raise invalid(where, first["msg"]) from None
    record = ExerciseRecord(**body.model_dump())
    await services_of(request).store.exercises.keep(record, actor=identity.name)
    return Response(status_code=204)


@router.get(
    "/{exercise_id}",
    response_model=Exercise,
    responses=documented(401, 403, 404, 422)
    | {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
async def read_exercise(request: Request, exercise_id: Id, as_: As = Format.JSON) -> Response:
    """How an exercise went: event by event, person by person; as CSV the persons alone."""
    record = await services_of(request).store.exercises.get(exercise_id)
    if as_ is Format.CSV:
        return _csv(record)
    return answer(plain({**_summary(record), "score": json.loads(record.score)}))


async def _ask(request: Request, name: str | None, seed: int | None) -> ScenarioReport:
    command = StartScenario(name=name, seed=seed, asked_by=identity_of(request).name)
    try:
        report = await services_of(request).bus.ask_city(command, CITY_ANSWERS_WITHIN_S)
    except NoAnswer:
        raise unavailable(
            "city",
            "No simulated city runs beside this system; exercises have a system of their own: "
            "`siaga demo`, on another port or machine.",
        ) from None
    if report.refused:
        raise invalid("scenario", report.refused)
    return report


def _state(report: ScenarioReport | None) -> dict[str, Any]:
    if report is None:
        return {"city": False, "is_playing": False, **dict.fromkeys(_TOLD, "")} | _NO_TIMES
    told = to_plain(report)
    return {
        "city": True,
        "is_playing": report.is_playing,
        **{name: told[name] for name in (*_TOLD, *_NO_TIMES)},
    }


_TOLD = ("exercise_id", "name", "title", "judul", "asked_by")
_NO_TIMES: dict[str, Any] = {"started_at": None, "ends_at": None}


def _summary(record: ExerciseRecord) -> dict[str, Any]:
    score = json.loads(record.score)
    told = to_plain(record)
    del told["score"]
    return {**told, **{part: score[part] for part in ("totals", "operators", "trainees")}}


def _csv(record: ExerciseRecord) -> Response:
    columns = (
        "exercise", "scenario", "started_at", "name",
        "acknowledged", "acknowledged_s", "verified", "verified_s", "dispatched", "dispatched_s",
        "right", "believed", "dismissed",
    )  # fmt: skip

    def rows() -> Iterator[list[object]]:
        head = [record.id, record.scenario, record.started_at.isoformat()]
        for person in json.loads(record.score)["trainees"]:
            yield [*head, *("" if person[key] is None else person[key] for key in columns[3:])]

    return Response(
        csv_table(columns, rows()),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="siaga-{record.scenario}.csv"'},
    )
