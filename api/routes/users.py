"""People's accounts, for those who give them out."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from api.problems import documented
from api.rights.access import GuardedRoute
from api.rights.reach import known_agency, require_grantable
from api.rights.security import identity_of
from api.schemas.bodies_accounts import ChangedUser, NewPassword, NewUser, shown
from api.schemas.shapes_accounts import SessionList, UserItem, UserList
from api.services import services_of
from api.wire import answer, plain
from incidents.people.accounts import Account, Role

router = APIRouter(prefix="/api/v1/users", route_class=GuardedRoute, tags=["accounts"])

Username = Annotated[str, Path(min_length=1, max_length=80)]


@router.get("", response_model=UserList, responses=documented(401, 403))
async def list_users(request: Request) -> Response:
    """Every account."""
    accounts = await services_of(request).store.accounts.all()
    return answer(plain({"users": [_item(one) for one in accounts]}))


@router.post(
    "", status_code=201, response_model=UserItem, responses=documented(401, 403, 409, 413, 422)
)
async def add_user(request: Request, body: NewUser) -> Response:
    """Make an account."""
    require_grantable(identity_of(request), body.role, None)
    account = await services_of(request).store.accounts.add(
        body.username,
        body.password,
        body.role,
        body.display_name,
        camera_groups=body.camera_groups,
        agency_id=known_agency(services_of(request), body.agency_id),
        actor=identity_of(request).name,
    )
    return answer(plain(_item(account)), 201)


@router.get("/{username}", response_model=UserItem, responses=documented(401, 403, 404))
async def read_user(request: Request, username: Username) -> Response:
    """One account."""
    return answer(plain(_item(await services_of(request).store.accounts.get(username))))


@router.patch("/{username}", response_model=UserItem, responses=documented(401, 403, 404, 413, 422))
async def change_user(request: Request, username: Username, body: ChangedUser) -> Response:
    """Change what is given; `camera_groups: null` is all cameras. The account's sessions end."""
    await _require_changeable(request, username, body.role)
    account = await services_of(request).store.accounts.change(
        username,
        display_name=body.display_name,
        role=body.role,
        enabled=body.enabled,
        camera_groups=body.camera_groups,
        all_cameras="camera_groups" in body.model_fields_set and body.camera_groups is None,
        actor=identity_of(request).name,
    )
    return answer(plain(_item(account)))


@router.put("/{username}/password", status_code=204, responses=documented(401, 403, 404, 413, 422))
async def reset_password(request: Request, username: Username, body: NewPassword) -> Response:
    """Give somebody another password. The account's sessions end, and so does a wait for wrong
    ones."""
    await _require_changeable(request, username, None)
    services = services_of(request)
    await services.store.accounts.set_password(
        username, body.password, actor=identity_of(request).name
    )
    services.lockout.forgive(username)
    return Response(status_code=204)


@router.get("/{username}/sessions", response_model=SessionList, responses=documented(401, 403, 404))
async def list_sessions(request: Request, username: Username) -> Response:
    """Where somebody is signed in: when each browser came, and when it was last used."""
    sessions = await services_of(request).store.sessions.of(username)
    found = [{"begun_at": shown(one.begun_at), "used_at": shown(one.used_at)} for one in sessions]
    return answer(plain({"sessions": found}))


@router.delete("/{username}/sessions", status_code=204, responses=documented(401, 403, 404))
async def end_sessions(request: Request, username: Username) -> Response:
    """Sign somebody out everywhere; the account stays as it is."""
    await services_of(request).store.sessions.end_all(username, actor=identity_of(request).name)
    return Response(status_code=204)


async def _require_changeable(request: Request, username: str, role: Role | None) -> None:
    account = await services_of(request).store.accounts.get(username)
    for one in (account.role, role or account.role):
        require_grantable(identity_of(request), one, None)


def _item(one: Account) -> dict[str, Any]:
    return {
        "username": one.username,
        "display_name": one.display_name,
        "role": one.role.value,
        "enabled": one.enabled,
        "external": one.is_external,
        "camera_groups": None if one.camera_groups is None else sorted(one.camera_groups),
        "agency_id": one.agency_id,
        "created_at": shown(one.created_at),
    }
