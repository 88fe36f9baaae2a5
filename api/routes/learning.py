"""What fusion has learnt from decided incidents: look at it, freeze it, take it back."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field, StrictBool
from starlette.responses import Response

from api.problems import documented
from api.rights.access import GuardedRoute
from api.rights.noting import note
from api.schemas.bodies import Body
from api.services import services_of
from api.wire import answer, array, members
from contracts import LearntFigure, to_json

router = APIRouter(prefix="/api/v1", route_class=GuardedRoute, tags=["learning"])


class LearntFigures(BaseModel):
    """By name."""

    figures: list[LearntFigure]


class LearningOrder(Body):
    """What to do with one figure: freeze it or let it learn again, or reset it."""

    name: str = Field(min_length=1, max_length=80)
    frozen: StrictBool | None = None
    reset: StrictBool = False


@router.get("/learning", response_model=LearntFigures, responses=documented(401, 403))
async def list_learnt(request: Request) -> Response:
    """Every figure that fusion has learnt, with its date, its samples, and what is assumed in its
    place. One without a value has too little data yet and does nothing."""
    figures = await services_of(request).store.learning.figures()
    return answer(members(figures=array(map(to_json, figures))))


@router.put("/learning", response_model=LearntFigure, responses=documented(401, 403, 404, 413, 422))
async def order_learning(request: Request, body: LearningOrder) -> Response:
    """Freeze a figure, let it learn again, or reset it: then what is assumed acts, and only what is
    decided from now on teaches. Fusion follows within ten minutes."""
    learning = services_of(request).store.learning
    figure = None
    if body.reset:
        figure = await learning.reset(body.name)
    if body.frozen is not None or figure is None:
        figure = await learning.freeze(body.name, frozen=bool(body.frozen))
    did = "reset" if body.reset else "frozen" if body.frozen else "freed"
    await note(request, f"learning.{did}", body.name)
    return answer(to_json(figure))
