"""An operator at work, before a real API: what is done to incidents, and what the screen says."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from contracts import IncidentAction, IncidentId, IncidentState
from tests.console.desk import CRASH, FIRE, FLOOD, TWIN, busy, state_of, station
from tests.support.accessibility import serious_faults
from tests.support.api import ApiThread

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def desk(api: ApiThread, console: Page) -> Page:
    """The console once everything has come over the feed."""
    api.run(busy(api.api.store))
    api.run(station(api.api.store))
    expect(card(console, FLOOD)).to_be_visible()
    return console


def card(page: Page, incident_id: IncidentId) -> Locator:
    return page.get_by_test_id(f"incident-{incident_id}")


def choose(page: Page, incident_id: IncidentId) -> None:
    card(page, incident_id).click()
    expect(page.get_by_test_id("incident-panel")).to_have_attribute("data-incident", incident_id)


def panel_says(page: Page, state: str) -> None:
    expect(page.get_by_test_id("incident-panel")).to_have_attribute("data-state", state)
    expect(page.locator("[data-saving=true]")).to_have_count(0)


def test_two_incidents_become_one_and_two_again(desk: Page, api: ApiThread) -> None:
    choose(desk, FIRE)
    similar = desk.get_by_test_id(f"similar-{TWIN}")
    expect(similar).to_contain_text("the same")
    assert float(similar.get_attribute("data-probability") or "nan") > 0.5
    desk.get_by_test_id("deed-merge").click()
    desk.get_by_test_id(f"other-{TWIN}").check()
    desk.get_by_test_id("deed-submit").click()
    expect(card(desk, TWIN)).to_have_count(0)
    assert state_of(api, TWIN).duplicate_of == FIRE
    assert len(state_of(api, FIRE).estimate.call_ids) == 3

    desk.get_by_test_id("deed-split").click()
    desk.get_by_test_id("deed-submit").click()
    expect(desk.get_by_test_id("split-dialog")).to_contain_text("Choose the reports")
    desk.get_by_test_id("split-call-3").check()
    desk.get_by_test_id("deed-submit").click()
    expect(desk.locator("[data-testid=queue] [data-hazard=fire]")).to_have_count(2)
    assert state_of(api, FIRE).estimate.call_ids == ("call-1", "call-2")


def test_a_step_is_undone_until_somebody_else_has_decided(desk: Page, api: ApiThread) -> None:
    choose(desk, CRASH)
    desk.get_by_test_id("action-verify").click()
    panel_says(desk, "verified")
    desk.get_by_test_id("deed-undo").click()
    panel_says(desk, "detected")
    assert state_of(api, CRASH).verified_at is None

    desk.get_by_test_id("action-acknowledge").click()
    panel_says(desk, "acknowledged")
    now = state_of(api, CRASH)
    api.run(
        api.api.store.incidents.act(CRASH, IncidentAction.VERIFY, actor="ani", version=now.version)
    )
    panel_says(desk, "verified")
    desk.get_by_test_id("deed-undo").click()
    expect(desk.get_by_test_id("failed")).to_contain_text("ani")
    assert state_of(api, CRASH).state is IncidentState.VERIFIED


def test_whose_step_came_first_is_told(desk: Page, api: ApiThread) -> None:
    choose(desk, FIRE)
    # The feed is held back, so that this desk decides on what it saw.
    desk.evaluate("window.dispatchEvent(new Event('offline'))")
    now = state_of(api, FIRE)
    with desk.expect_request("**/actions"):
        desk.route("**/actions", lambda route: (_act(api, now.version), route.continue_()))
        desk.get_by_test_id("action-acknowledge").click()
    conflict = desk.get_by_test_id("conflict")
    expect(conflict).to_contain_text("ani")
    expect(conflict).to_contain_text("was not carried out")
    panel_says(desk, "rejected")


def _act(api: ApiThread, version: int) -> None:
    api.run(
        api.api.store.incidents.act(
            FIRE, IncidentAction.REJECT, actor="ani", version=version, reason="a lamp"
        )
    )


def test_units_are_sent_and_followed(desk: Page, api: ApiThread) -> None:
    choose(desk, FIRE)
    desk.get_by_test_id("action-verify").click()
    panel_says(desk, "verified")
    desk.get_by_test_id("assign-open").click()
    desk.get_by_test_id("assign-damkar/").check()
    desk.get_by_test_id("assign-police/").check()
    desk.get_by_test_id("deed-submit").click()
    panel_says(desk, "dispatched")
    sent = state_of(api, FIRE).assignments
    assert [one.agency_id for one in sent] == ["damkar", "police"]
    first = desk.get_by_test_id(f"assignment-{sent[0].id}")
    first.get_by_test_id("step-en_route").click()
    expect(first).to_have_attribute("data-state", "en_route")
    panel_says(desk, "en_route")
    # What the agency tells by itself is followed.
    with api.client() as client:
        address = f"/api/v1/incidents/{FIRE}/assignments/{sent[0].id}"
        client.post(address, json={"state": "on_scene"}).raise_for_status()
    expect(first).to_have_attribute("data-state", "on_scene")
    panel_says(desk, "on_scene")


def test_what_disturbs_is_kept_quiet_for_a_while(desk: Page, api: ApiThread) -> None:
    choose(desk, FIRE)
    desk.get_by_test_id("deed-shelve").click()
    desk.get_by_test_id("shelve-here:camera-1").check()
    desk.get_by_test_id("deed-submit").click()
    expect(desk.get_by_test_id("shelve-dialog")).to_contain_text("Choose or write a reason")
    desk.get_by_test_id("deed-reason").fill("welding until evening")
    desk.get_by_test_id("deed-submit").click()
    expect(desk.get_by_test_id("shelved")).to_contain_text("1")
    with api.client() as client:
        (shelf,) = client.get("/api/v1/shelves").json()["shelves"]
    assert (shelf["camera_id"], shelf["hazard"]) == ("camera-1", "fire")
    desk.get_by_test_id("shelved").click()
    desk.get_by_test_id(f"shelf-{shelf['id']}").get_by_role("button").click()
    expect(desk.get_by_test_id(f"shelf-{shelf['id']}")).to_have_count(0)


def test_what_somebody_filmed_is_put_on_file_and_looked_at_by_key(
    desk: Page, api: ApiThread, tmp_path: Path
) -> None:
    choose(desk, FIRE)
    for number in (1, 2):
        file = tmp_path / f"roof-{number}.jpg"
        picture = np.full((60, 80, 3), 60 * number, np.uint8)
        assert cv2.imwrite(str(file), picture)
        desk.get_by_test_id("photo-file").set_input_files(file)
        expect(desk.get_by_test_id("photos")).to_have_attribute("data-count", str(number))
    attached = state_of(api, FIRE).attachments
    assert [one.name for one in attached] == ["roof-1.jpg", "roof-2.jpg"]
    small = desk.get_by_test_id(f"photo-{attached[0].evidence_id}").locator("img")
    small.scroll_into_view_if_needed()
    assert small.evaluate("image => image.decode().then(() => image.naturalWidth)") == 80
    desk.keyboard.press("i")
    large = desk.get_by_test_id("photo-large")
    expect(large).to_contain_text("roof-1.jpg")
    # A dialog has the keyboard to itself: nothing behind it is decided.
    desk.keyboard.press("a")
    desk.keyboard.press("ArrowRight")
    expect(large).to_contain_text("roof-2.jpg")
    assert serious_faults(desk) == []
    desk.keyboard.press("Escape")
    expect(large).to_have_count(0)
    assert state_of(api, FIRE).state is IncidentState.DETECTED

    page_of_text = tmp_path / "notes.pdf"
    page_of_text.write_text("no PDF at all", encoding="utf-8")
    desk.get_by_test_id("photo-file").set_input_files(page_of_text)
    expect(desk.get_by_test_id("photos").get_by_role("alert")).to_contain_text("Send one of")


def test_a_shift_hands_over_and_the_next_takes_over(desk: Page, api: ApiThread) -> None:
    left = api.run(api.api.store.handovers.write("Siren at Melati", actor="ani"))
    waiting = desk.get_by_test_id("handover-waiting")
    expect(waiting).to_be_visible()
    waiting.click()
    one = desk.get_by_test_id(f"handover-{left.id}")
    expect(one).to_contain_text("Siren at Melati")
    one.get_by_test_id("handover-take").click()
    expect(one).to_have_count(0)
    desk.get_by_test_id("handover-text").fill("Flood rising")
    desk.get_by_test_id("handover-write").click()
    expect(desk.get_by_test_id("handover-text")).to_have_value("")
    found, _ = api.run(api.api.store.handovers.page())
    assert found[1].taken_by
    assert re.search(r"Flood rising\n\n4 open incidents\n.*Fire: 2", found[0].text)
    assert set(found[0].incident_ids) == {FIRE, TWIN, CRASH, FLOOD}


@pytest.mark.parametrize("language", ["en", "id"])
def test_nothing_serious_stands_in_anybodys_way(desk: Page, language: str) -> None:
    for theme in ("night", "day"):
        if theme == "day":
            desk.keyboard.press("t")
        choose(desk, FIRE)
        assert serious_faults(desk) == []
        for key, dialog in (
            ("g", "merge-dialog"),
            ("y", "split-dialog"),
            ("f", "shelve-dialog"),
            ("h", "handover-dialog"),
            ("n", "call-panel"),
            ("?", "help-overlay"),
        ):
            desk.keyboard.press(key)
            expect(desk.get_by_test_id(dialog)).to_be_visible()
            assert serious_faults(desk) == []
            desk.keyboard.press("Escape")
            expect(desk.get_by_test_id(dialog)).to_have_count(0)
        desk.keyboard.press("w")
        expect(desk.get_by_test_id("wall")).to_be_visible()
        assert serious_faults(desk) == []
        desk.keyboard.press("Escape")
        desk.get_by_test_id("queue").wait_for()
