"""The models that watch: what they are, how a shadow does beside them, what the gate answered."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import Response

from api.problems import documented
from api.rights.access import GuardedRoute
from api.services import services_of
from api.wire import answer, plain
from contracts import to_plain
from contracts.models import ModelFacts, Promotion, ShadowComparison

router = APIRouter(prefix="/api/v1", route_class=GuardedRoute, tags=["learning"])


class ModelItem(BaseModel):
    """A model, and the workers that look with it."""

    model: ModelFacts
    workers: list[str]


class ModelList(BaseModel):
    """Models in use, comparisons with shadows, and the promotion gate's answers, newest first."""

    models: list[ModelItem]
    shadows: list[ShadowComparison]
    promotions: list[Promotion]


@router.get("/models", response_model=ModelList, responses=documented(401, 403, 503))
async def list_models(request: Request) -> Response:
    """What the workers that were heard of in the last minutes tell of their models."""
    told = await services_of(request).bus.read_models()
    workers: dict[ModelFacts, list[str]] = {}
    # Workers of one machine tell of the same folder; one pair is told once.
    shadows: dict[tuple[str, str], ShadowComparison] = {}
    promotions: set[Promotion] = set()
    for worker, report in told.items():
        for model in report.models:
            workers.setdefault(model, []).append(worker)
        shadows.update({(one.live, one.shadow): one for one in report.shadows})
        promotions.update(report.promotions)
    newest = sorted(promotions, key=lambda one: one.at, reverse=True)
    found = {
        "models": [{"model": to_plain(one), "workers": names} for one, names in workers.items()],
        "shadows": [to_plain(one) for one in shadows.values()],
        "promotions": [to_plain(one) for one in newest],
    }
    return answer(plain(found))
