"""Signing in with the identity provider: there, and back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from api.oidc import LASTS, OidcFailed, Person
from api.problems import Problem, documented
from api.rights.access import GuardedRoute
from api.rights.security import address_of
from api.routes.session import NOBODY, begin_session
from api.schemas.shapes_accounts import SignInWays
from api.services import Services, services_of
from api.wire import answer, plain
from incidents.errors import Exists
from incidents.people.accounts import Account, Role
from incidents.people.audit import AuditAction
from incidents.people.audit_chain import AuditEvent
from plumbing.logs import get_logger

router = APIRouter(prefix="/api/v1/session", route_class=GuardedRoute, tags=["session"])

COOKIE = "siaga_oidc"
PATH = "/api/v1/session/oidc"
_log = get_logger(__name__)


@router.get("/ways", response_model=SignInWays)
async def ways_to_sign_in(request: Request) -> Response:
    """What the sign-in page offers."""
    services = services_of(request)
    oidc = services.settings.oidc
    return answer(plain({"oidc_name": oidc.name if services.oidc.is_configured else None}))


@router.get("/oidc", status_code=302, responses=documented(404, 502), response_class=Response)
async def go_to_provider(request: Request) -> Response:
    """Send the browser to the identity provider."""
    services = _configured(request)
    try:
        start = await services.oidc.start(_redirect_uri(request))
    except OidcFailed as error:
        raise _failed(error, 502) from error
    response = RedirectResponse(start.url, 302)
    response.set_cookie(
        COOKIE,
        start.cookie,
        max_age=int(LASTS.total_seconds()),
        path=PATH,
        httponly=True,
        # The provider's page brings the browser back: a strict cookie would stay at home.
        samesite="lax",
        secure=services.settings.api.cookie_secure,
    )
    return response


@router.get(
    "/oidc/callback",
    status_code=303,
    responses=documented(401, 403, 404, 422),
    response_class=Response,
)
async def come_back(
    request: Request,
    state: Annotated[str, Query(max_length=500)] = "",
    code: Annotated[str, Query(max_length=4_000)] = "",
    error: Annotated[str, Query(max_length=500)] = "",
) -> Response:
    """Take the browser back from the identity provider, and sign its user in. A browser that is
    refused is led to the sign-in page, which says why; others get the problem itself."""
    services = _configured(request)
    try:
        account = await _returned(services, request, state, code, error)
    except Problem as problem:
        if "text/html" not in request.headers.get("accept", ""):
            raise
        response = RedirectResponse(f"/?signin={problem.slug}", 303)
        response.delete_cookie(COOKIE, path=PATH)
        return response
    response = RedirectResponse("/", 303)
    response.delete_cookie(COOKIE, path=PATH)
    await begin_session(request, response, account)
    return response


async def _returned(
    services: Services, request: Request, state: str, code: str, error: str
) -> Account:
    """The account of who has come back.

    Raises:
        Problem: 401 what came back can't be trusted, 403 the person may not come in.
    """
    try:
        if error or not code:
            raise OidcFailed(f"the provider refused: {error[:80]!r}")
        person = await services.oidc.finish(request.cookies.get(COOKIE, ""), state, code)
    except OidcFailed as failed:
        await _note_refusal(services, request, "")
        raise _failed(failed, 401) from failed
    return await _account(services, request, person)


async def _account(services: Services, request: Request, person: Person) -> Account:
    """The person's account, made at the first time, with the role that the provider tells now."""
    accounts = services.store.accounts
    known = await accounts.of_external(person.external_id)
    if person.role is None or (known is not None and not known.enabled):
        await _note_refusal(services, request, known.username if known else "")
        raise Problem(403, "forbidden", "This account has no role here; ask a supervisor.")
    role = Role(person.role)
    if known is None:
        # A name that is taken is somebody else's: a local account is never taken over.
        for name in (person.username, f"{person.username[:60]}@{person.external_id[-18:]}"):
            try:
                return await accounts.add(
                    name, None, role, person.display_name, external_id=person.external_id
                )
            except Exists:
                continue
        raise Problem(403, "forbidden", "The name of this account is taken; ask a supervisor.")
    if known.role is not role or known.display_name != person.display_name:
        return await accounts.change(
            known.username, role=role, display_name=person.display_name, actor="oidc"
        )
    return known


async def _note_refusal(services: Services, request: Request, subject: str) -> None:
    event = AuditEvent(
        action=AuditAction.SIGN_IN_REFUSED,
        actor=NOBODY,
        subject=subject,
        details={"address": address_of(request), "external": True},
    )
    await services.store.audit.record(event)


def _configured(request: Request) -> Services:
    services = services_of(request)
    if not services.oidc.is_configured:
        raise Problem(404, "not-found", "No identity provider is configured (oidc.issuer).")
    return services


def _redirect_uri(request: Request) -> str:
    base = services_of(request).settings.publishing.public_url or str(request.base_url).rstrip("/")
    return f"{base}{PATH}/callback"


def _failed(error: OidcFailed, status: int) -> Problem:
    _log.warning("sign-in by the identity provider failed", why=str(error))
    return Problem(
        status,
        "oidc-failed",
        "The identity provider's sign-in failed; the log says why. Try again.",
    )
