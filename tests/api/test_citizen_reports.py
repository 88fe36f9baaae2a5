"""What citizens report by an app: kept like calls, and believed less."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from api.stripping import stripped
from contracts import (
    CallChannel,
    CallId,
    CallReport,
    Hazard,
    LonLat,
    Report,
    ReportId,
)
from contracts import Sequence as SequenceNumber
from geo.fusion import Fusion, FusionParameters
from geo.projection import LocalProjection
from incidents.people.accounts import Role
from plumbing.bus import Bus
from tests.api.made import LAT, LON
from tests.api.stripping.pictures import PLACE, photo
from tests.incidents import make
from tests.support.api import RunningApi, api_settings, running_api
from tests.support.store import START


def a_report(**changes: Any) -> dict[str, Any]:
    return {
        "hazard": "flood",
        "note": "air setinggi lutut",
        "location": {"lon": LON, "lat": LAT, "radius_m": 15},
        "method": "gnss",
        "reporter": "citizen-77",
    } | changes


async def test_a_report_is_a_call_of_its_own_channel_with_its_true_actor(
    own_api: RunningApi,
) -> None:
    async with own_api.client(Role.DISPATCH) as client:
        made = await client.post("/api/v1/citizen-reports", json=a_report())
        assert made.status_code == 201, made.text
        call = made.json()["call"]
        assert (call["channel"], call["hazard"]) == ("app", "flood")
        taken = await client.post("/api/v1/calls", json={"hazard": "fire"})
        assert taken.json()["call"]["channel"] == "phone"
    entries = await own_api.store.log.after(0)
    assert {entry.actor for entry in entries} == {"key-dispatch-0"}
    assert "citizen-77" not in made.text


async def test_one_who_insists_counts_once_and_others_count_too(own_api: RunningApi) -> None:
    async with own_api.client() as client:
        answers = [
            await client.post("/api/v1/citizen-reports", json=a_report(**changes))
            for changes in (
                {},
                {"note": "semakin tinggi"},
                {"reporter": "citizen-78"},
                {"hazard": "fire"},
            )
        ]
    calls = [answer.json()["call"] for answer in answers]
    assert calls[0]["id"] == calls[1]["id"]
    assert len(calls[1]["fixes"]) == 2
    assert calls[1]["note"] == f"{a_report()['note']}\nsemakin tinggi"
    assert len({call["id"] for call in calls}) == 3


async def test_who_insists_takes_back_neither_their_own_words_nor_the_desks(
    own_api: RunningApi,
) -> None:
    trapped, floor = "dua orang terjepit", "ditelepon: api di lantai 2"
    async with own_api.client() as client:

        async def report(key: str, **changes: object) -> dict[str, Any]:
            answer = await client.post(
                "/api/v1/citizen-reports",
                json=a_report(**changes),
                headers={"Idempotency-Key": key},
            )
            assert answer.status_code == 201, answer.text
            call: dict[str, Any] = answer.json()["call"]
            return call

        first = again = await report("k-1", note=trapped)
        said = {"hazard": first["hazard"], "note": f"{trapped}; {floor}"}
        (await client.put(f"/api/v1/calls/{first['id']}", json=said)).raise_for_status()
        for key, note in (("k-2", ""), ("k-3", trapped), ("k-4", "cepat"), ("k-4", "cepat")):
            again = await report(key, note=note)
            assert again["id"] == first["id"]
        assert again["note"] == f"{trapped}; {floor}\ncepat"
        # Once the desk has made another hazard of it, what the app says again is a call of its own.
        other = {"hazard": "medical", "note": floor}
        (await client.put(f"/api/v1/calls/{first['id']}", json=other)).raise_for_status()
        own = await report("k-5", note="cepat")
        assert own["id"] != first["id"]
        desks = (await client.get(f"/api/v1/calls/{first['id']}")).json()
    assert (desks["hazard"], desks["note"]) == ("medical", floor)


async def test_the_same_request_again_is_the_same_report(own_api: RunningApi) -> None:
    async with own_api.client() as client:
        headers = {"Idempotency-Key": "k-1"}
        first, again = [
            await client.post("/api/v1/citizen-reports", json=a_report(), headers=headers)
            for _ in range(2)
        ]
        assert first.json() == again.json()
        other = a_report(note="something else")
        refused = await client.post("/api/v1/citizen-reports", json=other, headers=headers)
        assert refused.status_code == 409
        far = a_report(location={"lon": 0, "lat": 0, "radius_m": 5})
        assert (await client.post("/api/v1/citizen-reports", json=far)).status_code == 422


def test_a_report_by_an_app_is_believed_less_than_a_call() -> None:
    found = {}
    for channel in CallChannel:
        fusion = Fusion(FusionParameters(), LocalProjection(LonLat(LON, LAT)), {})
        body = CallReport(
            id=ReportId("report-call-1"),
            call_id=CallId("call-1"),
            hazard=Hazard.FIRE,
            note="",
            received_at=START,
            channel=channel,
        )
        decisions = []
        for seq, one in enumerate((body, make.fix(1)), 1):
            report = Report(seq=SequenceNumber(seq), recorded_at=START, body=one)
            decisions += fusion.add(report)
        found[channel] = decisions[-1].estimate.probability
    assert 0 < found[CallChannel.APP] < found[CallChannel.PHONE]


async def test_who_reports_too_often_waits_and_nobody_else_does(tmp_path: Path, bus: Bus) -> None:
    settings = api_settings(
        tmp_path, calls__reports_per_reporter_hour=2, calls__reports_per_app_minute=4
    )
    async with running_api(settings, bus) as running, running.client(Role.OPERATOR) as app:

        async def report(**changes: Any) -> httpx.Response:
            headers = {"Idempotency-Key": "k-first"} if changes.pop("again", False) else {}
            return await app.post(
                "/api/v1/citizen-reports", json=a_report(**changes), headers=headers
            )

        assert (await report(again=True)).status_code == 201
        assert (await report()).status_code == 201
        refused = await report()
        assert refused.status_code == 429
        assert refused.json()["type"] == "urn:siaga:problem:too-many-reports"
        assert 1 <= int(refused.headers["retry-after"]) <= 1800
        # A repeat of a request that was taken is no new report.
        assert (await report(again=True)).status_code == 201
        assert (await report(reporter="citizen-78")).status_code == 201
        assert (await report(reporter=None)).status_code == 201
        assert (await report(reporter="citizen-79")).status_code == 429, "this app is at its end"
        async with running.client(Role.DISPATCH) as other:
            taken = await other.post("/api/v1/citizen-reports", json=a_report())
            assert taken.status_code == 201
        assert (await app.post("/api/v1/calls", json={"hazard": "fire"})).status_code == 201
        assert len((await running.store.calls.recent())[0]) == 5


PHOTO = photo("image/jpeg")


async def test_photos_follow_a_report_and_are_what_they_say_they_are(
    own_api: RunningApi,
) -> None:
    async with own_api.client(Role.DISPATCH) as app, own_api.client(Role.VIEWER) as viewer:
        call = (await app.post("/api/v1/citizen-reports", json=a_report())).json()["call"]
        address = f"/api/v1/citizen-reports/{call['id']}/photos?name=banjir.jpg"

        async def send(content: bytes, kind: str = "image/jpeg", to: str = address) -> int:
            headers = {"Content-Type": kind}
            return (await app.post(to, content=content, headers=headers)).status_code

        assert await send(PHOTO) == 201
        assert await send(PHOTO) == 201, "the same again is the same photo"
        assert await send(b"<script>") == 415
        assert await send(b"%PDF-1.7", "application/pdf") == 415
        assert await send(PHOTO, to=address.replace(call["id"], "call-none")) == 404
        taken = (await app.post("/api/v1/calls", json={"hazard": "fire"})).json()["call"]
        assert await send(PHOTO, to=address.replace(call["id"], taken["id"])) == 422
        assert (await viewer.post(address, content=PHOTO)).status_code == 403

        told = (await viewer.get(f"/api/v1/calls/{call['id']}")).json()
        (kept,) = told["photos"]
        assert (kept["name"], kept["actor"]) == ("banjir.jpg", "key-dispatch-0")
        where = f"/api/v1/calls/{call['id']}/photos/"
        given = await viewer.get(where + kept["evidence_id"])
        assert given.content == stripped(PHOTO, "image/jpeg")
        assert PLACE not in given.content, "where a citizen was is in no picture of ours"
        assert kept["size_bytes"] == len(given.content)
        assert given.headers["content-disposition"].startswith("attachment;")
        assert (await viewer.get(where + "0" * 64)).status_code == 404
        # What lies behind a picture's end makes it no other picture.
        assert await send(PHOTO + b"one more") == 201
        for turned in range(2, 9):
            assert await send(photo("image/jpeg", turned)) == 201
        assert await send(photo("image/png"), "image/png") == 422
    entries = await own_api.store.log.after(0)
    assert [one.detail for one in entries if one.detail == "photo"] == ["photo"] * 8
