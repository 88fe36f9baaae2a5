"""Signing in and out."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.access import GuardedRoute
from api.bodies import SignIn
from api.problems import Problem, documented
from api.security import COOKIE, drop_cookie, identity_of, set_cookie
from api.services import services_of
from api.shapes import User
from api.wire import answer, plain
from plumbing.logs import get_logger

router = APIRouter(prefix="/api/v1/session", route_class=GuardedRoute, tags=["session"])

_log = get_logger(__name__)
_checks = asyncio.Semaphore(2)
"""Passwords checked at once: each takes 64 MiB and tens of milliseconds, by design."""


@router.post("", response_model=User, responses=documented(401, 403, 422, 429))
async def sign_in(request: Request, body: SignIn) -> Response:
    """Sign in with a name and a password; the session comes as a cookie."""
    services = services_of(request)
    address = request.client.host if request.client else "?"
    wait_s = services.lockout.wait_s(body.username, address)
    if wait_s > 0:
        raise Problem(
            429,
            "locked-out",
            f"Too many wrong passwords; try again in {wait_s:.0f} s.",
            headers={"Retry-After": str(int(wait_s) + 1)},
        )
    async with _checks:
        account = await services.store.accounts.check_password(body.username, body.password)
    if account is None:
        services.lockout.failed(body.username, address)
        _log.warning("sign-in refused", address=address)
        raise Problem(401, "wrong-password", "The name or the password is wrong.")
    services.lockout.succeeded(body.username, address)
    old = request.cookies.get(COOKIE)
    if old:
        # A token from before the sign-in must not live on beside the new one.
        await services.store.sessions.end(old)
    token = await services.store.sessions.open(account.username)
    _log.info("signed in", username=account.username, role=account.role, address=address)
    response = answer(_user(account.username, account.display_name, account.role))
    set_cookie(response, token, services.settings.api)
    return response


@router.get("", response_model=User, responses=documented(401))
async def who_am_i(request: Request) -> Response:
    """Who is signed in."""
    identity = identity_of(request)
    return answer(_user(identity.name, identity.display_name, identity.role))


@router.delete("", status_code=204, responses=documented(401, 403))
async def sign_out(request: Request) -> Response:
    """End the session and the feed connections that came in with it."""
    services = services_of(request)
    identity = identity_of(request)
    await services.store.sessions.end(identity.secret)
    services.readers.sign_out(identity)
    response = Response(status_code=204)
    drop_cookie(response, services.settings.api)
    return response


def _user(username: str, display_name: str, role: str) -> bytes:
    return plain({"username": username, "display_name": display_name, "role": role})
