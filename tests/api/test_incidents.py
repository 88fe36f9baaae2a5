"""Incidents are listed, read and acted on; the log tells of it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from contracts import Incident, from_plain, to_plain
from plumbing.ids import new_id
from tests.api.made import a_camera, a_detection, found_incident
from tests.api.test_calls import only_error
from tests.support.api import ApiThread


@pytest.fixture
def incident(shared_api: ApiThread) -> Incident:
    return shared_api.run(found_incident(shared_api.api.store))


def act(desk: httpx.Client, incident: Incident, **body: Any) -> httpx.Response:
    return desk.post(f"/api/v1/incidents/{incident.id}/actions", json=body)


def test_an_incident_is_read_as_the_noun(desk: httpx.Client, incident: Incident) -> None:
    answer = desk.get(f"/api/v1/incidents/{incident.id}")
    assert answer.status_code == 200
    assert from_plain(Incident, answer.json()) == incident
    assert answer.headers["etag"] == '"1"'
    assert desk.get("/api/v1/incidents/none").status_code == 404


def test_incidents_are_filtered_and_come_in_pages(
    desk: httpx.Client, shared_api: ApiThread
) -> None:
    made = [shared_api.run(found_incident(shared_api.api.store)).id for _ in range(3)]
    quiet = shared_api.run(found_incident(shared_api.api.store, 0.02)).id
    alarms: dict[str, Any] = {"open": True, "level": "alarm", "hazard": "fire", "limit": 2}
    first = desk.get("/api/v1/incidents", params=alarms).json()
    second = desk.get("/api/v1/incidents", params=alarms | {"after": first["next"]}).json()
    ids = [one["id"] for one in first["incidents"] + second["incidents"]]
    assert ids[:3] == made[::-1]
    assert quiet not in ids
    both = desk.get("/api/v1/incidents?level=candidate&level=alarm&limit=500").json()
    assert {quiet, *made} <= {one["id"] for one in both["incidents"]}
    floods = desk.get("/api/v1/incidents", params={"hazard": "flood"}).json()
    assert floods == {"incidents": [], "next": None}


@pytest.mark.parametrize("params", [{"limit": 0}, {"hazard": "storm"}, {"after": "x"}])
def test_a_filter_that_means_nothing_is_refused(desk: httpx.Client, params: Any) -> None:
    error = only_error(desk.get("/api/v1/incidents", params=params))
    assert error["field"].split(".")[0] in params


def test_an_action_takes_the_incident_on_and_is_logged(
    desk: httpx.Client, incident: Incident
) -> None:
    answer = act(desk, incident, action="acknowledge", version=1)
    assert answer.status_code == 200, answer.text
    assert answer.json()["state"] == "acknowledged"
    assert answer.json()["last_actor"].startswith("key-supervisor")
    verified = act(desk, incident, action="verify", version=2, note="terlihat api")
    assert verified.json()["notes"][0]["text"] == "terlihat api"
    closed = act(desk, incident, action="close", version=3).json()
    assert closed["closed_at"]
    still_open = desk.get("/api/v1/incidents", params={"open": True, "limit": 500}).json()
    assert incident.id not in [one["id"] for one in still_open["incidents"]]
    entries = desk.get("/api/v1/log", params={"limit": 1000}).json()["entries"]
    mine = [entry for entry in entries if entry["subject_id"] == incident.id]
    assert [entry["detail"] for entry in mine[1:]] == ["acknowledge", "verify", "close"]
    assert mine[-1]["subject"] == closed


def test_who_decided_on_an_old_version_gets_the_current_one(
    desk: httpx.Client, incident: Incident
) -> None:
    act(desk, incident, action="acknowledge", version=1)
    answer = act(desk, incident, action="reject", version=1, reason="lampu")
    assert answer.status_code == 409
    assert answer.json()["current"]["state"] == "acknowledged"
    assert from_plain(Incident, answer.json()["current"]).version == 2


def test_the_same_request_again_does_nothing_again(desk: httpx.Client, incident: Incident) -> None:
    path = f"/api/v1/incidents/{incident.id}/actions"
    headers = {"Idempotency-Key": new_id("key")}
    body = {"action": "acknowledge", "version": 1}
    first = desk.post(path, json=body, headers=headers)
    again = desk.post(path, json=body, headers=headers)
    assert first.json() == again.json()
    assert again.status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"action": "dispatch", "version": 1}, "action"),
        ({"action": "explode", "version": 1}, "action"),
        ({"action": "reject", "version": 1}, "reason"),
        ({"action": "note", "version": 1}, "note"),
        ({"action": "mark_duplicate", "version": 1}, "duplicate_of"),
        ({"action": "acknowledge"}, "version"),
        ({"action": "acknowledge", "version": "1"}, "version"),
        ({"action": "acknowledge", "version": 10**30}, "version"),
        ({"action": "acknowledge", "version": True}, "version"),
        ({"action": "note", "version": 1, "note": "x" * 4001}, "note"),
        ({"action": "note", "version": 1, "note": "a\x00b"}, "note"),
    ],
)
def test_an_action_that_cannot_be_taken_names_the_field(
    desk: httpx.Client, incident: Incident, body: dict[str, Any], field: str
) -> None:
    assert only_error(act(desk, incident, **body))["field"] == field
    assert desk.get(f"/api/v1/incidents/{incident.id}").json() == to_plain(incident)


def test_an_incident_that_is_not_there_cannot_be_acted_on(desk: httpx.Client) -> None:
    body = {"action": "acknowledge", "version": 1}
    assert desk.post("/api/v1/incidents/none/actions", json=body).status_code == 404


def test_the_log_comes_in_pages_without_gaps(desk: httpx.Client, incident: Incident) -> None:
    first = desk.get("/api/v1/log", params={"limit": 2}).json()
    assert [entry["seq"] for entry in first["entries"]] == [1, 2]
    assert (first["next_after"], first["oldest_seq"]) == (2, 1)
    second = desk.get("/api/v1/log", params={"after": 2, "limit": 1}).json()
    assert [entry["seq"] for entry in second["entries"]] == [3]
    last = first["last_seq"]
    end = desk.get("/api/v1/log", params={"after": last}).json()
    assert end["entries"] == []
    # A place that the log hasn't come to is of another log: before a backup was restored, say.
    ahead = desk.get("/api/v1/log", params={"after": last + 2**40})
    assert (ahead.status_code, ahead.json()["type"]) == (410, "urn:siaga:problem:gone")
    assert ahead.json()["last_seq"] >= last


def test_a_detection_from_elsewhere_is_stored_once(desk: httpx.Client) -> None:
    camera = desk.post("/api/v1/cameras", json=a_camera()).json()["camera"]["id"]
    body = a_detection(camera)
    first = desk.post("/api/v1/detections", json=body)
    assert first.status_code == 202, first.text
    assert desk.post("/api/v1/detections", json=body).json() == first.json()
    other = desk.post("/api/v1/detections", json=a_detection(camera))
    assert other.json()["report_seq"] == first.json()["report_seq"] + 1


@pytest.mark.parametrize("changes", [{"track_id": "track-2"}, {"llr": 9.0}, {"sighting": "smoke"}])
def test_another_detection_under_a_known_id_is_refused_and_not_taken_for_a_repeat(
    desk: httpx.Client, changes: dict[str, Any]
) -> None:
    camera = desk.post("/api/v1/cameras", json=a_camera()).json()["camera"]["id"]
    body = a_detection(camera)
    assert desk.post("/api/v1/detections", json=body).status_code == 202
    refused = desk.post("/api/v1/detections", json=body | changes)
    assert refused.status_code == 409, refused.text
    assert refused.json()["type"] == "urn:siaga:problem:exists"
    assert desk.post("/api/v1/detections", json=body).status_code == 202


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"llr": 1e9}, "llr"),
        ({"box": {"x0": 5, "y0": 5, "x1": 5, "y1": 6}}, "box.box"),
        ({"sighting": "ufo"}, "sighting"),
        ({"captured_at": "yesterday"}, "captured_at"),
        ({"captured_at": "2026-11-22T06:00:00"}, "captured_at"),
        ({"track_id": "a\x00b"}, "track_id"),
        ({"model_version": "x" * 300}, "model_version"),
    ],
)
def test_a_detection_that_cannot_be_names_the_field(
    desk: httpx.Client, changes: dict[str, Any], field: str
) -> None:
    camera = desk.post("/api/v1/cameras", json=a_camera()).json()["camera"]["id"]
    error = only_error(desk.post("/api/v1/detections", json=a_detection(camera, **changes)))
    assert error["field"] == field


def test_a_detection_of_an_unknown_camera_is_refused(desk: httpx.Client) -> None:
    assert desk.post("/api/v1/detections", json=a_detection("none")).status_code == 404
