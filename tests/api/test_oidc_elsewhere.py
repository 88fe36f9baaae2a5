"""Sign-in by a provider that others wrote (`oidc-provider-mock`, on Authlib)."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import pytest

from plumbing.embedded_bus import EmbeddedBus
from plumbing.ports import free_port
from tests.api.test_oidc import CLIENT_ID, CLIENT_SECRET
from tests.support.api import PLAIN_HTTP, ApiThread, api_in_thread, api_settings

PERSON = {
    "sub": "4711",
    "preferred_username": "sari",
    "name": "Sari Dewi",
    "groups": ["112-operators"],
}


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """The provider's address; it answers."""
    port = free_port()
    process = subprocess.Popen(
        [
            # It speaks of what it is going to change itself.
            *(sys.executable, "-W", "ignore", "-m", "oidc_provider_mock"),
            *("--port", str(port), "--require-nonce", "true", "--user-claims", json.dumps(PERSON)),
        ],
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        while True:
            assert process.poll() is None
            try:
                httpx.get(f"{url}/.well-known/openid-configuration").raise_for_status()
                break
            except httpx.TransportError:
                time.sleep(0.05)
        yield url
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def served(
    tmp_path_factory: pytest.TempPathFactory, shared_server: EmbeddedBus, issuer: str
) -> Iterator[ApiThread]:
    settings = api_settings(
        tmp_path_factory.mktemp("oidc-elsewhere"),
        oidc__issuer=issuer,
        oidc__client_id=CLIENT_ID,
        oidc__client_secret=CLIENT_SECRET,
        oidc__roles="{112-operators: operator}",
    )
    with api_in_thread(settings, shared_server.url, "oidc-elsewhere") as running:
        yield running


@pytest.fixture
def browser(served: ApiThread) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.api.url, timeout=20, verify=PLAIN_HTTP) as client:
        yield client


def test_a_person_signs_in_there_and_works_here(browser: httpx.Client) -> None:
    there = browser.get("/api/v1/session/oidc").headers["location"]
    assert "sari" in httpx.get(there).text or PERSON["sub"] in httpx.get(there).text
    back = httpx.post(there, data={"sub": PERSON["sub"]})
    assert back.status_code == 302, back.text
    home = browser.get(back.headers["location"])
    assert (home.status_code, home.headers["location"]) == (303, "/")
    assert browser.get("/api/v1/session").json() == {
        "username": "sari",
        "display_name": "Sari Dewi",
        "role": "operator",
    }


def test_who_says_no_there_stays_out_here(browser: httpx.Client) -> None:
    there = browser.get("/api/v1/session/oidc").headers["location"]
    back = httpx.post(there, data={"action": "deny"})
    refused = browser.get(back.headers["location"])
    assert refused.status_code == 401
    assert "siaga_session" not in browser.cookies
    assert browser.get("/api/v1/session").status_code == 401
