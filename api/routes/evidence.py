"""Pictures and clips that prove an incident."""

from __future__ import annotations

import asyncio
import re
from typing import Annotated

from fastapi import APIRouter, Header, Path, Request
from starlette.responses import Response

from api.problems import documented
from api.rights.access import GuardedRoute
from api.services import services_of

router = APIRouter(prefix="/api/v1/evidence", route_class=GuardedRoute, tags=["evidence"])

_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


@router.get("/{evidence_id}", responses=documented(401, 404), response_class=Response)
async def read_evidence(
    request: Request,
    evidence_id: Annotated[str, Path(min_length=1, max_length=100)],
    range_: Annotated[str | None, Header(alias="range", max_length=200)] = None,
) -> Response:
    """The bytes. Their id is their SHA-256, so a browser may keep them, but for this user alone.

    A part of them is given on request, which players need to jump within a clip.
    """
    store = services_of(request).evidence
    content, media_type = await asyncio.to_thread(store.get, evidence_id)
    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, max-age=86400, immutable",
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }
    part = _part(range_, len(content))
    if part is None:
        return Response(content, media_type=media_type, headers=headers)
    headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{len(content)}"
    return Response(content[part.start : part.stop], 206, media_type=media_type, headers=headers)


def _part(header: str | None, size: int) -> range | None:
    """The one range that was asked for; none where the whole is to be sent (RFC 9110, 14.2)."""
    found = _RANGE.fullmatch(header or "")
    if found is None or found[1] == found[2] == "":
        return None
    if not found[1]:
        start, end = max(0, size - int(found[2])), size - 1
    else:
        start, end = int(found[1]), int(found[2] or size - 1)
    end = min(end, size - 1)
    return range(start, end + 1) if start <= end else None
