"""Calls come in, are stored before they are answered, and bring their cameras along."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from plumbing.ids import new_id
from tests.api.made import LAT, LON, a_call, a_camera
from tests.support.api import ApiThread


def only_error(answer: httpx.Response, status: int = 422) -> dict[str, str]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    (error,) = answer.json()["errors"]
    return {"field": error["field"], "why": error["why"]}


def test_a_call_is_stored_and_answered_with_the_cameras_that_see_it(desk: httpx.Client) -> None:
    seeing = desk.post("/api/v1/cameras", json=a_camera()).json()["camera"]["id"]
    away = a_camera(name="Looks south")
    away["pose"] = away["pose"] | {"bearing_deg": 180}
    blind = desk.post("/api/v1/cameras", json=away).json()["camera"]["id"]

    answer = desk.post("/api/v1/calls", json=a_call())

    assert answer.status_code == 201
    call, cameras = answer.json()["call"], answer.json()["cameras"]
    ranked = [camera["camera_id"] for camera in cameras]
    assert seeing in ranked
    assert blind not in ranked
    best = next(camera for camera in cameras if camera["camera_id"] == seeing)
    assert 0 < best["probability"] <= 1
    assert best["distance_m"] == pytest.approx(40, abs=1)
    assert answer.headers["location"] == f"/api/v1/calls/{call['id']}"
    assert desk.get(answer.headers["location"]).json() == call
    assert call["fixes"][0]["shape"]["centre"] == {"lon": LON, "lat": LAT}
    assert desk.get(f"/api/v1/calls/{call['id']}/cameras").json() == {"cameras": cameras}
    assert desk.get("/api/v1/calls").json()["calls"][0] == call


def test_a_removed_camera_is_no_longer_offered(desk: httpx.Client) -> None:
    camera = desk.post("/api/v1/cameras", json=a_camera()).json()["camera"]["id"]
    call = desk.post("/api/v1/calls", json=a_call()).json()
    assert camera in [one["camera_id"] for one in call["cameras"]]
    desk.delete(f"/api/v1/cameras/{camera}")
    again = desk.post("/api/v1/calls", json=a_call()).json()
    assert camera not in [one["camera_id"] for one in again["cameras"]]


def test_an_exercise_call_is_offered_exercise_cameras_only(desk: httpx.Client) -> None:
    real = desk.post("/api/v1/cameras", json=a_camera()).json()["camera"]["id"]
    drill = desk.post("/api/v1/cameras", json=a_camera(exercise=True)).json()["camera"]["id"]
    offered = desk.post("/api/v1/calls", json=a_call(exercise=True)).json()["cameras"]
    ids = [one["camera_id"] for one in offered]
    assert drill in ids
    assert real not in ids


def test_a_call_without_a_position_has_no_cameras(desk: httpx.Client) -> None:
    answer = desk.post("/api/v1/calls", json={"hazard": None, "note": "putus", "location": None})
    assert answer.status_code == 201
    assert answer.json()["cameras"] == []
    assert answer.json()["call"]["fixes"] == []


def test_a_polygon_is_a_position_too(desk: httpx.Client) -> None:
    half = 0.001
    ring = [[LON - half, LAT - half], [LON + half, LAT - half], [LON, LAT + half]]
    polygon = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
    answer = desk.post("/api/v1/calls", json=a_call(location={"polygon": polygon}))
    assert answer.status_code == 201, answer.text
    fix = answer.json()["call"]["fixes"][0]
    assert fix["shape"]["area"]["coordinates"] == polygon["coordinates"]
    assert fix["confidence"] == 0.95


def test_a_cell_is_a_position_too(desk: httpx.Client) -> None:
    sector = {"lon": LON, "lat": LAT, "azimuth_deg": 30, "opening_deg": 120, "range_m": 900}
    answer = desk.post("/api/v1/calls", json=a_call(location={"sector": sector}, method="cell"))
    assert answer.status_code == 201, answer.text
    shape = answer.json()["call"]["fixes"][0]["shape"]
    assert shape.pop("type") == "sector"
    assert shape.pop("antenna") == {"lon": LON, "lat": LAT}
    assert shape == {"azimuth_deg": 30, "opening_deg": 120, "range_m": 900}
    sector["opening_deg"] = 400
    error = only_error(desk.post("/api/v1/calls", json=a_call(location={"sector": sector})))
    assert error["field"] == "location.sector.opening_deg"
    both = a_call(location={"sector": sector, "lon": LON})
    assert only_error(desk.post("/api/v1/calls", json=both))["field"] == "location.sector"


@pytest.mark.parametrize(
    ("location", "field", "why"),
    [
        ({"lon": LAT, "lat": 107, "radius_m": 5}, "location.lat", "are lon and lat swapped?"),
        ({"lon": 105.0, "lat": LAT, "radius_m": 5}, "location", "km from the city's centre"),
        ({"lon": LON, "lat": LAT}, "location.radius_m", "is missing"),
        ({"lon": LON, "lat": LAT, "radius_m": -1}, "location.radius_m", "between 0 and"),
        ({"lon": "east", "lat": LAT, "radius_m": 5}, "location.lon", "valid number"),
        ({"lon": LON, "lat": LAT, "radius_m": 5, "confidence": 1}, "location.confidence", "0.9999"),
        ({"lon": LON, "lat": LAT, "radius_m": 5, "bogus": 1}, "location.bogus", "unknown field"),
        (
            {"polygon": {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}},
            "location.polygon",
            "km from the city's centre",
        ),
        (
            {"polygon": {"type": "Polygon", "coordinates": [[[LON, LAT]] * 5]}},
            "location.polygon",
            "has no area",
        ),
    ],
)
def test_a_position_that_cannot_be_is_refused_with_field_and_reason(
    desk: httpx.Client, location: dict[str, Any], field: str, why: str
) -> None:
    before = desk.get("/api/v1/log").json()["next_after"]
    error = only_error(desk.post("/api/v1/calls", json=a_call(location=location)))
    assert error["field"] == field
    assert why in error["why"]
    assert desk.get("/api/v1/log").json()["next_after"] == before


def test_the_distance_of_a_far_position_is_told(desk: httpx.Client) -> None:
    far = {"lon": LON, "lat": LAT + 1, "radius_m": 5}
    error = only_error(desk.post("/api/v1/calls", json=a_call(location=far, exercise=True)))
    assert "111.2 km" in error["why"]


def test_a_swapped_position_of_a_city_near_the_diagonal_is_named() -> None:
    from contracts import LonLat
    from geo.projection import PlaceError, require_inside

    with pytest.raises(PlaceError, match="swapped"):
        require_inside(LonLat(6.0, 45.0), LonLat(45.0, 6.0), 30_000)


def test_a_position_from_the_future_is_refused(desk: httpx.Client) -> None:
    late = a_call(positioned_at="2199-01-01T00:00:00Z")
    assert only_error(desk.post("/api/v1/calls", json=late))["field"] == "positioned_at"


def test_the_same_key_gives_the_same_call(desk: httpx.Client) -> None:
    headers = {"Idempotency-Key": new_id("key")}
    first = desk.post("/api/v1/calls", json=a_call(), headers=headers)
    seq = desk.get("/api/v1/log", params={"after": 0, "limit": 1000}).json()
    again = desk.post("/api/v1/calls", json=a_call(), headers=headers)
    assert again.status_code == first.status_code == 201
    assert again.json()["call"] == first.json()["call"]
    assert desk.get("/api/v1/log", params={"after": 0, "limit": 1000}).json() == seq


@pytest.mark.parametrize("other", [a_call(note="another"), a_call(location=None)])
def test_a_key_is_not_for_two_calls(desk: httpx.Client, other: dict[str, Any]) -> None:
    headers = {"Idempotency-Key": new_id("key")}
    desk.post("/api/v1/calls", json=a_call(), headers=headers)
    answer = desk.post("/api/v1/calls", json=other, headers=headers)
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:siaga:problem:key-reused"


def test_further_positions_are_added_and_ranked_by_the_newest(desk: httpx.Client) -> None:
    call = desk.post("/api/v1/calls", json=a_call(location=None)).json()["call"]
    desk.post("/api/v1/cameras", json=a_camera())
    body = {"location": a_call()["location"], "method": "gnss"}
    headers = {"Idempotency-Key": new_id("key")}
    answer = desk.post(f"/api/v1/calls/{call['id']}/fixes", json=body, headers=headers)
    assert answer.status_code == 201
    assert [fix["method"] for fix in answer.json()["call"]["fixes"]] == ["gnss"]
    assert answer.json()["cameras"]
    desk.post(f"/api/v1/calls/{call['id']}/fixes", json=body, headers=headers)
    assert len(desk.get(f"/api/v1/calls/{call['id']}").json()["fixes"]) == 1
    desk.post(f"/api/v1/calls/{call['id']}/fixes", json=body)
    assert len(desk.get(f"/api/v1/calls/{call['id']}").json()["fixes"]) == 2


@pytest.mark.parametrize("path", ["", "/cameras"])
def test_an_unknown_call_is_not_found(desk: httpx.Client, path: str) -> None:
    answer = desk.get(f"/api/v1/calls/call-none{path}")
    assert answer.status_code == 404
    assert "call-none" in answer.json()["detail"]


def test_a_fix_for_an_unknown_call_is_not_found(desk: httpx.Client) -> None:
    body = {"location": a_call()["location"]}
    assert desk.post("/api/v1/calls/call-none/fixes", json=body).status_code == 404


def test_calls_come_in_pages(desk: httpx.Client) -> None:
    made = [desk.post("/api/v1/calls", json=a_call()).json()["call"]["id"] for _ in range(3)]
    first = desk.get("/api/v1/calls", params={"limit": 2}).json()
    second = desk.get("/api/v1/calls", params={"limit": 2, "after": first["next"]}).json()
    listed = [call["id"] for call in first["calls"] + second["calls"]]
    assert listed[:3] == made[::-1]


def test_the_source_says_who_told(desk: httpx.Client, shared_api: ApiThread) -> None:
    call = desk.post("/api/v1/calls", json=a_call()).json()["call"]
    assert call["fixes"][0]["source"].startswith("key-supervisor")
