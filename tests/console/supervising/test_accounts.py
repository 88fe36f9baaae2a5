"""Who is let in, and to what: accounts and machines' keys."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.console.supervising.conftest import go
from tests.support.api import ApiThread

pytestmark = pytest.mark.timeout(300)


def _signs_in(api: ApiThread, username: str, password: str) -> bool:
    with api.client(None) as browser:
        body = {"username": username, "password": password}
        return browser.post("/api/v1/session", json=body).is_success


def test_an_account_is_made_changed_and_shut_out(page: Page, api: ApiThread) -> None:
    with api.client() as client:
        camera = {
            "name": "One", "url": "rtsp://127.0.0.2/one", "group": "Timur",
            "position": {"lon": 106.992, "lat": -6.2383},
        }  # fmt: skip
        client.post("/api/v1/cameras", json=camera).raise_for_status()
    page.get_by_test_id("screen-admin").click()
    page.get_by_test_id("account-new").click()
    page.get_by_test_id("field-username").fill("budi")
    page.get_by_test_id("field-password").fill("short")
    page.get_by_test_id("account-save").click()
    expect(page.get_by_test_id("account-form")).to_contain_text("15 to 200")
    page.get_by_test_id("suggest-password").click()
    password = page.get_by_test_id("field-password").input_value()
    page.get_by_test_id("groups-some").check()
    page.get_by_test_id("group-Timur").check()
    page.get_by_test_id("account-save").click()
    row = page.get_by_test_id("account-budi")
    expect(row).to_contain_text("Timur")
    assert _signs_in(api, "budi", password)

    page.get_by_test_id("edit-budi").click()
    expect(page.get_by_test_id("sessions")).to_have_attribute("data-count", "1")
    page.get_by_test_id("sessions-end").click()
    expect(page.get_by_test_id("sessions")).to_have_attribute("data-count", "0")
    page.get_by_test_id("suggest-new-password").click()
    other = page.get_by_test_id("field-new-password").input_value()
    assert other != password
    page.get_by_test_id("password-set").click()
    expect(page.get_by_test_id("password-done")).to_be_visible()
    assert not _signs_in(api, "budi", password)
    page.get_by_test_id("field-role").select_option("dispatch")
    page.get_by_test_id("account-save").click()
    expect(row).to_contain_text("Dispatch")
    page.get_by_test_id("account-enable").click()
    expect(row).to_have_attribute("data-enabled", "false")
    assert not _signs_in(api, "budi", other)


def test_a_key_is_shown_once_narrowed_rotated_and_revoked(page: Page, api: ApiThread) -> None:
    go(page, "admin/keys")
    page.get_by_test_id("key-new").click()
    page.get_by_test_id("field-key-name").fill("bridge")
    page.get_by_test_id("scope-incidents:read").check()
    page.get_by_test_id("key-issue").click()
    key = page.get_by_test_id("key-once-value").input_value()

    def status(path: str, one: str) -> int:
        with api.client(None) as machine:
            return machine.get(path, headers={"Authorization": f"Bearer {one}"}).status_code

    assert status("/api/v1/incidents", key) == 200
    assert status("/api/v1/units", key) == 403
    page.get_by_test_id("key-once-close").click()
    expect(page.get_by_test_id("key-once")).to_have_count(0)
    expect(page.get_by_test_id("admin-screen")).not_to_contain_text(key)

    page.get_by_test_id("rotate-bridge").click()
    page.get_by_test_id("field-overlap").fill("2")
    page.get_by_test_id("rotate-do").click()
    rotated = page.get_by_test_id("key-once-value").input_value()
    assert [status("/api/v1/incidents", one) for one in (key, rotated)] == [200, 200]
    expect(page.get_by_test_id("key-bridge")).to_contain_text("old one until")
    page.get_by_test_id("revoke-bridge").click()
    page.get_by_test_id("revoke-sure").click()
    expect(page.get_by_test_id("key-bridge")).to_have_attribute("data-state", "revoked")
    assert status("/api/v1/incidents", rotated) == 401
