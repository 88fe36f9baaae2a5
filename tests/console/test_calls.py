"""A call taker at work, before a real API: what a caller has said isn't lost."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.console.conftest import ADMIN
from tests.console.desk import busy
from tests.support.api import PASSWORD, ApiThread

pytestmark = pytest.mark.timeout(300)


def test_what_was_written_outlasts_a_slip_and_the_session(api: ApiThread, console: Page) -> None:
    api.run(busy(api.api.store))
    console.get_by_test_id("new-call").click()
    console.get_by_test_id("call-hazard-fire").check()
    console.get_by_test_id("call-note").fill("black smoke, two inside")
    console.get_by_test_id("call-lat").fill("-6.2383, 106.9920")
    expect(console.get_by_test_id("call-lon")).to_have_value("106.9920")

    # A name that nothing has is cleared, and the call isn't.
    console.get_by_test_id("call-search").fill("zzqq")
    console.keyboard.press("Escape")
    expect(console.get_by_test_id("call-search")).to_have_value("")
    console.keyboard.press("Escape")
    expect(console.get_by_test_id("call-leaving")).to_be_visible()
    console.get_by_test_id("new-call").click()

    api.run(api.api.store.sessions.end_all(ADMIN, actor="budi"))
    console.get_by_test_id("signin-user").fill(ADMIN)
    console.get_by_test_id("signin-password").fill(PASSWORD)
    console.get_by_test_id("signin-submit").click()
    expect(console.get_by_test_id("call-note")).to_have_value("black smoke, two inside")
    expect(console.get_by_test_id("call-lat")).to_have_value("-6.2383")
    console.get_by_test_id("call-submit").click()
    expect(console.get_by_test_id("call-saved")).to_be_visible()
    with api.client() as client:
        (saved,) = client.get("/api/v1/calls", params={"limit": 1}).json()["calls"]
    assert (saved["hazard"], saved["note"]) == ("fire", "black smoke, two inside")

    # The next caller is on the line already.
    console.get_by_test_id("new-call").click()
    expect(console.get_by_test_id("call-note")).to_have_value("")
    console.keyboard.press("Escape")
    expect(console.get_by_test_id("call-panel")).to_have_count(0)
