"""The API as who means ill sees it: pages of other sites, keys and accounts that want more than
they were given, and every route of the access table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from api.rights.access import ACCESS, PUBLIC
from api.rights.reach import AGENCY_ROUTES
from api.rights.scopes import scope_of
from api.rights.security import COOKIE
from api.routes.keys import KNOWN_SCOPES
from contracts import IncidentId
from incidents.people.accounts import Role
from incidents.rows import change_row
from tests.api.made import a_camera, a_detection, found_incident
from tests.support.api import PASSWORD, PLAIN_HTTP, USERNAME, ApiThread, RunningApi

SAFE = ("GET", "WEBSOCKET")
CHANGING = [line for line in ACCESS if line[0] not in SAFE]
WITH_KEY = [line for line, roles in ACCESS.items() if roles is not PUBLIC]


def address_of(path: str) -> str:
    """A route's address with names that nothing has."""
    filled = re.sub(r"\{[^}]*\}", "none", path)
    return f"{filled}?after=wrong" if path == "/sse/v1/feed" else filled


@pytest.fixture(scope="module")
def victim(shared_api: ApiThread) -> Iterator[httpx.Client]:
    """A signed-in browser."""
    with shared_api.client(None) as client:
        signed = client.post("/api/v1/session", json={"username": USERNAME, "password": PASSWORD})
        assert signed.status_code == 200
        yield client


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}],
)
def test_no_page_of_another_site_changes_anything_by_any_route(
    victim: httpx.Client, headers: dict[str, str]
) -> None:
    assert CHANGING
    for method, path in CHANGING:
        sent = victim.request(method, address_of(path), headers=headers, content=b"{}")
        assert sent.status_code == 403, (method, path)
        assert sent.json()["type"] == "urn:siaga:problem:foreign-origin", (method, path)
    assert victim.get("/api/v1/session").status_code == 200


def test_no_page_of_another_site_follows_anything(
    shared_api: ApiThread, victim: httpx.Client
) -> None:
    cookie = {"Cookie": f"{COOKIE}={victim.cookies[COOKIE]}", "Origin": "https://evil.example"}
    for path in ("/ws/v1/feed", "/live/v1/camera-1"):
        url = shared_api.api.url.replace("http", "ws") + path
        with pytest.raises(InvalidStatus) as refused:
            connect(url, additional_headers=cookie)
        assert refused.value.response.status_code == 403, path
    assert victim.get("/sse/v1/feed?after=0", headers=cookie).status_code == 403


