"""Webhooks: who is sent which changes; and what could not be delivered."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, Field, StrictBool
from starlette.responses import Response

from api.outgoing.posting import require_http
from api.outgoing.signing import new_secret
from api.problems import documented
from api.rights.access import GuardedRoute
from api.rights.noting import note
from api.rights.reach import known_agency
from api.schemas.bodies import Body, Text, Version
from api.services import Services, services_of
from api.wire import answer, plain
from contracts import AgencyId, AlarmLevel, Hazard, LogKind, to_plain
from incidents.webhooks import Webhook, WebhookState
from plumbing.address_guard import HostNotFound
from plumbing.ids import new_id

router = APIRouter(prefix="/api/v1/webhooks", route_class=GuardedRoute, tags=["webhooks"])

Id = Annotated[str, Path(min_length=1, max_length=80)]
Words = Annotated[list[Annotated[Text, Field(min_length=1, max_length=200)]], Field(max_length=50)]


class WebhookFields(Body):
    """A receiver, and what it is sent; a list that is left out lets all through."""

    name: Text = Field(min_length=1, max_length=200)
    url: Text = Field(min_length=8, max_length=2_000, description="https:// (or http://)")
    kinds: list[LogKind] = Field([], max_length=50)
    hazards: list[Hazard] = Field([], max_length=20)
    levels: list[AlarmLevel] = Field([], max_length=20)
    areas: Words = Field([])
    agencies: Words = Field([], description="What these agencies are told of, and nothing else")
    groups: Words = Field([])
    exercise: StrictBool = Field(False, description="Exercises only, or what is real only")
    enabled: StrictBool = True


class ChangedWebhook(WebhookFields):
    """A webhook with every field as it shall be."""

    version: Version


class Again(Body):
    """Which dead letters to send again; all of them where none are named."""

    seqs: list[Annotated[int, Field(ge=1, le=2**53)]] | None = Field(None, max_length=500)


class SecretRotation(Body):
    """How a secret is replaced."""

    overlap_hours: float = Field(
        24, ge=0, le=720, strict=True, description="Messages are signed by both for so long"
    )


class WebhookItem(BaseModel):
    """A webhook and how it goes."""

    webhook: Webhook
    cursor_seq: int
    waiting: int
    dead: int
    failures: int
    paused_until: str | None
    problem: str


class WebhookList(BaseModel):
    """All webhooks."""

    webhooks: list[WebhookItem]


class NewWebhookItem(WebhookItem):
    """A webhook with its secret, which is never told again."""

    secret: str


class Secret(BaseModel):
    """A secret; it is never told again."""

    secret: str


class DeadLetter(BaseModel):
    """A change that could not be delivered."""

    seq: int
    subject_id: str
    attempts: int
    queued_at: str
    problem: str


class DeadLetterList(BaseModel):
    """Dead letters, oldest first; `next` is the next page's `after`."""

    dead_letters: list[DeadLetter]
    next: int | None


class SentAgain(BaseModel):
    """How many were put back into the outbox."""

    queued: int


@router.get("", response_model=WebhookList, responses=documented(401, 403))
async def list_webhooks(request: Request) -> Response:
    """Every webhook and how it goes."""
    states = await services_of(request).store.webhooks.all()
    return answer(plain({"webhooks": [_item(state) for state in states]}))


@router.post(
    "", status_code=201, response_model=NewWebhookItem, responses=documented(401, 403, 413, 422)
)
async def add_webhook(request: Request, body: WebhookFields) -> Response:
    """Send changes to a receiver from now on. The answer is the only place where its secret is
    told; the receiver checks signatures with it (Standard Webhooks)."""
    services = services_of(request)
    webhook = await _webhook(services, body, new_id("hook"))
    secret = new_secret()
    await services.store.webhooks.add(webhook, services.sealer.seal(secret))
    services.webhooks.changed()
    await note(request, "webhook.added", webhook.id)
    state = await services.store.webhooks.get(webhook.id)
    return answer(plain(_item(state) | {"secret": secret}), 201)


@router.get("/{webhook_id}", response_model=WebhookItem, responses=documented(401, 403, 404))
async def read_webhook(request: Request, webhook_id: Id) -> Response:
    """One webhook and how it goes."""
    return answer(plain(_item(await services_of(request).store.webhooks.get(webhook_id))))


