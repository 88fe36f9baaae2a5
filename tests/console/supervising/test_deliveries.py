"""Who is sent what happens, what could not be delivered, and what came and could not be used."""

from __future__ import annotations

import base64

import pytest
from playwright.sync_api import Page, expect

from incidents.dead_letters import DeadLetter
from incidents.outboxes import Result
from plumbing.sealing import Sealer
from tests.api.made import a_call
from tests.console.supervising.conftest import go
from tests.support.api import ApiThread
from tests.support.system import eventually

pytestmark = pytest.mark.timeout(300)


def test_what_a_receiver_never_got_is_seen_with_its_reason_and_sent_again(
    page: Page, api: ApiThread
) -> None:
    outboxes = api.api.store.webhooks.outboxes
    go(page, "admin/webhooks")
    page.get_by_test_id("hook-new").click()
    page.get_by_test_id("field-hook").fill("dispatch")
    page.get_by_test_id("field-hook-url").fill("http://10.9.8.7/hook")
    page.get_by_test_id("hook-save").click()
    expect(page.get_by_test_id("hook-form")).to_contain_text("allow_private")
    # Nobody listens there: what is sent waits.
    page.get_by_test_id("field-hook-url").fill("http://127.0.0.1:9/hook")
    page.get_by_test_id("hook-level-alarm").uncheck()
    page.get_by_test_id("hook-save").click()
    assert page.get_by_test_id("hook-once-value").input_value().startswith("whsec_")
    page.get_by_test_id("hook-once-close").click()
    row = page.get_by_test_id("hook-dispatch")
    expect(row).to_have_attribute("data-dead", "0")

    with api.client() as client:
        (item,) = client.get("/api/v1/webhooks").json()["webhooks"]
        client.post("/api/v1/calls", json=a_call()).raise_for_status()
    hook = item["webhook"]["id"]
    (queued,) = eventually(lambda: api.run(outboxes.due(hook, 1)), 30, "something to deliver")
    with api.client() as client:
        address = f"/api/v1/webhooks/{hook}"
        fields = {name: value for name, value in item["webhook"].items() if name != "id"}
        client.put(address, json=fields | {"enabled": False}).raise_for_status()
    given_up = Result(seq=queued.seq, problem="400: no such unit")

    def is_given_up() -> bool:
        # A try that was under way when it was switched off may still write what became of it.
        api.run(outboxes.settle(hook, [given_up], failures=1, paused_until=None, problem="400"))
        return [one.problem for one in api.run(outboxes.dead_letters(hook))] == [given_up.problem]

    eventually(is_given_up, 30, "it is given up")

    go(page, "admin/keys")
    go(page, "admin/webhooks")
    expect(row).to_have_attribute("data-dead", "1")
    page.get_by_test_id("hook-letters-dispatch").click()
    letter = page.get_by_test_id(f"letter-{queued.seq}")
    expect(letter).to_contain_text("no such unit")
    page.get_by_test_id(f"send-{queued.seq}").click()
    expect(letter).to_have_count(0)
    expect(row).to_have_attribute("data-dead", "0")
    assert api.run(outboxes.dead_letters(hook)) == []

    expect(row).to_have_attribute("data-state", "off")
    page.get_by_test_id("hook-edit-dispatch").click()
    page.get_by_test_id("hook-enabled").check()
    page.get_by_test_id("hook-save").click()
    expect(row).not_to_have_attribute("data-state", "off")
    page.get_by_test_id("hook-edit-dispatch").click()
    page.get_by_test_id("hook-remove").click()
    page.get_by_test_id("hook-remove-sure").click()
    expect(row).to_have_count(0)


def test_what_could_not_be_used_is_told_and_thrown_away_for_a_reason(
    page: Page, api: ApiThread
) -> None:
    letter_id = "detections/1763790000000-0"
    sealed = Sealer(api.api.settings.key_file).seal(base64.b64encode(b"{}").decode())
    letter = DeadLetter(id=letter_id, problem="camera_id is missing", sealed=sealed)
    api.run(api.api.store.dead_letters.keep([letter]))
    go(page, "admin/letters")
    row = page.get_by_test_id(f"letter-{letter_id}")
    expect(row).to_contain_text("camera_id is missing")
    page.get_by_test_id(f"take-{letter_id}").click()
    expect(page.get_by_test_id("letter-reason")).to_be_focused()
    page.keyboard.type("mended")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("letters-problem")).to_contain_text("still can't be used")
    page.get_by_test_id("letters").get_by_text("Cancel").click()
    page.get_by_test_id(f"discard-{letter_id}").click()
    page.get_by_test_id("letter-reason").fill("a test of the installer")
    page.get_by_test_id("letter-sure").click()
    expect(row).to_have_count(0)
    with api.client() as client:
        assert client.get("/api/v1/dead-letters").json()["dead_letters"] == []


def test_a_message_that_made_no_sense_is_kept_told_and_thrown_away(
    page: Page, api: ApiThread
) -> None:
    with api.client() as client:
        sms = {"text": 'A"ML=1;lt=+95.0;lg=106.9', "from": "+6281234567890"}
        kept = client.post("/api/v1/sms", json=sms).json()["message_id"]
    go(page, "admin/keys")
    go(page, "admin/letters")
    row = page.get_by_test_id(f"message-{kept}")
    expect(row).to_contain_text("SMS")
    page.get_by_test_id(f"discard-{kept}").click()
    page.get_by_test_id("letter-reason").fill("no number of ours")
    page.get_by_test_id("letter-sure").click()
    expect(row).to_have_count(0)
    with api.client() as client:
        assert client.get(f"/api/v1/messages/{kept}").status_code == 404
