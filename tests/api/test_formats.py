"""CAP, its feed, EIDO and exports from a running server."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import feedparser
import httpx
import pytest
from lxml import etree
from sqlalchemy import delete

from contracts import IncidentAction
from incidents.tables import LogRow
from plumbing.embedded_bus import EmbeddedBus
from tests.api.filled import filled_api, incident_id
from tests.api.formats.reading_cap import Alert, assert_means
from tests.api.made import found_incident
from tests.support.api import ApiThread, RunningApi

CAP = "{urn:oasis:names:tc:emergency:cap:1.2}alert"


@pytest.fixture
def filled(
    tmp_path_factory: pytest.TempPathFactory, shared_server: EmbeddedBus, namespace: str
) -> Iterator[ApiThread]:
    folder = tmp_path_factory.mktemp("formats")
    with filled_api(folder, shared_server.url, namespace, publishing__max_export=5) as running:
        yield running


@pytest.fixture
def client(filled: ApiThread) -> Iterator[httpx.Client]:
    with filled.client() as client:
        yield client


def act(filled: ApiThread, number: int, action: IncidentAction, reason: str = "") -> None:
    store = filled.api.store
    version = filled.run(store.incidents.get(incident_id(number))).version
    filled.run(
        store.incidents.act(
            incident_id(number), action, actor="sari", version=version, reason=reason
        )
    )


def cap(client: httpx.Client, number: int) -> Alert:
    answer = client.get(f"/api/v1/incidents/incident-{number}.cap.xml")
    assert answer.headers["content-type"].startswith("application/cap+xml")
    return Alert(answer.content)


def test_an_incident_s_messages_follow_one_another(filled: ApiThread, client: httpx.Client) -> None:
    first = cap(client, 2)
    assert_means(first, filled.run(filled.api.store.incidents.get(incident_id(2))))
    assert cap(client, 2).reference == first.reference
    act(filled, 2, IncidentAction.VERIFY)
    second = cap(client, 2)
    assert (second.text("msgType"), second.info("en")["certainty"]) == ("Update", "Observed")
    assert second.references == [first.reference]
    act(filled, 2, IncidentAction.CANCEL, "drill")
    third = cap(client, 2)
    assert third.text("msgType") == "Cancel"
    assert third.references == [first.reference, second.reference]
    assert client.get("/api/v1/incidents/none.cap.xml").status_code == 404


def test_the_feed_holds_lawful_messages(filled: ApiThread, client: httpx.Client) -> None:
    act(filled, 3, IncidentAction.REJECT, "lampu")
    answer = client.get("/cap/feed")
    parsed = feedparser.parse(answer.content)
    assert not parsed.bozo
    assert len(parsed.entries) == 5
    alerts = [Alert(etree.tostring(one)) for one in etree.fromstring(answer.content).iter(CAP)]
    types = {one.text("incidents"): one.text("msgType") for one in alerts}
    assert types == {
        f"incident-{number}": "Cancel" if number == 3 else "Alert" for number in range(1, 6)
    }
    for entry in parsed.entries:
        (page,) = [one.href for one in entry.links if one.rel == "alternate"]
        assert client.get(page).status_code == 200
    (exercise,) = feedparser.parse(client.get("/cap/feed?exercise=true").content).entries
    assert "LATIHAN" in exercise.title


def test_eido_and_exports(filled: ApiThread, client: httpx.Client) -> None:
    eido = client.get("/api/v1/incidents/incident-1.eido.json").json()
    assert eido["incidentComponent"]["internalIncidentId"] == "incident-1"
    table = client.get("/api/v1/incidents.csv")
    assert "attachment" in table.headers["content-disposition"]
    names = [row["id"] for row in csv.DictReader(io.StringIO(table.text, newline=""))]
    assert names == [f"incident-{number}" for number in (5, 4, 3, 2, 1)]
    features = client.get("/api/v1/incidents.geojson").json()["features"]
    assert [one["id"] for one in features] == names
    early = client.get("/api/v1/incidents.csv", params={"until": "2020-01-01T00:00:00Z"})
    assert len(early.text.splitlines()) == 1


async def test_what_goes_on_for_longer_than_the_log_is_kept_is_told_all_the_same(
    own_api: RunningApi,
) -> None:
    open_one, ended = await found_incident(own_api.store), await found_incident(own_api.store)
    await own_api.store.incidents.act(
        ended.id, IncidentAction.CANCEL, actor="sari", version=ended.version, reason="drill"
    )
    async with own_api.store._database.changing() as connection:
        await connection.execute(delete(LogRow))
    async with own_api.client() as client:
        messages = await client.get("/cap/feed?level=candidate&level=alarm&level=signal")
        assert messages.status_code == 200, messages.text
        assert f"<incidents>{open_one.id}</incidents>" in messages.text
        for one, kind in ((open_one, "Alert"), (ended, "Cancel")):
            first, again = [
                Alert((await client.get(f"/api/v1/incidents/{one.id}.cap.xml")).content)
                for _ in range(2)
            ]
            assert first.text("msgType") == kind
            assert first.reference == again.reference
