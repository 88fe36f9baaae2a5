"""Signing in with the city's identity provider, as a person does it: in the browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from plumbing.embedded_bus import EmbeddedBus
from tests.support.api import ApiThread, api_in_thread, api_settings
from tests.support.oidc import CLIENT_ID, CLIENT_SECRET, Provider, oidc_provider


@pytest.fixture
def provider() -> Iterator[Provider]:
    with oidc_provider() as one:
        yield one


@pytest.fixture
def served(tmp_path: Path, provider: Provider, shared_server: EmbeddedBus) -> Iterator[ApiThread]:
    settings = api_settings(
        tmp_path,
        oidc__issuer=provider.url,
        oidc__name="Kota Bekasi",
        oidc__client_id=CLIENT_ID,
        oidc__client_secret=CLIENT_SECRET,
        oidc__roles="{112-operators: operator}",
    )
    with api_in_thread(settings, shared_server.url, f"o-{tmp_path.name}") as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.add_init_script("localStorage.setItem('siaga.language', 'en')")
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    context.close()
    assert not faults, faults


def test_the_page_offers_the_provider_leads_there_and_back_in(
    served: ApiThread, provider: Provider, page: Page
) -> None:
    page.goto(served.api.url)
    offered = page.get_by_test_id("signin-provider")
    expect(offered).to_have_text("Sign in with Kota Bekasi")

    provider.groups = ["strangers"]
    offered.click()
    expect(page.get_by_test_id("signin-error")).to_contain_text("has no role here")
    assert "signin" not in page.url, "a reload must not say it again"

    provider.denies = True
    offered.click()
    expect(page.get_by_test_id("signin-error")).to_contain_text("did not confirm")

    provider.denies, provider.groups = False, ["112-operators"]
    offered.click()
    page.get_by_test_id("connection").wait_for()
    known = page.request.get(f"{served.api.url}/api/v1/session").json()
    assert known["username"] == "sari"


def test_without_a_provider_nothing_is_offered(
    shared_server: EmbeddedBus, page: Page, tmp_path: Path
) -> None:
    with api_in_thread(api_settings(tmp_path), shared_server.url, f"n-{tmp_path.name}") as running:
        page.goto(running.api.url)
        expect(page.get_by_test_id("signin-user")).to_be_visible()
        page.wait_for_load_state("networkidle")
        expect(page.get_by_test_id("signin-provider")).to_have_count(0)
