"""A shift and its administration by keyboard alone, from signing in to signing out."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from contracts import IncidentId, IncidentState
from tests.console.conftest import ADMIN
from tests.console.desk import CRASH, FIRE, FLOOD, TWIN, busy, state_of, station
from tests.support.api import PASSWORD, ApiThread
from tests.support.system import eventually

pytestmark = pytest.mark.timeout(300)

ADMIN_TABS = {
    "accounts": "accounts",
    "keys": "keys",
    "webhooks": "webhooks",
    "letters": "letters",
    "learning": "learning",
    "models": "models",
}
"""The tabs of the administration in their order, and what each shows."""


class Hands:
    """Two hands on a keyboard, and eyes."""

    def __init__(self, page: Page, api: ApiThread) -> None:
        self.page = page
        self._api = api

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def write(self, text: str) -> None:
        self.page.keyboard.type(text)

    def see(self, testid: str) -> None:
        expect(self.page.get_by_test_id(testid)).to_be_visible()

    def see_no(self, testid: str) -> None:
        expect(self.page.get_by_test_id(testid)).to_have_count(0)

    def go_to(self, incident_id: IncidentId) -> None:
        panel = self.page.get_by_test_id("incident-panel")
        for _ in range(8):
            self.press("k")
        for _ in range(8):
            if panel.get_attribute("data-incident") == incident_id:
                return
            self.press("j")
        expect(panel).to_have_attribute("data-incident", incident_id)

    def tab_to(self, testid: str) -> None:
        at = "document.activeElement?.getAttribute('data-testid')"
        for _ in range(80):
            if self.page.evaluate(at) == testid:
                return
            self.press("Tab")
        pytest.fail(f"no way to {testid} by Tab")

    def done(self, incident_id: IncidentId, state: IncidentState) -> None:
        expect(self.page.get_by_test_id("incident-panel")).to_have_attribute("data-state", state)
        self.until(lambda: state_of(self._api, incident_id).state is state, f"it is {state}")

    def until(self, check: Callable[[], bool], what: str) -> None:
        def look() -> bool | None:
            refused = self.page.get_by_role("alert").filter(has_text="not").all_inner_texts()
            if refused:
                pytest.fail(f"instead of '{what}' the screen says: {refused}")
            return check() or None

        eventually(look, 60, what)
        # An answer is on the screen a little later than in the database.
        expect(self.page.locator("[data-saving=true]")).to_have_count(0)


@pytest.fixture
def hands(browser: Browser, api: ApiThread) -> Hands:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.add_init_script("localStorage.setItem('siaga.language', 'en')")
    page = context.new_page()
    page.goto(api.api.url)
    api.run(busy(api.api.store))
    api.run(station(api.api.store))
    return Hands(page, api)


def test_a_shift_without_a_mouse(hands: Hands, api: ApiThread) -> None:
    page = hands.page
    page.get_by_test_id("signin-user").wait_for()
    hands.tab_to("signin-user")
    hands.write(ADMIN)
    hands.press("Tab")
    hands.write(PASSWORD)
    hands.press("Enter")
    hands.see(f"incident-{FLOOD}")

    # Decide: acknowledge, verify, take it back, note.
    hands.go_to(FIRE)
    hands.press("a")
    hands.done(FIRE, IncidentState.ACKNOWLEDGED)
    hands.press("v")
    hands.done(FIRE, IncidentState.VERIFIED)
    hands.press("b")
    hands.done(FIRE, IncidentState.ACKNOWLEDGED)
    hands.press("v")
    hands.done(FIRE, IncidentState.VERIFIED)
    hands.press("c")
    hands.write("two shops alight")
    hands.press("Enter")
    hands.until(lambda: len(state_of(api, FIRE).notes) == 1, "the note is kept")

    # What somebody filmed, large.
    attach = f"/api/v1/incidents/{FIRE}/attachments?name=roof.jpg"
    _, roof = cv2.imencode(".jpg", np.full((60, 80, 3), 90, np.uint8))
    with api.client() as client:
        headers = {"Content-Type": "image/jpeg"}
        client.post(attach, content=roof.tobytes(), headers=headers).raise_for_status()
    expect(page.get_by_test_id("photos")).to_have_attribute("data-count", "1")
    hands.press("i")
    expect(page.get_by_test_id("photo-large")).to_contain_text("roof.jpg")
    hands.press("Escape")
    hands.see_no("photo-large")

    # Merge, and apart again.
    hands.press("g")
    hands.see(f"other-{TWIN}")
    hands.press("1", "Enter")
    hands.until(lambda: state_of(api, TWIN).state is IncidentState.DUPLICATE, "they are one")
    hands.press("y")
    hands.see("split-dialog")
    hands.press("2", "Enter")
    hands.until(lambda: len(state_of(api, FIRE).estimate.call_ids) == 2, "a call is apart")

    # Send, and follow.
    hands.press("d")
    hands.see("assign-damkar/")
    hands.press("1", "Enter")
    hands.done(FIRE, IncidentState.DISPATCHED)
    hands.tab_to("step-en_route")
    hands.press("Enter")
    hands.done(FIRE, IncidentState.EN_ROUTE)
    hands.press("o")
    hands.done(FIRE, IncidentState.ON_SCENE)
    hands.press("x")
    hands.until(lambda: state_of(api, FIRE).state is IncidentState.CLOSED, "it is closed")
    hands.press("u")
    hands.see("reason-dialog")
    hands.press("1", "Enter")
    hands.done(FIRE, IncidentState.ACKNOWLEDGED)

    # Keep quiet, mark as a duplicate, reject, cancel.
    hands.press("f")
    hands.see("shelve-dialog")
    hands.press("1")
    hands.tab_to("deed-reason")
    hands.write("welding")
    hands.press("Enter")
    hands.see("shelved")
    hands.go_to(CRASH)
    hands.press("q")
    hands.see(f"other-{FLOOD}")
    hands.press("1", "Enter")
    hands.until(lambda: state_of(api, CRASH).duplicate_of is not None, "it is a duplicate")
    hands.go_to(FLOOD)
    hands.press("r")
    hands.see("reason-dialog")
    hands.press("2", "Enter")
    hands.until(lambda: state_of(api, FLOOD).state is IncidentState.REJECTED, "it is rejected")

    # A call, by a position that is typed.
    hands.press("n")
    hands.see("call-panel")
    expect(page.get_by_test_id("call-hazard-unknown")).to_be_focused()
    hands.press("ArrowRight")
    expect(page.get_by_test_id("call-hazard-fire")).to_be_checked()
    hands.tab_to("call-note")
    hands.write("smoke by the market")
    for field, value in (("call-lat", "-6.2383"), ("call-lon", "106.9920")):
        hands.tab_to(field)
        hands.write(value)
    hands.see("call-known")
    hands.tab_to("call-submit")
    hands.press("Enter")
    hands.see("call-saved")
    hands.press("Escape")
    hands.see_no("call-panel")

    # The desk: handover, wall, map, help, sound, language, theme.
    hands.press("h")
    hands.tab_to("handover-text")
    hands.write("quiet night")
    hands.tab_to("handover-write")
    hands.press("Enter")
    hands.tab_to("handover-take")
    hands.press("Enter")
    hands.see_no("handover-take")
    hands.press("Escape")
    hands.see_no("handover-dialog")
    hands.press("w")
    hands.see("wall")
    hands.press("2")
    expect(page.get_by_test_id("wall")).to_have_attribute("data-source", "near")
    hands.press("-")
    expect(page.get_by_test_id("wall")).to_have_attribute("data-side", "3")
    hands.press("Escape")
    hands.see_no("wall")
    hands.tab_to("screen-admin")
    hands.press("Enter")
    hands.see("admin-accounts")
    hands.tab_to("admin-accounts")
    for tab, shows in ADMIN_TABS.items():
        expect(page.get_by_test_id(f"admin-{tab}")).to_be_focused()
        hands.see(shows)
        hands.press("ArrowRight")
    expect(page.get_by_test_id("admin-accounts")).to_be_focused()
    hands.tab_to("screen-operations")
    hands.press("Enter")
    hands.see("queue")
    hands.press("m")
    expect(page.get_by_test_id("map").locator("canvas")).to_be_focused()
    hands.press("?")
    hands.see("help-overlay")
    hands.press("Escape")
    hands.press("s")
    expect(page.get_by_test_id("sound")).to_have_attribute("data-state", "muted")
    hands.press("t")
    theme = "document.documentElement.dataset.theme"
    before = page.evaluate(theme)
    hands.press("t")
    assert page.evaluate(theme) != before
    hands.press("l")
    assert page.evaluate("document.documentElement.lang") == "id"
    hands.tab_to("signout")
    hands.press("Enter")
    hands.see("signin-user")
