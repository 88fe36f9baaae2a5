"""Sign-in by an identity provider, there and back, and what a wrong token or browser gets."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc.jwk import RSAKey

from incidents.people.accounts import Role
from plumbing.embedded_bus import EmbeddedBus
from tests.support.api import PASSWORD, PLAIN_HTTP, ApiThread, api_in_thread, api_settings
from tests.support.oidc import CLIENT_ID, CLIENT_SECRET, Provider, oidc_provider


@pytest.fixture(scope="module")
def served(
    tmp_path_factory: pytest.TempPathFactory, shared_server: EmbeddedBus
) -> Iterator[tuple[Provider, ApiThread]]:
    folder: Path = tmp_path_factory.mktemp("oidc")
    with oidc_provider() as provider:
        settings = api_settings(
            folder,
            oidc__issuer=provider.url,
            oidc__name="Kota Bekasi",
            oidc__client_id=CLIENT_ID,
            oidc__client_secret=CLIENT_SECRET,
            oidc__roles="{112-operators: operator, 112-heads: supervisor}",
        )
        with api_in_thread(settings, shared_server.url, "oidc-tests") as running:
            yield provider, running


@pytest.fixture
def provider(served: tuple[Provider, ApiThread]) -> Iterator[Provider]:
    provider = served[0]
    kept = (provider.user, provider.groups)
    yield provider
    provider.user, provider.groups = kept
    provider.claims, provider.sign_with, provider.denies = {}, None, False


@pytest.fixture
def browser(served: tuple[Provider, ApiThread]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served[1].api.url, timeout=20, verify=PLAIN_HTTP) as client:
        yield client


def sign_in(browser: httpx.Client) -> httpx.Response:
    """As a browser does it: there, and back, without following home."""
    there = browser.get("/api/v1/session/oidc")
    assert there.status_code == 302
    back = httpx.get(there.headers["location"])
    return browser.get(back.headers["location"])


def test_a_person_signs_in_there_and_works_here(
    provider: Provider, browser: httpx.Client, served: tuple[Provider, ApiThread]
) -> None:
    assert browser.get("/api/v1/session/ways").json() == {"oidc_name": "Kota Bekasi"}
    home = sign_in(browser)
    assert (home.status_code, home.headers["location"]) == (303, "/")
    assert "siaga_oidc" not in browser.cookies
    signed = browser.get("/api/v1/session").json()
    assert signed == {"username": "sari", "display_name": "Sari Dewi", "role": "operator"}
    with served[1].client() as desk:
        told = desk.get("/api/v1/audit", params={"subject": "sari"}).json()["entries"]
        assert [one["action"] for one in told[:2]] == ["session.opened", "account.added"]
        # There is no password to guess.
        guess = {"username": "sari", "password": ""}
        assert browser.post("/api/v1/session", json=guess | {"password": "x"}).status_code == 401
        reset = desk.put("/api/v1/users/sari/password", json={"password": PASSWORD})
        assert reset.status_code == 422


def test_the_provider_tells_the_role_at_every_sign_in(
    provider: Provider, browser: httpx.Client
) -> None:
    provider.user = {"sub": "4712", "preferred_username": "budi"}
    assert sign_in(browser).status_code == 303
    provider.groups = ["strangers", "112-heads"]
    assert sign_in(browser).status_code == 303
    assert browser.get("/api/v1/session").json()["role"] == "supervisor"
    provider.groups = ["strangers"]
    refused = sign_in(browser)
    assert refused.status_code == 403
    assert "supervisor" in refused.json()["detail"]


def test_a_local_account_of_the_same_name_is_not_taken_over(
    provider: Provider, browser: httpx.Client, served: tuple[Provider, ApiThread]
) -> None:
    running = served[1]
    running.run(running.api.store.accounts.add("kepala", PASSWORD, Role.SUPERVISOR))
    provider.user = {"sub": "4713", "preferred_username": "kepala"}
    assert sign_in(browser).status_code == 303
    signed = browser.get("/api/v1/session").json()
    assert signed["username"].startswith("kepala@")
    assert signed["role"] == "operator"


def test_who_was_shut_out_here_stays_out(
    provider: Provider, browser: httpx.Client, served: tuple[Provider, ApiThread]
) -> None:
    provider.user = {"sub": "4714", "preferred_username": "eko"}
    assert sign_in(browser).status_code == 303
    with served[1].client() as desk:
        desk.patch("/api/v1/users/eko", json={"enabled": False})
    assert sign_in(browser).status_code == 403


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"aud": "another-client"},
        {"iss": "http://elsewhere.example"},
        {"exp": int(time.time()) - 3600},
        {"azp": "another-client"},
        {"sub": None},
    ],
)
def test_a_token_that_is_not_for_this_sign_in_opens_nothing(
    provider: Provider, browser: httpx.Client, claims: dict[str, Any]
) -> None:
    provider.claims = claims
    answer = sign_in(browser)
    assert answer.status_code == 401
    assert answer.json()["type"] == "urn:siaga:problem:oidc-failed"
    assert browser.get("/api/v1/session").status_code == 401


def test_a_token_signed_by_another_key_opens_nothing(
    provider: Provider, browser: httpx.Client
) -> None:
    provider.sign_with = RSAKey.generate_key(2048)
    assert sign_in(browser).status_code == 401


def test_a_provider_may_change_its_keys(provider: Provider, browser: httpx.Client) -> None:
    assert sign_in(browser).status_code == 303
    provider.replace_key()
    assert sign_in(browser).status_code == 303


def test_what_was_begun_by_another_browser_or_denied_opens_nothing(
    provider: Provider, browser: httpx.Client
) -> None:
    there = browser.get("/api/v1/session/oidc")
    back = httpx.get(there.headers["location"]).headers["location"]
    with httpx.Client(base_url=browser.base_url, verify=PLAIN_HTTP) as victim:
        assert victim.get(back).status_code == 401
        victim.get("/api/v1/session/oidc")
        assert victim.get(back).status_code == 401
    provider.denies = True
    assert sign_in(browser).status_code == 401


def test_without_a_provider_there_is_no_such_door(shared_api: ApiThread) -> None:
    with shared_api.client(None) as nobody:
        assert nobody.get("/api/v1/session/ways").json() == {"oidc_name": None}
        assert nobody.get("/api/v1/session/oidc").status_code == 404
