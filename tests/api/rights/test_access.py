"""The access table is complete, and is what the routes do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute, APIWebSocketRoute
from starlette.routing import BaseRoute

from api.access_table import document
from api.rights.access import ACCESS, PUBLIC, GuardedRoute
from api.routes import ROUTERS
from incidents.people.accounts import Role
from tests.support.api import ApiThread


def routes_of(app: Any) -> Iterator[BaseRoute]:
    """Every route of an application, those of included routers too."""
    for route in app.routes:
        inner = getattr(route, "original_router", None)
        yield from routes_of(inner) if inner is not None else (route,)


def lines_of(route: BaseRoute) -> Iterator[tuple[str, str]]:
    if isinstance(route, APIWebSocketRoute):
        yield "WEBSOCKET", route.path
    elif isinstance(route, APIRoute):
        assert isinstance(route, GuardedRoute), f"{route.path} doesn't ask the access table"
        yield from ((method, route.path) for method in sorted(route.methods or ()))
    else:
        raise AssertionError(f"{route} is of a kind that asks no table")


def test_every_route_has_its_line_and_every_line_its_route(own_app: Any) -> None:
    served = [line for route in routes_of(own_app) for line in lines_of(route)]
    assert len(served) == len(set(served))
    assert set(served) == set(ACCESS)
    assert len(served) == sum(len(router.routes) for router in ROUTERS)


def test_the_document_is_current() -> None:
    written = (Path(__file__).parents[3] / "docs" / "access.md").read_text()
    assert written == document(), "run: python -m api.access_table > docs/access.md"


def test_a_route_without_a_line_cannot_be_made() -> None:
    router = APIRouter(route_class=GuardedRoute)
    with pytest.raises(LookupError, match="has no line"):
        router.get("/api/v1/secret")(lambda: None)


@pytest.fixture
def own_app(shared_api: ApiThread, tmp_path: Any) -> Any:
    from api.app import create_app
    from plumbing.bus import Bus
    from tests.support.api import api_settings

    async def make() -> Any:
        return create_app(api_settings(tmp_path), shared_api.api.store, Bus("redis://127.0.0.1:1"))

    return shared_api.run(make())


GUARDED = [
    (method, path)
    for (method, path), roles in ACCESS.items()
    if roles is not PUBLIC and method != "WEBSOCKET"
]


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_each_route_lets_in_whom_the_table_says(
    shared_api: ApiThread, method: str, path: str
) -> None:
    # Nothing exists under these names, and the bodies are wrong: who is let in gets another error.
    address = re.sub(r"\{[^}]*\}", "none", path)
    if path == "/sse/v1/feed":
        # It has no body to be wrong, and no end.
        address += "?after=wrong"
    with shared_api.client(None) as nobody:
        assert nobody.request(method, address, content=b"[").status_code == 401
    for role in Role:
        with shared_api.client(role) as client:
            status = client.request(method, address, content=b"[").status_code
        allowed = role in (ACCESS[method, path] or ())
        assert (status == 403) is not allowed, (role, status)
        assert status != 401


def test_public_addresses_need_no_sign_in(shared_api: ApiThread) -> None:
    with shared_api.client(None) as nobody:
        for address in ("/healthz", "/readyz", "/metrics", "/docs", "/openapi.json"):
            assert nobody.get(address).status_code == 200, address


def test_the_description_names_the_roles(shared_api: ApiThread) -> None:
    description = httpx.get(f"{shared_api.api.url}/openapi.json").json()
    for method, path in GUARDED:
        operation = description["paths"][path.replace(":path", "")][method.lower()]
        assert operation["x-roles"] == sorted(ACCESS[method, path] or ())
