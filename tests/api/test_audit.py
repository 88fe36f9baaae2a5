"""Who signs in, who is shown callers' places, and who changes what: all of it can be read again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

from api.configuration import note_configuration
from incidents.people.accounts import Role
from incidents.people.audit import AuditEntry
from plumbing.ids import new_id
from plumbing.sealing import Sealer
from tests.api.made import a_call
from tests.support.api import PASSWORD, ApiThread, RunningApi, api_settings


def audit(desk: httpx.Client, **query: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = desk.get("/api/v1/audit", params=query).json()["entries"]
    return entries


@pytest.fixture
def person(shared_api: ApiThread) -> str:
    name = new_id("person")
    accounts = shared_api.api.store.accounts
    shared_api.run(accounts.add(name, PASSWORD, Role.OPERATOR))
    return name


def test_signing_in_and_out_is_written_down(
    shared_api: ApiThread, desk: httpx.Client, person: str
) -> None:
    with shared_api.client(None) as browser:
        browser.post("/api/v1/session", json={"username": person, "password": "wrong"})
        browser.post("/api/v1/session", json={"username": person, "password": PASSWORD})
        browser.delete("/api/v1/session")
    told = audit(desk, subject=person, action="session.")
    assert [one["action"] for one in told] == ["session.ended", "session.opened", "session.refused"]
    assert told[1]["details"]["address"] == "127.0.0.1"


def test_a_password_typed_as_a_name_is_not_kept(shared_api: ApiThread, desk: httpx.Client) -> None:
    secret = "my secret that I typed in the wrong field"
    with shared_api.client(None) as browser:
        browser.post("/api/v1/session", json={"username": secret, "password": "x"})
    told = audit(desk, action="session.refused", limit="1")
    assert told[0]["subject"].startswith("unknown ")
    assert secret not in desk.get("/api/v1/audit", params={"limit": 500}).text


def test_whoever_is_shown_a_callers_place_is_written_down_once_a_while(
    shared_api: ApiThread, desk: httpx.Client, person: str
) -> None:
    call_id = desk.post("/api/v1/calls", json=a_call(note="Bu Siti")).json()["call"]["id"]
    with shared_api.client(None) as browser:
        browser.post("/api/v1/session", json={"username": person, "password": PASSWORD})
        for _ in range(3):
            assert browser.get(f"/api/v1/calls/{call_id}").status_code == 200
        browser.get("/api/v1/calls")
        browser.get("/api/v1/log?limit=1")
    told = audit(desk, actor=person, action="view.")
    assert [(one["action"], one["subject"]) for one in told] == [
        ("view.feed", ""),
        ("view.calls", ""),
        ("view.call", call_id),
    ]
    assert all("Siti" not in str(one) and "106.9" not in str(one) for one in told)


async def test_following_the_feed_is_a_view(own_api: RunningApi) -> None:
    async with connect(own_api.feed_url, additional_headers=own_api.headers(Role.VIEWER)) as feed:
        await feed.recv()
    page = await own_api.store.audit.page(action="view.feed")
    assert len(page.entries) == 1
    assert page.entries[0].actor.startswith("key-viewer")


def test_what_is_done_by_the_api_is_written_down(desk: httpx.Client) -> None:
    name = new_id("user")
    body = {"username": name, "password": PASSWORD, "role": "viewer"}
    assert desk.post("/api/v1/users", json=body).status_code == 201
    desk.patch(f"/api/v1/users/{name}", json={"role": "operator"})
    desk.put(f"/api/v1/users/{name}/password", json={"password": PASSWORD[::-1]})
    told = audit(desk, subject=name)
    assert [one["action"] for one in told] == [
        "account.password",
        "account.changed",
        "account.added",
    ]
    assert all(one["actor"].startswith("key-supervisor") for one in told)
    assert PASSWORD not in str(told)


def test_pages_and_the_head(desk: httpx.Client) -> None:
    page = desk.get("/api/v1/audit", params={"limit": 2}).json()
    after = desk.get("/api/v1/audit", params={"limit": 2, "after": page["next"]}).json()
    assert [one["seq"] for one in page["entries"] + after["entries"]] == list(
        range(page["head"]["seq"], page["head"]["seq"] - 4, -1)
    )
    assert page["entries"][0]["hash"] == page["head"]["hash"]


async def test_a_changed_configuration_is_written_down_by_its_keys_alone(
    own_api: RunningApi, tmp_path: Path
) -> None:
    store, sealer = own_api.store, Sealer(own_api.settings.key_file)

    async def told() -> tuple[AuditEntry, ...]:
        return (await store.audit.page(action="configuration.")).entries

    assert len(await told()) == 1
    await note_configuration(store.audit, own_api.settings, sealer)
    assert len(await told()) == 1
    changed = api_settings(tmp_path, calls__aml_key="a secret of the network")
    await note_configuration(store.audit, changed, sealer)
    newest = (await told())[0]
    assert newest.details is not None
    assert newest.details["changed"] == ["calls.aml_key"]
    assert "a secret of the network" not in str(newest)
