"""What came over the bus and could not be used: looked at, taken in once it can be read, or thrown
away. Nothing else of it is lost meanwhile: each letter is whole, and in its own time."""

from __future__ import annotations

import base64
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from api.problems import Problem, documented
from api.rights.access import GuardedRoute
from api.rights.security import identity_of
from api.schemas.bodies_letters import Reason
from api.schemas.shapes_letters import DeadLetterList, TakenLetter
from api.services import Services, services_of
from api.wire import answer, plain
from contracts import CameraHealth, ClipReport, ContractError, Detection, from_json
from incidents.dead_letters import DISCARDED, TAKEN
from incidents.errors import NotFound
from plumbing.bus import CLIPS, DETECTIONS, HEALTH

router = APIRouter(prefix="/api/v1/dead-letters", route_class=GuardedRoute, tags=["operations"])

TopicName = Annotated[str, Path(pattern=r"^[a-z]{1,40}$")]
EntryId = Annotated[str, Path(pattern=r"^[0-9]{1,20}-[0-9]{1,20}$")]


@router.get("", response_model=DeadLetterList, responses=documented(401, 403, 422))
async def list_dead_letters(
    request: Request, limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> Response:
    """What could not be used, newest first, and why."""
    store = services_of(request).store
    letters = await store.dead_letters.newest(limit)
    aside = await store.reports.set_aside()
    found: dict[str, Any] = {
        "dead_letters": [
            {
                "id": one.id,
                "recorded_at": one.recorded_at.isoformat(),
                "problem": one.problem,
                "is_whole": one.is_whole,
            }
            for one in letters
        ],
        "set_aside": [{"report_id": key, "problem": problem} for key, problem in aside],
    }
    return answer(plain(found))


@router.get(
    "/{topic}/{entry_id}",
    response_class=Response,
    responses={
        200: {"content": {"application/octet-stream": {}}},
        **documented(401, 403, 404, 422),
    },
)
async def read_dead_letter(request: Request, topic: TopicName, entry_id: EntryId) -> Response:
    """A letter's bytes as they came; who reads them is written down."""
    content = await _content(services_of(request), f"{topic}/{entry_id}")
    # Whatever it is, a browser must not take it for a page.
    headers = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"}
    return Response(content, media_type="application/octet-stream", headers=headers)


@router.post(
    "/{topic}/{entry_id}/process",
    response_model=TakenLetter,
    responses=documented(401, 403, 404, 413, 422, 503),
)
async def process_dead_letter(
    request: Request, topic: TopicName, entry_id: EntryId, body: Reason
) -> Response:
    """Take it in as if it came now, which works once what was wrong is mended: another version of
    the program, a camera that was registered since. 422 says what is still wrong with it."""
    services = services_of(request)
    letter_id = f"{topic}/{entry_id}"
    content = await _content(services, letter_id)
    try:
        is_new = await _take(services, topic, content)
    except (ContractError, UnicodeDecodeError, NotFound) as error:
        raise Problem(422, "still-unusable", f"It still can't be used: {error}.") from error
    await services.store.dead_letters.remove(
        letter_id, action=TAKEN, actor=identity_of(request).name, reason=body.reason
    )
    return answer(plain({"id": letter_id, "outcome": "taken" if is_new else "repeated"}))


@router.post(
    "/{topic}/{entry_id}/discard",
    status_code=204,
    responses=documented(401, 403, 404, 413, 422, 503),
)
async def discard_dead_letter(
    request: Request, topic: TopicName, entry_id: EntryId, body: Reason
) -> Response:
    """Throw it away; the audit log keeps that it was, by whom and why."""
    await services_of(request).store.dead_letters.remove(
        f"{topic}/{entry_id}",
        action=DISCARDED,
        actor=identity_of(request).name,
        reason=body.reason,
    )
    return Response(status_code=204)


async def _content(services: Services, letter_id: str) -> bytes:
    sealed = await services.store.dead_letters.sealed(letter_id)
    return base64.b64decode(services.sealer.unseal(sealed))


async def _take(services: Services, topic: str, content: bytes) -> bool:
    """Store what a letter tells; false where it had been stored before."""
    if topic == DETECTIONS.name:
        detection = from_json(Detection, content)
        # A detection of a camera that nobody knows would be placed nowhere.
        await services.store.cameras.get(detection.camera_id)
        accepted = await services.store.reports.accept([detection])
        return accepted[0].is_new
    if topic == HEALTH.name:
        await services.store.cameras.record_health(from_json(CameraHealth, content))
    elif topic == CLIPS.name:
        await services.store.clips.record([from_json(ClipReport, content)])
    else:
        raise NotFound("topic", topic)
    return True
