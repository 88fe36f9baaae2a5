from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from incidents.people.accounts import Role
from plumbing.embedded_bus import EmbeddedBus
from tests.support.api import PASSWORD, ApiThread, api_in_thread, api_settings
from tests.support.system import chromium

ADMIN = "wayan"


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    # Software rendering beside other tests: what the page does late it still does.
    expect.set_options(timeout=30_000)
    yield from chromium()


@pytest.fixture
def api(tmp_path: Path, shared_server: EmbeddedBus) -> Iterator[ApiThread]:
    """An API of the test's own, with a supervisor who may sign in."""
    with api_in_thread(api_settings(tmp_path), shared_server.url, f"c-{tmp_path.name}") as running:
        running.run(running.api.store.accounts.add(ADMIN, PASSWORD, Role.SUPERVISOR))
        yield running


@pytest.fixture
def language() -> str:
    """The console's; a test may ask for Indonesian."""
    return "en"


@contextmanager
def signed_in(browser: Browser, api: ApiThread, language: str = "en") -> Iterator[Page]:
    """The console of a supervisor who has signed in; fails where a script of it did."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.add_init_script(f"localStorage.setItem('siaga.language', '{language}')")
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(api.api.url)
    page.get_by_test_id("signin-user").fill(ADMIN)
    page.get_by_test_id("signin-password").fill(PASSWORD)
    page.get_by_test_id("signin-submit").click()
    page.get_by_test_id("connection").wait_for()
    yield page
    context.close()
    assert not faults, faults


@pytest.fixture
def console(browser: Browser, api: ApiThread, language: str) -> Iterator[Page]:
    """The signed-in console."""
    with signed_in(browser, api, language) as page:
        yield page
