"""What a reader asks for and may see: filtered chains have no gap, on the websocket, by SSE and in
pages alike; agencies get what they are told of; and the description holds."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import jsonschema
import websockets

from contracts import AgencyId, AlarmLevel, Hazard, IncidentAction, LogKind
from incidents.log import LogFilter
from incidents.people.accounts import Role
from incidents.store import Store
from tests.api.made import PLAIN, found_incident
from tests.api.reading import changes, message, write_calls
from tests.support.api import PLAIN_HTTP, RunningApi


@asynccontextmanager
async def reading(
    api: RunningApi, query: str, key: str | None = None
) -> AsyncIterator[websockets.ClientConnection]:
    headers = {"Authorization": f"Bearer {key}"} if key else api.headers(Role.VIEWER)
    async with websockets.connect(
        f"{api.feed_url}?{query}", additional_headers=headers, max_size=None, compression=None
    ) as connection:
        yield connection


async def act(store: Store, incident_id: Any, *actions: IncidentAction) -> None:
    for action in actions:
        one = await store.incidents.get(incident_id)
        await store.incidents.act(one.id, action, actor="ani", version=one.version, note="n")


def assert_linked(entries: list[dict[str, Any]], after: int) -> None:
    """Each names the one before it as this reader had it."""
    for entry in entries:
        assert entry["prev_seq"] == after
        after = entry["seq"]


async def test_a_filtered_chain_has_no_gap_across_joins_and_resumption(
    own_api: RunningApi,
) -> None:
    store = own_api.store
    quiet = await found_incident(store, probability=0.0001)
    async with reading(own_api, "level=alarm&kind=incident.founded&kind=incident.acted") as first:
        start = await message(first)
        assert start["incidents"] == []
        loud = await found_incident(store)
        await write_calls(store, 3)
        await act(store, loud.id, IncidentAction.ACKNOWLEDGE)
        got = await changes(first, 2)
        assert_linked(got, start["seq"])
        # One who joins later has another place in the chain, and goes on with the same changes.
        async with reading(own_api, "kind=incident.acted&level=alarm&kind=incident.founded") as two:
            joined = (await message(two))["seq"]
            await act(store, quiet.id, IncidentAction.ACKNOWLEDGE)
            await act(store, loud.id, IncidentAction.NOTE)
            (one,) = await changes(first, 1)
            others: list[dict[str, Any]] = []
            # Its snapshot may be the one that the first reader was given a moment ago.
            while not others or others[-1]["seq"] < one["seq"]:
                others += await changes(two, 1)
    assert_linked([one], got[-1]["seq"])
    assert_linked(others, joined)
    assert others[-1]["seq"] == one["seq"]
    await write_calls(store, 5)
    await act(store, loud.id, IncidentAction.NOTE)
    wish = f"level=alarm&kind=incident.acted&after={got[0]['seq']}"
    async with reading(own_api, wish) as again:
        rest = await changes(again, 3)
    assert_linked(rest, got[0]["seq"])
    assert [entry["detail"] for entry in rest] == ["acknowledge", "note", "note"]


async def test_who_leaves_a_filter_is_told_of_it(own_api: RunningApi) -> None:
    one = await found_incident(own_api.store)
    async with reading(own_api, "hazard=fire") as fires, reading(own_api, "hazard=flood") as floods:
        start = (await message(fires))["seq"]
        await message(floods)
        await _becomes(own_api.store, one.id, Hazard.FLOOD)
        (left,), (entered,) = await changes(fires, 1), await changes(floods, 1)
    assert_linked([left], start)
    assert left["seq"] == entered["seq"]
    assert left["subject"]["estimate"]["hazard"] == "flood"


async def _becomes(store: Store, incident_id: Any, hazard: Hazard) -> None:
    one = await store.incidents.get(incident_id)
    estimate = replace(one.estimate, hazard=hazard, hazard_probabilities=((hazard, 1.0),))
    await store.fusion.restate(
        {one.id: estimate},
        fencing=1,
        known_seq=await store.log.last_seq(),
        enrichment=PLAIN,
    )


async def test_server_sent_events_tell_the_same_and_resume_by_their_ids(
    own_api: RunningApi,
) -> None:
    store = own_api.store
    one = await found_incident(store)
    async with _events(own_api, "level=alarm") as events:
        name, seq, snapshot = await anext(events)
        assert (name, len(snapshot["incidents"])) == ("snapshot", 1)
        await act(store, one.id, IncidentAction.ACKNOWLEDGE)
        name, last, change = await anext(events)
        assert name == "change"
        assert_linked([change], seq)
    await act(store, one.id, IncidentAction.NOTE, IncidentAction.NOTE)
    async with _events(own_api, "level=alarm", last) as events:
        got = [(await anext(events))[2] for _ in range(2)]
    assert_linked(got, last)
    async with own_api.client() as client:
        gone = await client.get("/sse/v1/feed", headers={"Last-Event-ID": "99999"})
        assert gone.status_code == 410
        odd = await client.get("/sse/v1/feed", params={"colour": "red"})
        assert odd.status_code == 422


@asynccontextmanager
async def _events(
    api: RunningApi, query: str, last: int | None = None
) -> AsyncIterator[AsyncIterator[tuple[str, int, dict[str, Any]]]]:
    headers = api.headers(Role.VIEWER) | ({} if last is None else {"Last-Event-ID": str(last)})
    async with (
        httpx.AsyncClient(base_url=api.url, verify=PLAIN_HTTP, timeout=20) as client,
        client.stream("GET", f"/sse/v1/feed?{query}", headers=headers) as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")

        async def read() -> AsyncIterator[tuple[str, int, dict[str, Any]]]:
            fields: dict[str, str] = {}
            async for line in answer.aiter_lines():
                if line:
                    name, _, value = line.partition(": ")
                    fields[name] = value
                elif "data" in fields:
                    if fields["event"] != "ping":
                        data = json.loads(fields["data"])
                        yield fields["event"], int(fields["id"]), data
                    fields = {}

        yield read()


async def test_pages_of_a_filter_end_where_the_log_ends(own_api: RunningApi) -> None:
    store = own_api.store
    one = await found_incident(store)
    await write_calls(store, 8)
    await act(store, one.id, IncidentAction.ACKNOWLEDGE)
    found: list[int] = []
    after = 0
    async with own_api.client() as client:
        while True:
            params = {"after": after, "limit": 1, "kind": ["incident.founded", "incident.acted"]}
            page = (await client.get("/api/v1/log", params=params)).json()
            found += [entry["seq"] for entry in page["entries"]]
            after = page["next_after"]
            if after >= page["last_seq"]:
                break
        of_one = (await client.get("/api/v1/log", params={"subject": one.id})).json()["entries"]
    assert found == [entry["seq"] for entry in of_one]
    assert len(found) == 2


async def test_an_agencys_system_sees_what_it_is_told_of_and_nothing_else(
    own_api: RunningApi,
) -> None:
    store = own_api.store
    fire = await found_incident(store)
    other = await found_incident(store)
    key = await store.keys.issue("damkar-cad", Role.DISPATCH, agency_id="damkar")
    async with (
        own_api.client() as desk,
        httpx.AsyncClient(
            base_url=own_api.url,
            headers={"Authorization": f"Bearer {key}"},
            verify=PLAIN_HTTP,
            timeout=20,
        ) as agency,
        reading(own_api, "", key) as feed,
    ):
        assert (await message(feed))["incidents"] == []
        await act(store, fire.id, IncidentAction.VERIFY)
        await act(store, other.id, IncidentAction.VERIFY)
        version = (await store.incidents.get(fire.id)).version
        unit = {"id": "m-1", "agency_id": "damkar", "name": "Mobil 1", "kind": "engine"}
        assert (await desk.post("/api/v1/units", json=unit)).status_code == 201
        sent = await desk.post(
            f"/api/v1/incidents/{fire.id}/assignments",
            json={"agency_id": "damkar", "unit_id": "m-1", "version": version},
        )
        assert sent.status_code == 201, sent.text
        assert sent.json()["state"] == "dispatched"
        assignment = sent.json()["assignments"][0]
        got = await changes(feed, 3)
        assert {entry["kind"] for entry in got} == {"unit.saved", "incident.acted"}
        assert {entry["subject_id"] for entry in got} == {"m-1", fire.id}
        listed = (await agency.get("/api/v1/incidents")).json()["incidents"]
        assert [one["id"] for one in listed] == [fire.id]
        assert (await agency.get(f"/api/v1/incidents/{other.id}")).status_code == 404
        assert (await agency.get(f"/api/v1/incidents/{other.id}.cap.xml")).status_code == 404
        messages = (await agency.get("/cap/feed")).text
        assert f"<incidents>{fire.id}</incidents>" in messages
        assert other.id not in messages
        exported = await agency.get("/api/v1/incidents.csv")
        assert fire.id in exported.text
        assert other.id not in exported.text
        features = (await agency.get("/ogc/collections/incidents/items")).json()["features"]
        assert len(features) == 1
        assert (await agency.get("/api/v1/calls")).status_code == 403
        pages = (await agency.get("/api/v1/log")).json()["entries"]
        assert {entry["subject_id"] for entry in pages} == {"m-1", fire.id}
        # It tells how far it has come; the incident goes along, and the unit is free at the end.
        address = f"/api/v1/incidents/{fire.id}/assignments/{assignment['id']}"
        for state, becomes in (
            ("en_route", "en_route"),
            ("on_scene", "on_scene"),
            ("closed", "on_scene"),
        ):
            told = await agency.post(address, json={"state": state})
            assert told.json()["state"] == becomes, told.text
            # Who got no answer says it again, and that is no news.
            last = await store.log.last_seq()
            again = await agency.post(address, json={"state": state})
            assert (again.status_code, again.json()) == (200, told.json())
            assert await store.log.last_seq() == last
        assert (await agency.post(address, json={"state": "en_route"})).status_code == 422
        assert (await agency.get("/api/v1/units/m-1")).json()["state"] == "available"
    ended = (await store.incidents.get(fire.id)).assignments[0]
    assert ended.en_route_at is not None
    assert ended.ended_at is not None


async def test_the_description_of_the_feed_is_what_the_feed_sends(own_api: RunningApi) -> None:
    async with own_api.client(None) as client:
        described = (await client.get("/asyncapi.json")).json()
    assert described["asyncapi"] == "3.0.0"
    address = described["channels"]["feed"]["address"]
    one = await found_incident(own_api.store)
    url = own_api.url.replace("http", "ws") + address
    headers = own_api.headers(Role.VIEWER)
    sent: list[dict[str, Any]] = []
    async with websockets.connect(url, additional_headers=headers, max_size=None) as connection:
        sent.append(await message(connection))
        await act(own_api.store, one.id, IncidentAction.ACKNOWLEDGE)
        sent.append(await message(connection))
        async with own_api.other_process() as other:
            await write_calls(other, 1)
        sent.append(await message(connection))
    messages = described["components"]["messages"]
    for one_message in sent:
        schema = messages[one_message["type"]]["payload"] | {"components": described["components"]}
        jsonschema.validate(one_message, schema)


async def test_the_same_law_in_memory_and_in_the_database(own_api: RunningApi) -> None:
    store = own_api.store
    one = await found_incident(store)
    await found_incident(store, probability=0.0001)
    await write_calls(store, 2)
    await act(store, one.id, IncidentAction.VERIFY)
    everything, _ = await store.log.scan(0, 500)
    for only in (
        LogFilter(hazards=frozenset({Hazard.FIRE})),
        LogFilter(levels=frozenset({AlarmLevel.ALARM})),
        LogFilter(areas=frozenset({"Bekasi Timur"})),
        LogFilter(areas=frozenset({"Bekasi"})),
        LogFilter(agencies=frozenset({AgencyId("damkar")})),
        LogFilter(groups=frozenset({"north"})),
        LogFilter(kinds=frozenset({LogKind.CALL_RECEIVED}), exercise=False),
        LogFilter(subject_ids=frozenset({one.id})),
    ):
        found, _ = await store.log.scan(0, 500, only)
        passing = [each.entry.seq for each in everything if only.passes(each.entry, each.tags)]
        assert [each.entry.seq for each in found] == passing, only
