"""Who is asking, and whether the request was meant: sessions, machine keys, origins.

People come with a session cookie, machines with ``Authorization: Bearer KEY``. A browser sends its
cookie along with whatever another page makes it send, so what arrives by cookie must come from a
page of ours: `SameSite=Strict` sees to it first, the ``Origin`` and ``Sec-Fetch-Site`` headers
again here, and for websockets, to which browsers apply no other rule, always.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from api.problems import Problem
from api.rights.identity import Identity, Kind
from api.services import services_of
from incidents.people.accounts import Account, Role
from incidents.people.keys import MachineKey
from incidents.store import Store
from plumbing.settings import ApiSettings

COOKIE = "siaga_session"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_MAX_SECRET = 200


async def authorise(request: Request, roles: Collection[Role] | None, scope: str) -> None:
    """Let the request pass, or raise; ``request.state.identity`` is who it is, or none.

    Raises:
        Problem: 401 nobody, 403 somebody who may not, or a request that another page made.
    """
    request.state.identity = None
    if request.method not in _SAFE and _bearer(request) is None:
        _refuse_other_pages(request, services_of(request).settings.api)
    if roles is not None:
        request.state.identity = await require(request, roles, scope)


def identity_of(request: Request) -> Identity:
    """Who asks, on a route that isn't public."""
    identity: Identity = request.state.identity
    return identity


def address_of(connection: HTTPConnection) -> str:
    """Where a request comes from."""
    return connection.client.host if connection.client else "?"


async def require(connection: HTTPConnection, roles: Collection[Role], scope: str) -> Identity:
    """Who asks, if one of ``roles``, with a key that isn't narrowed to other scopes.

    Raises:
        Problem: 401 or 403.
    """
    identity = await _identify(connection)
    if identity is None:
        raise Problem(
            401,
            "not-signed-in",
            "Sign in at /api/v1/session, or send Authorization: Bearer with a machine's key.",
            headers={"WWW-Authenticate": 'Bearer realm="siaga"'},
        )
    if identity.role not in roles:
        needed = ", ".join(sorted(roles))
        raise Problem(
            403, "forbidden", f"The role {identity.role} may not do this; it takes {needed}."
        )
    if identity.scopes is not None and scope not in identity.scopes:
        raise Problem(403, "forbidden", f"This key doesn't have the scope {scope}.")
    return identity


async def still_holds(store: Store, settings: ApiSettings, identity: Identity) -> bool:
    """Whether the session or key hasn't been revoked or changed since; counts as use."""
    if identity.kind is Kind.MACHINE:
        key = await store.keys.find(identity.secret)
        return key is not None and _of_key(key, identity.secret) == identity
    account = await _session(store, settings, identity.secret)
    return account is not None and _person(account, identity.secret) == identity


def refuse_other_origins(connection: HTTPConnection, settings: ApiSettings) -> None:
    """For websockets: a page may open one only if it is ours.

    Raises:
        Problem: 403.
    """
    origin = connection.headers.get("origin")
    if origin is not None and not _is_ours(origin, connection, settings):
        raise _foreign()


def set_cookie(response: Response, token: str, settings: ApiSettings) -> None:
    """Give the browser its session."""
    response.set_cookie(
        COOKIE, token, httponly=True, samesite="strict", secure=settings.cookie_secure, path="/"
    )


def drop_cookie(response: Response, settings: ApiSettings) -> None:
    """Take it back."""
    response.delete_cookie(
        COOKIE, httponly=True, samesite="strict", secure=settings.cookie_secure, path="/"
    )


async def _identify(connection: HTTPConnection) -> Identity | None:
    services = services_of(connection)
    bearer = _bearer(connection)
    if bearer is not None:
        key = await services.store.keys.find(bearer) if bearer else None
        if key is None:
            return None
        return _of_key(key, bearer)
    token = connection.cookies.get(COOKIE, "")
    account = await _session(services.store, services.settings.api, token)
    return None if account is None else _person(account, token)


def _person(account: Account, token: str) -> Identity:
    return Identity(
        name=account.username,
        display_name=account.display_name,
        role=account.role,
        kind=Kind.PERSON,
        secret=token,
        camera_groups=account.camera_groups,
        agency_id=account.agency_id,
    )


def _of_key(key: MachineKey, secret: str) -> Identity:
    return Identity(
        name=key.name,
        display_name=key.name,
        role=key.role,
        kind=Kind.MACHINE,
        secret=secret,
        scopes=key.scopes,
        camera_groups=key.camera_groups,
        agency_id=key.agency_id,
    )


async def _session(store: Store, settings: ApiSettings, token: str) -> Account | None:
    if not token or len(token) > _MAX_SECRET:
        return None
    return await store.sessions.find(
        token,
        idle=timedelta(minutes=settings.session_idle_minutes),
        longest=timedelta(hours=settings.session_longest_hours),
    )


def _bearer(connection: HTTPConnection) -> str | None:
    """The key that was sent; empty where it can't be one; none where no key was sent."""
    scheme, _, value = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    value = value.strip()
    return value if len(value) <= _MAX_SECRET else ""


def _refuse_other_pages(request: Request, settings: ApiSettings) -> None:
    origin = request.headers.get("origin")
    if origin is not None:
        if not _is_ours(origin, request, settings):
            raise _foreign()
    elif request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        raise _foreign()


def _is_ours(origin: str, connection: HTTPConnection, settings: ApiSettings) -> bool:
    # The scheme is left aside: behind a TLS proxy the page's is https and ours is http.
    host = connection.headers.get("host", "").lower()
    try:
        netloc = urlsplit(origin).netloc.lower()
    except ValueError:
        return False
    return (netloc != "" and netloc == host) or origin in settings.allowed_origins


def _foreign() -> Problem:
    return Problem(
        403,
        "foreign-origin",
        "This request comes from a page of another site. If that page is meant to, add its "
        "origin to api.allowed_origins.",
    )
