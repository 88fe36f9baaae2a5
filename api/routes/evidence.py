"""Pictures and clips that prove an incident."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from api.access import GuardedRoute
from api.problems import documented
from api.services import services_of

router = APIRouter(prefix="/api/v1/evidence", route_class=GuardedRoute, tags=["evidence"])


@router.get("/{evidence_id}", responses=documented(401, 404), response_class=Response)
async def read_evidence(
    request: Request, evidence_id: Annotated[str, Path(min_length=1, max_length=100)]
) -> Response:
    """The bytes. Their id is their SHA-256, so a browser may keep them, but for this user alone."""
    store = services_of(request).evidence
    content, media_type = await asyncio.to_thread(store.get, evidence_id)
    return Response(
        content,
        media_type=media_type,
        headers={
            "Cache-Control": "private, max-age=86400, immutable",
            "Content-Security-Policy": "sandbox; default-src 'none'",
        },
    )