@router.put(
    "/{webhook_id}",
    response_model=WebhookItem,
    responses=documented(401, 403, 404, 409, 413, 422),
)
async def change_webhook(request: Request, webhook_id: Id, body: ChangedWebhook) -> Response:
    """Change the one that is at the version given, and try its receiver again at once."""
    services = services_of(request)
    webhook = await _webhook(services, body, webhook_id)
    await services.store.webhooks.change(webhook, version=body.version)
    services.webhooks.changed()
    await note(request, "webhook.changed", webhook_id)
    return answer(plain(_item(await services.store.webhooks.get(webhook_id))))


@router.delete("/{webhook_id}", status_code=204, responses=documented(401, 403, 404))
async def remove_webhook(request: Request, webhook_id: Id) -> Response:
    """Send nothing more, and drop what waits."""
    services = services_of(request)
    await services.store.webhooks.remove(webhook_id)
    services.webhooks.changed()
    await note(request, "webhook.removed", webhook_id)
    return Response(status_code=204)


@router.post(
    "/{webhook_id}/secret", response_model=Secret, responses=documented(401, 403, 404, 413, 422)
)
async def rotate_secret(request: Request, webhook_id: Id, body: SecretRotation) -> Response:
    """Replace the secret; messages bear both signatures until the receiver knows the new one."""
    services = services_of(request)
    secret = new_secret()
    await services.store.webhooks.rotate(
        webhook_id, services.sealer.seal(secret), timedelta(hours=body.overlap_hours)
    )
    await note(request, "webhook.secret", webhook_id)
    return answer(plain({"secret": secret}))


@router.get(
    "/{webhook_id}/dead-letters",
    response_model=DeadLetterList,
    responses=documented(401, 403, 404, 422),
)
async def list_dead_letters(
    request: Request,
    webhook_id: Id,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    after: Annotated[int, Query(ge=0, le=2**53)] = 0,
) -> Response:
    """What could not be delivered, oldest first."""
    webhooks = services_of(request).store.webhooks
    await webhooks.get(webhook_id)
    found = await webhooks.outboxes.dead_letters(webhook_id, limit, after)
    shown = [
        {
            "seq": one.seq,
            "subject_id": one.subject_id,
            "attempts": one.attempts,
            "queued_at": one.queued_at.isoformat(),
            "problem": one.problem,
        }
        for one in found
    ]
    following = found[-1].seq if len(found) == limit else None
    return answer(plain({"dead_letters": shown, "next": following}))


@router.post(
    "/{webhook_id}/dead-letters/send",
    response_model=SentAgain,
    responses=documented(401, 403, 404, 413, 422),
)
async def send_again(request: Request, webhook_id: Id, body: Again) -> Response:
    """Put dead letters back into the outbox. They come late: `sequence` tells a receiver so."""
    seqs = None if body.seqs is None else set(body.seqs)
    queued = await services_of(request).store.webhooks.outboxes.send_again(webhook_id, seqs)
    await note(request, "webhook.sent-again", webhook_id)
    return answer(plain({"queued": queued}))


async def _webhook(services: Services, body: WebhookFields, webhook_id: str) -> Webhook:
    require_http(body.url)
    # A name that can't be resolved now may be tomorrow; it is checked again at every message.
    with contextlib.suppress(HostNotFound):
        await services.webhooks.guard.resolve_async(body.url)
    for agency in body.agencies:
        known_agency(services, agency)
    return Webhook(
        id=webhook_id,
        name=body.name,
        url=body.url,
        kinds=tuple(body.kinds),
        hazards=tuple(body.hazards),
        levels=tuple(body.levels),
        areas=tuple(body.areas),
        agencies=tuple(AgencyId(one) for one in body.agencies),
        groups=tuple(body.groups),
        exercise=body.exercise,
        enabled=body.enabled,
    )


def _item(state: WebhookState) -> dict[str, Any]:
    return {
        "webhook": to_plain(state.webhook),
        "cursor_seq": state.cursor_seq,
        "waiting": state.waiting,
        "dead": state.dead,
        "failures": state.failures,
        "paused_until": None if state.paused_until is None else state.paused_until.isoformat(),
        "problem": state.problem,
    }