def client_of(url: str, key: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {key}"}
    return httpx.Client(base_url=url, headers=headers, timeout=20, verify=PLAIN_HTTP)


def test_a_key_opens_no_route_without_its_scope(shared_api: ApiThread) -> None:
    keys: dict[str, str] = {}
    for method, path in WITH_KEY:
        if method == "WEBSOCKET":
            continue
        scope = scope_of(method, path)
        if scope not in keys:
            issued = shared_api.api.store.keys.issue(
                f"all-but-{scope}", Role.SUPERVISOR, scopes=KNOWN_SCOPES - {scope}
            )
            keys[scope] = shared_api.run(issued)
        if Role.SUPERVISOR not in (ACCESS[method, path] or ()):
            continue
        with client_of(shared_api.api.url, keys[scope]) as machine:
            refused = machine.request(method, address_of(path), content=b"[")
        assert refused.status_code == 403, (method, path)
        assert scope in refused.json()["detail"]


def test_an_agencys_key_opens_what_is_for_agencies_and_nothing_else(shared_api: ApiThread) -> None:
    for role in (Role.DISPATCH, Role.SUPERVISOR):
        issued = shared_api.api.store.keys.issue(f"agency-{role}", role, agency_id="damkar")
        with client_of(shared_api.api.url, shared_api.run(issued)) as agency:
            for method, path in WITH_KEY:
                if method == "WEBSOCKET" or role not in (ACCESS[method, path] or ()):
                    continue
                status = agency.request(method, address_of(path), content=b"[").status_code
                assert (status == 403) is ((method, path) not in AGENCY_ROUTES), (method, path)


def test_a_narrowed_key_gives_out_no_more_than_it_has(shared_api: ApiThread) -> None:
    store = shared_api.api.store
    scopes = {"keys:write", "keys:read", "users:write", "incidents:read"}
    narrow = shared_api.run(store.keys.issue("narrow", Role.SUPERVISOR, scopes=scopes))
    shared_api.run(store.keys.issue("broad", Role.OPERATOR))
    shared_api.run(store.accounts.add("kepala-112", PASSWORD, Role.SUPERVISOR))
    with client_of(shared_api.api.url, narrow) as machine:

        def issue(**changes: Any) -> int:
            body = {"name": "another", "role": "viewer", **changes}
            return machine.post("/api/v1/keys", json=body).status_code

        assert issue() == 403, "a key without scopes may everything that its role may"
        assert issue(scopes=["audit:read"]) == 403
        assert issue(scopes=["incidents:read"]) == 201
        assert machine.post("/api/v1/keys/broad/rotate", json={}).status_code == 403
        assert machine.post("/api/v1/keys/another/rotate", json={}).status_code == 200
        account = {"username": "baru", "password": PASSWORD, "role": "supervisor"}
        assert machine.post("/api/v1/users", json=account).status_code == 403
        assert machine.post("/api/v1/users", json=account | {"role": "viewer"}).status_code == 201
        for username, change in (
            ("baru", {"role": "supervisor"}),
            ("kepala-112", {"role": "viewer"}),
        ):
            changed = machine.patch(f"/api/v1/users/{username}", json=change)
            assert changed.status_code == 403, username
        reset = machine.put("/api/v1/users/kepala-112/password", json={"password": PASSWORD})
        assert reset.status_code == 403


CITY_WIDE = ("users", "keys", "webhooks", "audit", "reports", "learning", "dead-letters")


async def test_who_is_limited_to_groups_reaches_nothing_of_the_others(own_api: RunningApi) -> None:
    store = own_api.store
    async with own_api.client() as desk:
        for name in ("Timur", "Barat"):
            camera = a_camera(id=f"camera-{name.lower()}", name=f"Simpang {name}", group=name)
            (await desk.post("/api/v1/cameras", json=camera)).raise_for_status()
    ours, theirs = await found_incident(store), await found_incident(store)
    for incident, groups in ((ours, ("Timur",)), (theirs, ("Barat",))):
        async with store._database.changing() as connection:
            now = await store.incidents.get(incident.id)
            await change_row(connection, now, replace(now, camera_groups=groups))
    hidden = ("camera-barat", "Simpang Barat", theirs.id)
    leaks: list[str] = []
    for role in (Role.SUPERVISOR, Role.OPERATOR, Role.AUDITOR):
        key = await store.keys.issue(f"timur-{role}", role, camera_groups=["Timur"])
        async with httpx.AsyncClient(
            base_url=own_api.url,
            headers={"Authorization": f"Bearer {key}"},
            verify=PLAIN_HTTP,
            timeout=20,
        ) as limited:
            for method, path in WITH_KEY:
                # The log's entries are from before; `test_camera_groups` has those.
                if method != "GET" or path.startswith(("/sse", "/map", "/api/v1/log")):
                    continue
                filled = path.replace("{camera_id}", "camera-barat")
                filled = filled.replace("{incident_id}", theirs.id)
                filled = filled.replace("{collection_id}", "incidents")
                filled = filled.replace("{feature_id}", theirs.id)
                answer = await limited.get(re.sub(r"\{[^}]*\}", "none", filled))
                # A refusal may name what was asked for; it tells nothing then.
                if answer.is_success and any(one in answer.text for one in hidden):
                    leaks.append(f"{role} {method} {path}")
            if role is Role.SUPERVISOR:
                await _changes_nothing_of_the_others(limited, ours.id, theirs.id)
                for name in CITY_WIDE:
                    refused = await limited.get(f"/api/v1/{name}")
                    assert refused.status_code in (403, 404), name
    assert leaks == []
    assert (await store.incidents.get(theirs.id)).state == theirs.state


async def _changes_nothing_of_the_others(
    limited: httpx.AsyncClient, ours: IncidentId, theirs: IncidentId
) -> None:
    version = (await limited.get(f"/api/v1/incidents/{ours}")).json()["version"]
    because = {"version": version, "reason": "a try"}
    tries: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", "/api/v1/detections", a_detection("camera-barat")),
        (
            "POST",
            "/api/v1/shelves",
            {"camera_id": "camera-barat", "reason": "r", "until": "2099-01-01T00:00:00Z"},
        ),
        (
            "POST",
            f"/api/v1/incidents/{ours}/merge",
            because | {"other_id": theirs, "other_version": 1},
        ),
        (
            "POST",
            f"/api/v1/incidents/{ours}/actions",
            because | {"action": "mark_duplicate", "duplicate_of": theirs},
        ),
        ("POST", f"/api/v1/incidents/{theirs}/actions", {"action": "verify", "version": 1}),
        ("POST", f"/api/v1/incidents/{theirs}/hold", because | {"on_hold": True}),
        ("PUT", "/api/v1/cameras/camera-barat", a_camera(group="Timur") | {"version": 1}),
        ("DELETE", "/api/v1/cameras/camera-barat?version=1", {}),
        ("POST", "/api/v1/cameras/camera-barat/probe", {}),
        ("POST", "/api/v1/cameras/camera-barat/head", {"pan_deg": 1}),
    ]
    for method, path, body in tries:
        sent = await limited.request(method, path, json=body)
        assert sent.status_code == 404, (method, path, sent.text)
    many = {"cameras": [{"id": "camera-barat", "version": 1}], "enabled": False}
    sent = await limited.post("/api/v1/cameras/bulk", json=many)
    assert "camera-barat" not in sent.json().get("changed", []), sent.text


