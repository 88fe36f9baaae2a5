"""Signing in and out."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.problems import Problem, documented
from api.rights.access import GuardedRoute
from api.rights.identity import Kind
from api.rights.security import COOKIE, address_of, drop_cookie, identity_of, set_cookie
from api.schemas.bodies import SignIn
from api.schemas.bodies_accounts import OwnPassword
from api.schemas.shapes import User
from api.services import Services, services_of
from api.wire import answer, plain
from incidents.errors import NotFound
from incidents.people.accounts import Account
from incidents.people.audit import AuditAction
from incidents.people.audit_chain import AuditEvent
from plumbing.logs import get_logger

router = APIRouter(prefix="/api/v1/session", route_class=GuardedRoute, tags=["session"])

_log = get_logger(__name__)
NOBODY = "nobody"
"""The actor of a sign-in that failed."""
_checks = asyncio.Semaphore(2)
"""Passwords checked at once: each takes 64 MiB and tens of milliseconds, by design."""


@router.post("", response_model=User, responses=documented(401, 403, 422, 429))
async def sign_in(request: Request, body: SignIn) -> Response:
    """Sign in with a name and a password; the session comes as a cookie."""
    account = await _checked(request, body.username, body.password)
    response = answer(_user(account.username, account.display_name, account.role))
    await begin_session(request, response, account)
    return response


async def begin_session(request: Request, response: Response, account: Account) -> None:
    """Sign somebody in who has proved who they are; the answer gets the session's cookie."""
    services = services_of(request)
    address = address_of(request)
    old = request.cookies.get(COOKIE)
    if old:
        # A token from before the sign-in must not live on beside the new one.
        await services.store.sessions.end(old)
    await services.store.audit.record(
        AuditEvent(
            action=AuditAction.SIGNED_IN,
            actor=account.username,
            subject=account.username,
            details={"address": address, "external": account.is_external},
        )
    )
    token = await services.store.sessions.open(account.username)
    _log.info("signed in", username=account.username, role=account.role, address=address)
    set_cookie(response, token, services.settings.api)


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
    await services.store.audit.record(
        AuditEvent(action=AuditAction.SIGNED_OUT, actor=identity.name, subject=identity.name)
    )
    services.readers.sign_out(identity)
    response = Response(status_code=204)
    drop_cookie(response, services.settings.api)
    return response


@router.put("/password", status_code=204, responses=documented(401, 403, 413, 422, 429))
async def change_own_password(request: Request, body: OwnPassword) -> Response:
    """Take another password oneself; every session of the account ends but the new one begins."""
    services = services_of(request)
    identity = identity_of(request)
    if identity.kind is not Kind.PERSON:
        raise Problem(403, "forbidden", "A machine's key has no password; rotate it.")
    account = await _checked(request, identity.name, body.current)
    await services.store.accounts.set_password(identity.name, body.password, actor=identity.name)
    response = Response(status_code=204)
    await begin_session(request, response, account)
    return response


async def _checked(request: Request, username: str, password: str) -> Account:
    """The account, if the password is right.

    Raises:
        Problem: 401 it isn't, 429 too many were not.
    """
    services = services_of(request)
    address = address_of(request)
    wait_s = services.lockout.wait_s(username, address)
    if wait_s > 0:
        raise Problem(
            429,
            "locked-out",
            f"Too many wrong passwords; try again in {wait_s:.0f} s.",
            headers={"Retry-After": str(int(wait_s) + 1)},
        )
    async with _checks:
        account = await services.store.accounts.check_password(username, password)
    if account is None:
        services.lockout.failed(username, address)
        _log.warning("sign-in refused", address=address)
        await services.store.audit.record(
            AuditEvent(
                action=AuditAction.SIGN_IN_REFUSED,
                actor=NOBODY,
                subject=await _known_name(services, username),
                details={"address": address},
            )
        )
        raise Problem(401, "wrong-password", "The name or the password is wrong.")
    services.lockout.succeeded(username, address)
    return account


async def _known_name(services: Services, username: str) -> str:
    # A name that isn't one may be a password in the wrong field: only its fingerprint is kept.
    try:
        return (await services.store.accounts.get(username)).username
    except NotFound:
        return f"unknown {services.sealer.fingerprint(username)[:16]}"


def _user(username: str, display_name: str, role: str) -> bytes:
    return plain({"username": username, "display_name": display_name, "role": role})
