"""Machines' keys: issued with no more rights than needed, rotated without a pause, revoked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from api.problems import documented, invalid
from api.rights.access import ACCESS, GuardedRoute
from api.rights.reach import known_agency, require_grantable
from api.rights.scopes import scopes_of
from api.rights.security import identity_of
from api.schemas.bodies_accounts import NewKey, Rotation, shown
from api.schemas.shapes_accounts import IssuedKey, KeyList
from api.services import services_of
from api.wire import answer, plain
from contracts import ContractError
from incidents.people.keys import MachineKey

router = APIRouter(prefix="/api/v1/keys", route_class=GuardedRoute, tags=["accounts"])

KNOWN_SCOPES = scopes_of(line for line, roles in ACCESS.items() if roles is not None)

KeyName = Annotated[str, Path(min_length=1, max_length=80)]


@router.get("", response_model=KeyList, responses=documented(401, 403))
async def list_keys(request: Request) -> Response:
    """Every key that was issued, and the scopes that there are."""
    keys = await services_of(request).store.keys.all()
    found = {"keys": [_item(one) for one in keys], "known_scopes": sorted(KNOWN_SCOPES)}
    return answer(plain(found))


@router.post(
    "", status_code=201, response_model=IssuedKey, responses=documented(401, 403, 409, 413, 422)
)
async def issue_key(request: Request, body: NewKey) -> Response:
    """Make a key for a machine. The answer is the only place where it is told."""
    require_known(body.scopes or ())
    _require_ahead(request, body.expires_at)
    require_grantable(identity_of(request), body.role, body.scopes or KNOWN_SCOPES)
    key = await services_of(request).store.keys.issue(
        body.name,
        body.role,
        body.expires_at,
        scopes=body.scopes,
        camera_groups=body.camera_groups,
        agency_id=known_agency(services_of(request), body.agency_id),
        actor=identity_of(request).name,
    )
    return answer(plain({"name": body.name, "key": key}), 201)


@router.post(
    "/{name}/rotate", response_model=IssuedKey, responses=documented(401, 403, 404, 413, 422)
)
async def rotate_key(request: Request, name: KeyName, body: Rotation) -> Response:
    """Replace a key; the old one is let in beside it until the machine has been given the new."""
    _require_ahead(request, body.expires_at)
    for one in await services_of(request).store.keys.all():
        if one.name == name:
            require_grantable(identity_of(request), one.role, one.scopes or KNOWN_SCOPES)
    key = await services_of(request).store.keys.rotate(
        name, body.overlap, body.expires_at, actor=identity_of(request).name
    )
    return answer(plain({"name": name, "key": key}))


@router.delete("/{name}", status_code=204, responses=documented(401, 403, 404))
async def revoke_key(request: Request, name: KeyName) -> Response:
    """End a key for good, with the connections that came in by it."""
    await services_of(request).store.keys.revoke(name, actor=identity_of(request).name)
    return Response(status_code=204)


def _require_ahead(request: Request, expires_at: datetime | None) -> None:
    if expires_at is not None and expires_at <= services_of(request).clock.now():
        raise invalid("expires_at", "has passed already")


def require_known(scopes: Iterable[str]) -> None:
    """Refuse a scope that no route takes.

    Raises:
        ContractError: it names the first such scope, and all that there are.
    """
    for scope in scopes:
        if scope not in KNOWN_SCOPES:
            known = ", ".join(sorted(KNOWN_SCOPES))
            raise ContractError("scopes", f"no scope {scope[:80]!r}; known: {known}")


def _item(one: MachineKey) -> dict[str, Any]:
    return {
        "name": one.name,
        "role": one.role.value,
        "scopes": None if one.scopes is None else sorted(one.scopes),
        "camera_groups": None if one.camera_groups is None else sorted(one.camera_groups),
        "agency_id": one.agency_id,
        "created_at": shown(one.created_at),
        "expires_at": shown(one.expires_at),
        "revoked_at": shown(one.revoked_at),
        "previous_until": shown(one.previous_until),
        "used_at": shown(one.used_at),
    }
