"""Accounts and keys by the API: who may give them out, what they are held to, how they end."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from plumbing.clock import SystemClock
from plumbing.ids import new_id
from tests.api.made import a_call
from tests.support.api import PASSWORD, PLAIN_HTTP, ApiThread


def with_key(shared_api: ApiThread, key: str) -> httpx.Client:
    return httpx.Client(
        base_url=shared_api.api.url, headers={"Authorization": f"Bearer {key}"}, verify=PLAIN_HTTP
    )


def test_an_account_is_made_changed_and_shut_out(shared_api: ApiThread, desk: httpx.Client) -> None:
    name = new_id("user")
    body = {"username": name, "password": PASSWORD, "role": "viewer", "camera_groups": ["Timur"]}
    made = desk.post("/api/v1/users", json=body)
    assert made.status_code == 201
    assert made.json()["camera_groups"] == ["Timur"]
    assert "password" not in made.text
    assert desk.post("/api/v1/users", json=body).status_code == 409
    assert name in desk.get("/api/v1/users").text
    sign_in = {"username": name, "password": PASSWORD}
    with shared_api.client(None) as browser:
        assert browser.post("/api/v1/session", json=sign_in).json()["role"] == "viewer"
        assert browser.post("/api/v1/calls", json=a_call()).status_code == 403
        changes = {"role": "operator", "camera_groups": None}
        changed = desk.patch(f"/api/v1/users/{name}", json=changes).json()
        assert (changed["role"], changed["camera_groups"]) == ("operator", None)
        # What it was let in as no longer holds.
        assert browser.get("/api/v1/session").status_code == 401
        browser.post("/api/v1/session", json=sign_in)
        assert browser.post("/api/v1/calls", json=a_call()).status_code == 201
        desk.patch(f"/api/v1/users/{name}", json={"enabled": False})
        assert browser.get("/api/v1/session").status_code == 401
        assert browser.post("/api/v1/session", json=sign_in).status_code == 401
    assert desk.get("/api/v1/users/nobody-of-this-name").status_code == 404


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short", "15 to 200"),
        ("123456789012345678", "easy to guess"),
        ("passwordpassword", "easy to guess"),
        ("siagasiagasiagasiaga", "easy to guess"),
        ("aaaaaaaaaaaaaaaaaaaaaa", "easy to guess"),
        ("qwertyuiopasdfghjkl", "easy to guess"),
    ],
)
def test_passwords_that_are_tried_first_are_refused(
    desk: httpx.Client, password: str, why: str
) -> None:
    body = {"username": new_id("user"), "password": password, "role": "viewer"}
    answer = desk.post("/api/v1/users", json=body)
    assert answer.status_code == 422
    assert why in answer.json()["detail"]
    assert password not in answer.text


@pytest.mark.parametrize(
    "password",
    ["air terjun di belakang pasar", "夜の雨とバスと青い自転車と猫と、川の石", "x7!kQz3)vv0-Lm2pR"],
)
def test_any_characters_make_a_password(
    shared_api: ApiThread, desk: httpx.Client, password: str
) -> None:
    body = {"username": new_id("user"), "password": password, "role": "viewer"}
    assert desk.post("/api/v1/users", json=body).status_code == 201
    sign_in = {"username": body["username"], "password": password}
    with shared_api.client(None) as browser:
        assert browser.post("/api/v1/session", json=sign_in).status_code == 200


def test_the_last_supervisor_stays(own_api_thread: ApiThread) -> None:
    with own_api_thread.client() as desk:
        body = {"username": "kepala", "password": PASSWORD, "role": "supervisor"}
        assert desk.post("/api/v1/users", json=body).status_code == 201
        for change in ({"enabled": False}, {"role": "viewer"}):
            answer = desk.patch("/api/v1/users/kepala", json=change)
            assert answer.status_code == 422
            assert "last supervisor" in answer.json()["detail"]
        desk.post("/api/v1/users", json=body | {"username": "wakil"})
        assert desk.patch("/api/v1/users/kepala", json={"role": "viewer"}).status_code == 200


@pytest.mark.parametrize("name", ["dinas/cad", "..", " cad"])
def test_what_could_not_be_called_up_again_is_no_name(desk: httpx.Client, name: str) -> None:
    for path, body in (
        ("/api/v1/keys", {"name": name, "role": "dispatch"}),
        ("/api/v1/users", {"username": name, "password": PASSWORD, "role": "viewer"}),
    ):
        refused = desk.post(path, json=body)
        assert refused.status_code == 422
        assert "no slash" in refused.json()["detail"]


def test_a_new_password_ends_the_wait_for_wrong_ones(own_api_thread: ApiThread) -> None:
    """An operator who has forgotten it, at the desk, with calls coming in."""
    right, other = "air terjun di belakang pasar", "hujan malam di atas jembatan"
    with own_api_thread.client() as desk, own_api_thread.client(None) as browser:
        desk.post(
            "/api/v1/users", json={"username": "sari", "password": right, "role": "operator"}
        ).raise_for_status()
        tries = [
            browser.post("/api/v1/session", json={"username": "sari", "password": other})
            for _ in range(6)
        ]
        assert tries[-1].status_code == 429
        assert int(tries[-1].headers["Retry-After"]) > 0
        desk.put("/api/v1/users/sari/password", json={"password": other}).raise_for_status()
        found = browser.post("/api/v1/session", json={"username": "sari", "password": other})
    assert found.status_code == 200


def test_one_changes_ones_own_password(shared_api: ApiThread, desk: httpx.Client) -> None:
    name = new_id("user")
    desk.post("/api/v1/users", json={"username": name, "password": PASSWORD, "role": "viewer"})
    with shared_api.client(None) as browser, shared_api.client(None) as elsewhere:
        for one in (browser, elsewhere):
            one.post("/api/v1/session", json={"username": name, "password": PASSWORD})
        new = "lampu merah di atas jembatan"
        wrong = {"current": "no", "password": new}
        assert browser.put("/api/v1/session/password", json=wrong).status_code == 401
        right = {"current": PASSWORD, "password": new}
        assert browser.put("/api/v1/session/password", json=right).status_code == 204
        assert browser.get("/api/v1/session").status_code == 200
        assert elsewhere.get("/api/v1/session").status_code == 401
        signed = elsewhere.post("/api/v1/session", json={"username": name, "password": new})
        assert signed.status_code == 200
    assert desk.put("/api/v1/session/password", json=right).status_code == 403


def test_a_key_is_narrowed_to_scopes(shared_api: ApiThread, desk: httpx.Client) -> None:
    name = new_id("key")
    body = {"name": name, "role": "dispatch", "scopes": ["incidents:read", "feed:read"]}
    issued = desk.post("/api/v1/keys", json=body)
    assert issued.status_code == 201
    with with_key(shared_api, issued.json()["key"]) as machine:
        assert machine.get("/api/v1/incidents").status_code == 200
        assert machine.get("/api/v1/log").status_code == 200
        assert machine.get("/ogc/collections").status_code == 200
        answer = machine.post("/api/v1/calls", json=a_call())
        assert answer.status_code == 403
        assert "calls:write" in answer.json()["detail"]
        assert machine.get("/api/v1/calls").status_code == 403
        desk.delete(f"/api/v1/keys/{name}")
        assert machine.get("/api/v1/incidents").status_code == 401
    unknown = desk.post("/api/v1/keys", json=body | {"name": "x", "scopes": ["fires:read"]})
    assert unknown.status_code == 422
    assert "incidents:read" in unknown.json()["detail"]
    listed = {one["name"]: one for one in desk.get("/api/v1/keys").json()["keys"]}
    assert listed[name]["revoked_at"] is not None
    assert issued.json()["key"] not in desk.get("/api/v1/keys").text


def test_a_key_is_rotated_without_a_pause(shared_api: ApiThread, desk: httpx.Client) -> None:
    name = new_id("key")
    old = desk.post("/api/v1/keys", json={"name": name, "role": "viewer"}).json()["key"]
    new = desk.post(f"/api/v1/keys/{name}/rotate", json={"overlap_hours": 1}).json()["key"]
    with with_key(shared_api, old) as before, with_key(shared_api, new) as after:
        assert before.get("/api/v1/incidents").status_code == 200
        assert after.get("/api/v1/incidents").status_code == 200
        newest = desk.post(f"/api/v1/keys/{name}/rotate", json={"overlap_hours": 0}).json()["key"]
        assert before.get("/api/v1/incidents").status_code == 401
        assert after.get("/api/v1/incidents").status_code == 401
    with with_key(shared_api, newest) as last:
        assert last.get("/api/v1/session").json()["username"] == name
    assert desk.post("/api/v1/keys/nobody/rotate", json={}).status_code == 404


def test_a_key_may_not_have_expired_when_it_is_issued(desk: httpx.Client) -> None:
    past = (SystemClock().now() - timedelta(days=1)).isoformat()
    body = {"name": new_id("key"), "role": "viewer", "expires_at": past}
    answer = desk.post("/api/v1/keys", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "expires_at"


def test_somebody_is_signed_out_everywhere(shared_api: ApiThread, desk: httpx.Client) -> None:
    name = new_id("user")
    body = {"username": name, "password": PASSWORD, "role": "viewer"}
    desk.post("/api/v1/users", json=body)
    address = f"/api/v1/users/{name}/sessions"
    assert desk.get(address).json() == {"sessions": []}
    with shared_api.client(None) as one, shared_api.client(None) as other:
        for browser in (one, other):
            browser.post("/api/v1/session", json={"username": name, "password": PASSWORD})
        (newest, _) = desk.get(address).json()["sessions"]
        assert newest["begun_at"] <= newest["used_at"]
        assert one.delete(address).status_code == 403
        assert desk.delete(address).status_code == 204
        assert one.get("/api/v1/session").status_code == 401
        assert other.get("/api/v1/session").status_code == 401
    assert desk.get(address).json() == {"sessions": []}
    assert desk.delete("/api/v1/users/nobody-of-this-name/sessions").status_code == 404