def test_bodies_that_are_too_large_are_refused_before_they_are_read(desk: httpx.Client) -> None:
    for path in ("/api/v1/calls", "/api/v1/cameras/bulk", "/aml", "/pidf-lo", "/api/v1/session"):
        sent = desk.post(path, content=b"x" * 1_000_001)
        assert sent.status_code == 413, path


def test_no_header_of_ours_is_of_the_sender_s_making(desk: httpx.Client) -> None:
    odd = "req-1234%0d%0aSet-Cookie: siaga_session=mine"
    answer = desk.get("/api/v1/config", headers={"X-Request-Id": odd})
    assert "set-cookie" not in answer.headers
    assert answer.headers["x-request-id"] != odd
    name = "a%0d%0aX-Evil:%201.pdf"
    sent = desk.post(
        f"/api/v1/incidents/none/attachments?name={name}",
        content=b"%PDF-1.7",
        headers={"Content-Type": "application/pdf"},
    )
    assert sent.status_code in (404, 422)
    assert "x-evil" not in sent.headers


@pytest.mark.parametrize(
    "path",
    [
        "../../etc/passwd",
        "..%2f..%2fetc%2fpasswd",
        "%2e%2e/%2e%2e/etc/passwd",
        "/etc/passwd",
        "a" * 64,
        "..\\..\\x",
        "%00",
    ],
)
def test_no_file_is_read_but_evidence(desk: httpx.Client, path: str) -> None:
    for stem in ("/api/v1/evidence/", "/map/", "/assets/", "/"):
        answer = desk.get(stem + path)
        assert "root:" not in answer.text
        assert answer.status_code in (404, 422, 200)
        if answer.status_code == 200:
            assert answer.headers["content-type"].startswith("text/html"), "the console itself"
