"""Webhooks: everything arrives, in order a subject, signed, whatever the receiver does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_structured_event
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from api.outgoing.webhook_sender import LOOK_S
from incidents.people.accounts import Role
from incidents.webhooks import WebhookState
from plumbing.bus import Bus
from plumbing.clock import HeldClock
from tests.api.made import found_incident
from tests.api.reading import write_calls
from tests.api.receivers import Receiver, receiving
from tests.incidents.running import now
from tests.support.api import RunningApi, api_settings, running_api, until


@asynccontextmanager
async def hooked_api(
    folder: Path, bus: Bus, clock: HeldClock, **changes: object
) -> AsyncIterator[RunningApi]:
    settings = api_settings(folder, webhooks__allow_private="[127.0.0.0/8]", **changes)
    async with running_api(settings, bus, clock) as api:
        yield api


async def add(api: RunningApi, receiver: Receiver, **fields: object) -> dict[str, Any]:
    async with api.client() as client:
        body = {"name": "dispatch", "url": receiver.url, **fields}
        answer = await client.post("/api/v1/webhooks", json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def emptied(api: RunningApi, hook: str) -> None:
    """Wait until nothing waits any more."""
    for _ in range(1500):
        if not (await api.store.webhooks.get(hook)).waiting:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("something waits after 30 s")


async def failed(api: RunningApi, hook: str) -> WebhookState:
    """Wait until a delivery has failed."""
    for _ in range(1500):
        state = await api.store.webhooks.get(hook)
        if state.failures:
            return state
        await asyncio.sleep(0.02)
    raise AssertionError("nothing has failed after 30 s")


def seqs(receiver: Receiver) -> list[int]:
    return [json.loads(one.body)["data"]["seq"] for one in receiver.taken]


async def test_every_change_arrives_signed_as_a_cloud_event(tmp_path: Path, bus: Bus) -> None:
    clock = HeldClock(now())
    async with hooked_api(tmp_path, bus, clock) as api, receiving(Receiver()) as receiver:
        made = await add(api, receiver)
        incident = await found_incident(api.store)
        async with api.client() as client:
            body = {"action": "verify", "version": incident.version, "note": "unit 3 sees it"}
            await client.post(f"/api/v1/incidents/{incident.id}/actions", json=body)
        await until(lambda: len(receiver.taken) == 3, 30)
        await emptied(api, made["webhook"]["id"])
    last = receiver.taken[-1]
    # The reference libraries read what we send: nothing here knows how it was made.
    Webhook(made["secret"]).verify(last.body, last.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(made["secret"]).verify(last.body + b" ", last.headers)
    message = HTTPMessage(headers=last.headers, body=last.body)
    event = from_structured_event(message)
    assert event.get_type() == "id.siaga.incident.verified.v1"
    assert event.get_subject() == f"incident/{incident.id}"
    data = event.get_data()
    assert isinstance(data, dict)
    assert data["subject"]["state"] == "verified"


async def test_a_receiver_that_was_down_for_an_hour_gets_everything_in_order(
    tmp_path: Path, bus: Bus
) -> None:
    clock = HeldClock(now())
    receiver = Receiver()
    async with hooked_api(tmp_path, bus, clock) as api:
        async with receiving(receiver):
            made = await add(api, receiver)
        hook = made["webhook"]["id"]
        incident = await found_incident(api.store)
        async with api.client() as client:
            for number in range(6):
                body = {"action": "note", "version": 1 + number, "note": f"note {number}"}
                answer = await client.post(f"/api/v1/incidents/{incident.id}/actions", json=body)
                assert answer.status_code == 200, answer.text
                await write_calls(api.store, 3)
                clock.advance(600)
        state = await failed(api, hook)
        last = await api.store.log.last_seq()
        assert receiver.taken == []
        async with receiving(receiver):
            clock.advance(900)
            await until(lambda: len(receiver.taken) >= last, 40)
            await emptied(api, hook)
            assert (await api.store.webhooks.get(hook)).problem == ""
    assert state.failures > 0
    assert sorted(seqs(receiver)) == list(range(1, last + 1))
    by_subject: dict[str, list[int]] = {}
    for one in receiver.taken:
        Webhook(made["secret"]).verify(one.body, _fresh(one.headers, made["secret"], one.body))
        event = json.loads(one.body)
        by_subject.setdefault(event["subject"], []).append(event["data"]["seq"])
    assert all(found == sorted(found) for found in by_subject.values())
    assert len(by_subject[f"incident/{incident.id}"]) == 7


def _fresh(headers: dict[str, str], secret: str, body: bytes) -> dict[str, str]:
    """The library judges the age by the machine's clock, and the test's is hours ahead: the
    signature is checked over the time that was sent, and its age apart."""
    signed_at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
    expected = Webhook(secret).sign(headers["webhook-id"], signed_at, body.decode())
    assert headers["webhook-signature"] == expected
    at = datetime.now(UTC)
    again = Webhook(secret).sign(headers["webhook-id"], at, body.decode())
    return headers | {
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": again,
    }


async def test_what_is_refused_for_good_becomes_a_dead_letter_and_can_be_sent_again(
    tmp_path: Path, bus: Bus
) -> None:
    clock = HeldClock(now())
    async with hooked_api(tmp_path, bus, clock) as api, receiving(Receiver()) as receiver:
        made = await add(api, receiver)
        hook = made["webhook"]["id"]
        incident = await found_incident(api.store)
        receiver.refuses = {incident.id.encode()}
        await write_calls(api.store, 2)
        async with api.client() as client:

            async def dead() -> list[dict[str, Any]]:
                answer = await client.get(f"/api/v1/webhooks/{hook}/dead-letters")
                found: list[dict[str, Any]] = answer.json()["dead_letters"]
                return found

            # Others go on while it is tried again and again.
            await until(lambda: len(receiver.taken) >= 2, 30)
            letters: list[dict[str, Any]] = []
            for _ in range(200):
                clock.advance(300)
                if letters := await dead():
                    break
                await asyncio.sleep(LOOK_S / 10)
            assert [one["subject_id"] for one in letters] == [incident.id]
            assert "400" in letters[0]["problem"]
            receiver.refuses = set()
            answer = await client.post(f"/api/v1/webhooks/{hook}/dead-letters/send", json={})
            assert answer.json() == {"queued": 1}
            await until(lambda: letters[0]["seq"] in seqs(receiver), 30)
            assert await dead() == []


async def test_a_receiver_that_was_away_may_refuse_as_often_as_any_other(
    tmp_path: Path, bus: Bus
) -> None:
    clock = HeldClock(now())
    async with hooked_api(tmp_path, bus, clock) as api, receiving(Receiver(status=503)) as receiver:
        hook = (await add(api, receiver))["webhook"]["id"]
        await write_calls(api.store, 1)

        async def tried_again() -> None:
            tries = receiver.tries
            clock.advance(900)
            await until(lambda: receiver.tries > tries, 30)

        for _ in range(12):
            await tried_again()
        # A proxy whose application isn't up yet says 404 for a moment; the message isn't at fault.
        receiver.status = 404
        await tried_again()
        for _ in range(1500):
            if (await api.store.webhooks.get(hook)).problem == "answered 404":
                break
            await asyncio.sleep(0.02)
        state = await api.store.webhooks.get(hook)
        assert (state.problem, state.waiting, state.dead) == ("answered 404", 1, 0)
        receiver.status = 204
        clock.advance(900)
        await until(lambda: len(receiver.taken) == 1, 30)
        await emptied(api, hook)


async def test_filters_and_partitions_hold(tmp_path: Path, bus: Bus) -> None:
    clock = HeldClock(now())
    async with hooked_api(tmp_path, bus, clock) as api, receiving(Receiver()) as receiver:
        await add(api, receiver, hazards=["flood"], kinds=["incident.founded", "call.received"])
        fire = await found_incident(api.store)
        await write_calls(api.store, 1)
        await until(lambda: len(receiver.taken) >= 2, 30)
    # Of the fire its call came (calls pass a filter of incidents' hazards), but not itself.
    kinds = [json.loads(one.body)["type"] for one in receiver.taken]
    assert kinds == ["id.siaga.call.received.v1"] * 2
    assert fire.id not in {json.loads(one.body)["subject"] for one in receiver.taken}


async def test_both_secrets_sign_while_one_is_replaced(tmp_path: Path, bus: Bus) -> None:
    clock = HeldClock(now())
    async with hooked_api(tmp_path, bus, clock) as api, receiving(Receiver()) as receiver:
        made = await add(api, receiver)
        async with api.client() as client:
            answer = await client.post(
                f"/api/v1/webhooks/{made['webhook']['id']}/secret", json={"overlap_hours": 1}
            )
        await write_calls(api.store, 1)
        await until(lambda: len(receiver.taken) == 1, 30)
        one = receiver.taken[0]
        for secret in (made["secret"], answer.json()["secret"]):
            Webhook(secret).verify(one.body, one.headers)
        clock.advance(3_700)
        await write_calls(api.store, 1)
        await until(lambda: len(receiver.taken) == 2, 30)
    assert len(receiver.taken[1].headers["webhook-signature"].split(" ")) == 1


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://127.0.0.1:1/x", "webhooks.allow_private"),
        ("http://169.254.169.254/latest", "never opened"),
        ("ftp://example.org/x", "https://"),
        ("https://user:secret@example.org/x", "user or password"),
    ],
)
async def test_addresses_inside_are_refused(own_api: RunningApi, url: str, why: str) -> None:
    async with own_api.client() as client:
        answer = await client.post("/api/v1/webhooks", json={"name": "x", "url": url})
    assert answer.status_code == 422
    assert why in answer.json()["detail"]
    assert "secret" not in answer.text or "user:secret" not in answer.text


async def test_a_version_that_was_not_looked_at_changes_nothing(own_api: RunningApi) -> None:
    async with own_api.client() as client:
        made = (
            await client.post(
                "/api/v1/webhooks", json={"name": "x", "url": "https://192.0.43.8/hook"}
            )
        ).json()
        address = f"/api/v1/webhooks/{made['webhook']['id']}"
        body = {"name": "y", "url": "https://192.0.43.8/hook", "enabled": False, "version": 1}
        assert (await client.put(address, json=body)).json()["webhook"]["version"] == 2
        refused: httpx.Response = await client.put(address, json=body)
        assert refused.status_code == 409
        assert refused.json()["current"]["name"] == "y"
        assert (await client.delete(address)).status_code == 204
        assert (await client.get(address)).status_code == 404


async def test_only_supervisors_make_webhooks(own_api: RunningApi) -> None:
    async with own_api.client(Role.OPERATOR) as client:
        body = {"name": "x", "url": "https://192.0.43.8/hook"}
        assert (await client.post("/api/v1/webhooks", json=body)).status_code == 403


async def test_where_changes_are_sent_stands_in_the_audit_log(own_api: RunningApi) -> None:
    async with own_api.client() as client:
        body = {"name": "x", "url": "https://192.0.43.8/hook"}
        made = (await client.post("/api/v1/webhooks", json=body)).json()["webhook"]
        address = f"/api/v1/webhooks/{made['id']}"
        await client.put(address, json=body | {"version": made["version"], "enabled": False})
        await client.post(f"{address}/secret", json={})
        await client.post(f"{address}/dead-letters/send", json={})
        await client.delete(address)
        told = await client.get("/api/v1/audit", params={"subject": made["id"]})
    actions = [one["action"] for one in told.json()["entries"]]
    assert actions == [
        f"webhook.{did}" for did in ("removed", "sent-again", "secret", "changed", "added")
    ]
    assert made["url"] not in told.text
