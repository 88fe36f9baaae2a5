"""The desk's own addresses: undoing, handing over, likenesses, places, and taking a call."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from contracts import LonLat
from incidents.people.accounts import Role
from plumbing.embedded_bus import EmbeddedBus
from tests.api.filled import a_call as a_report
from tests.api.filled import filled_api, incident_id
from tests.api.made import LAT, LON, a_call, a_camera
from tests.incidents.make import found
from tests.incidents.writer import Writer
from tests.support.api import ApiThread


@pytest.fixture(scope="module")
def filled(
    tmp_path_factory: pytest.TempPathFactory, shared_server: EmbeddedBus
) -> Iterator[ApiThread]:
    folder: Path = tmp_path_factory.mktemp("desk")
    street = {"type": "LineString", "coordinates": [[LON, LAT], [LON + 0.002, LAT]]}
    map_file = folder / "map.geojson"
    feature = {"type": "Feature", "properties": {"name": "Jl. Melati"}, "geometry": street}
    map_file.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    with filled_api(
        folder, shared_server.url, "desk-tests", map__geojson=json.dumps([str(map_file)])
    ) as one:
        close = LonLat(LON + 0.01 + 0.0002, LAT)
        one.run(
            Writer(one.api.store).apply(
                a_report(7), found("incident-7", "report-call-7", place=close)
            )
        )
        yield one


@pytest.fixture
def client(filled: ApiThread) -> Iterator[httpx.Client]:
    with filled.client(Role.SUPERVISOR) as one:
        yield one


def test_a_step_is_undone_and_twice_is_too_often(client: httpx.Client) -> None:
    address = f"/api/v1/incidents/{incident_id(1)}"
    version = client.get(address).json()["version"]
    acted = client.post(f"{address}/actions", json={"action": "verify", "version": version})
    body = {"version": acted.json()["version"]}
    undone = client.post(f"{address}/undo", json=body)
    assert undone.status_code == 200, undone.text
    assert undone.json()["state"] == "detected"
    stale = client.post(f"{address}/undo", json=body)
    assert stale.status_code == 409
    assert stale.json()["current"]["state"] == "detected"
    again = client.post(f"{address}/undo", json={"version": undone.json()["version"]})
    assert (again.status_code, again.json()["type"]) == (409, "urn:siaga:problem:nothing-to-undo")


def test_a_handover_is_taken_by_the_first_who_says_so(
    client: httpx.Client, filled: ApiThread
) -> None:
    left = client.post("/api/v1/handovers", json={"text": "Banjir naik"}).json()
    assert (left["taken_by"], left["taken_at"]) == ("", None)
    taken = client.post(f"/api/v1/handovers/{left['id']}/take").json()
    assert taken["taken_by"]
    with filled.client(Role.OPERATOR) as other:
        assert other.post(f"/api/v1/handovers/{left['id']}/take").json() == taken
    assert client.get("/api/v1/handovers").json()["handovers"][0] == taken
    told = client.get("/api/v1/log", params={"subject": left["id"]}).json()["entries"]
    assert [entry["kind"] for entry in told] == ["handover.written", "handover.taken"]
    assert client.post("/api/v1/handovers/none/take").status_code == 404


def test_what_may_be_the_same_is_told_with_its_probability(client: httpx.Client) -> None:
    similar = client.get(f"/api/v1/incidents/{incident_id(2)}/similar").json()["similar"]
    assert similar[0]["incident_id"] == "incident-7"
    assert similar[0]["probability"] > 0.5
    assert similar[0]["distance_m"] == pytest.approx(22, abs=1)
    assert "exercise-9" not in [one["incident_id"] for one in similar]
    assert client.get("/api/v1/incidents/none/similar").status_code == 404


def test_the_outlook_names_cameras_and_incidents_and_stores_nothing(client: httpx.Client) -> None:
    seeing = client.post("/api/v1/cameras", json=a_camera()).json()["camera"]["id"]
    before = client.get("/api/v1/calls").json()["calls"]
    place = {"lon": LON, "lat": LAT, "radius_m": 20, "confidence": 0.95}
    body = {"hazard": "fire", "location": place}
    seen = client.post("/api/v1/calls/outlook", json=body).json()
    assert seeing in [one["camera_id"] for one in seen["cameras"]]
    assert seen["incidents"][0]["incident_id"] == incident_id(1)
    assert client.get("/api/v1/calls").json()["calls"] == before
    away = {"location": place | {"lon": 0.0}}
    refused = client.post("/api/v1/calls/outlook", json=away)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"].startswith("location")


def test_a_call_is_taken_over_with_its_positions(client: httpx.Client) -> None:
    call = client.post("/api/v1/calls", json=a_call(hazard=None, note="")).json()["call"]
    said = {"hazard": "crash", "note": "dua motor"}
    taken = client.put(f"/api/v1/calls/{call['id']}", json=said).json()
    assert (taken["hazard"], taken["note"]) == ("crash", "dua motor")
    assert taken["fixes"] == call["fixes"]
    assert taken["version"] > call["version"]
    assert client.put("/api/v1/calls/none", json=said).status_code == 404


def test_a_street_of_the_map_is_found(client: httpx.Client) -> None:
    (street,) = client.get("/api/v1/places", params={"q": "jalan mel"}).json()["places"]
    assert (street["name"], street["kind"]) == ("Jl. Melati", "street")
    assert street["at"]["lat"] == pytest.approx(LAT, abs=1e-4)
    assert client.get("/api/v1/places", params={"q": "xyz"}).json()["places"] == []
