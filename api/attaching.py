"""Files that people add: taken in as what they say they are, and given back for saving only."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

from fastapi import Request
from starlette.responses import Response

from api.problems import Problem, invalid
from api.rights.security import identity_of
from api.services import Services, services_of
from api.stripping import NotWhole, stripped
from contracts import Attachment
from plumbing.evidence import EvidenceFull

SIGNATURES = {
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/webp": (b"RIFF",),
    "video/mp4": (b"ftyp",),
    "application/pdf": (b"%PDF-",),
}
"""What may be attached, and what it begins with: a page that calls itself a picture is none."""
PICTURES = frozenset(kind for kind in SIGNATURES if kind.startswith("image/"))


def body_of_kinds(kinds: Collection[str]) -> dict[str, Any]:
    """The description of a request whose body is a file of one of these kinds."""
    file = {"schema": {"type": "string", "format": "binary"}}
    content = {kind: file for kind in SIGNATURES if kind in kinds}
    return {"requestBody": {"required": True, "content": content}}


async def taken(request: Request, name: str, kinds: Collection[str]) -> Attachment:
    """The file that a request's body is, kept without what a phone wrote beside it.

    Raises:
        Problem: 415 it isn't what it says or none of ``kinds``, 422 its name, 507 no room.
    """
    services = services_of(request)
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    content = await request.body()
    signs = SIGNATURES.get(media_type, ()) if media_type in kinds else ()
    if not any(sign in content[:16] for sign in signs):
        known = ", ".join(kind for kind in SIGNATURES if kind in kinds)
        raise Problem(415, "unsupported-media", f"Send one of {known}, and what it says it is.")
    if any(ord(character) < 32 for character in name):
        raise invalid("name", "must not hold control characters")
    try:
        content = await asyncio.to_thread(stripped, content, media_type)
        evidence_id = await asyncio.to_thread(services.evidence.put, content, media_type)
    except NotWhole as error:
        raise Problem(415, "unsupported-media", f"This can't be kept: {error}.") from error
    except EvidenceFull as error:
        raise Problem(507, "no-room", str(error)) from error
    return Attachment(
        evidence_id=evidence_id,
        name=name,
        media_type=media_type,
        size_bytes=len(content),
        at=services.clock.now(),
        actor=identity_of(request).name,
    )


async def given(services: Services, attached: Collection[Attachment], evidence_id: str) -> Response:
    """One of them, for saving.

    Raises:
        Problem: 404.
    """
    if all(one.evidence_id != evidence_id for one in attached):
        raise Problem(404, "not-found", "There is no such attachment.")
    content, media_type = await asyncio.to_thread(services.evidence.get, evidence_id)
    ending = media_type.partition("/")[2]
    return Response(
        content,
        media_type=media_type,
        headers={
            "Content-Disposition": f'attachment; filename="{evidence_id[:16]}.{ending}"',
            "X-Content-Type-Options": "nosniff",
        },
    )
