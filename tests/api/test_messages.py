"""What phones and networks send: kept whatever it is, believed where it may be, put to its call."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from incidents.people.accounts import Role
from plumbing.bus import Bus
from plumbing.embedded_bus import EmbeddedBus
from plumbing.ids import new_id
from tests.api.intake.sent import (
    DEG,
    FIRST,
    FLAT,
    KEY,
    M,
    a_document,
    a_form,
    an_sms,
    circle,
    signed,
    with_length,
)
from tests.api.made import LAT, LON, a_call
from tests.support.api import ApiThread, RunningApi, api_in_thread, api_settings, running_api


@pytest.fixture(scope="module")
def keyed(
    tmp_path_factory: pytest.TempPathFactory, shared_server: EmbeddedBus
) -> Iterator[ApiThread]:
    """An API with a key for AML."""
    folder = tmp_path_factory.mktemp("aml")
    settings = api_settings(folder, calls__aml_key=KEY, calls__max_message_bytes=20_000)
    with api_in_thread(settings, shared_server.url, "aml-tests") as running:
        yield running


@pytest.fixture
def phone(keyed: ApiThread) -> Iterator[httpx.Client]:
    """Who has no key of ours."""
    with keyed.client(None) as client:
        yield client


@pytest.fixture
def gateway(keyed: ApiThread) -> Iterator[httpx.Client]:
    with keyed.client(Role.DISPATCH) as client:
        yield client


@pytest.fixture
def boss(keyed: ApiThread) -> Iterator[httpx.Client]:
    with keyed.client(Role.SUPERVISOR) as client:
        yield client


CELL = (
    f"<gs:ArcBand {FLAT}><gml:pos>{LAT} {LON}</gml:pos><gs:innerRadius {M}>0</gs:innerRadius>"
    f"<gs:outerRadius {M}>1500</gs:outerRadius><gs:startAngle {DEG}>10</gs:startAngle>"
    f"<gs:openingAngle {DEG}>120</gs:openingAngle></gs:ArcBand>"
)


def a_number() -> str:
    return f"+628{int(new_id('x')[-12:], 16) % 10**9:09}"


def call_of(client: httpx.Client, answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 201, answer.text
    call: dict[str, Any] = client.get(f"/api/v1/calls/{answer.json()['call_id']}").json()
    return call


def count(keyed: ApiThread) -> int:
    return keyed.run(keyed.api.store.messages.count())


def test_a_signed_form_founds_a_call_with_its_position(
    phone: httpx.Client, boss: httpx.Client
) -> None:
    answer = phone.post("/aml", content=signed(a_form(device_number=a_number())))
    assert answer.json()["trusted"] is True
    assert answer.json()["problems"] == []
    call = call_of(boss, answer)
    assert call["hazard"] is None
    (fix,) = call["fixes"]
    assert fix["shape"]["centre"] == {"lon": LON, "lat": LAT}
    assert (fix["shape"]["radius_m"], fix["confidence"]) == (20, 0.68)
    assert (fix["source"], fix["method"]) == ("aml", "gnss")
    assert fix["raw"] is None


def test_later_forms_of_a_number_join_its_call_however_late_and_contradictory(
    phone: httpx.Client, gateway: httpx.Client, boss: httpx.Client
) -> None:
    number = a_number()
    first = phone.post("/aml", content=signed(a_form(device_number=number)))
    late = a_form(device_number=number, location_time=1_795_317_000_000, location_accuracy=900)
    away = a_form(device_number=number, location_latitude=LAT + 0.05)
    for body in (late, away):
        assert phone.post("/aml", content=signed(body)).json()["call_id"] == first.json()["call_id"]
    text = an_sms(lat=LAT - 0.01)
    by_sms = gateway.post("/api/v1/sms", json={"text": text, "from": "0" + number[3:]})
    assert by_sms.json()["call_id"] == first.json()["call_id"]
    assert [fix["source"] for fix in call_of(boss, first)["fixes"]] == ["aml", "aml", "aml", "sms"]


def test_a_call_that_is_taken_later_joins_what_the_phone_has_founded(
    phone: httpx.Client, boss: httpx.Client
) -> None:
    number = a_number()
    founded = phone.post("/aml", content=signed(a_form(device_number=number))).json()["call_id"]
    body = a_call(caller_number=number)
    headers = {"Idempotency-Key": new_id("key")}
    taken = boss.post("/api/v1/calls", json=body, headers=headers).json()["call"]
    assert taken["id"] == founded
    assert taken["hazard"] == "fire"
    sources = [fix["source"] for fix in taken["fixes"]]
    assert len(sources) == 2
    assert sources[0] == "aml"
    again = boss.post("/api/v1/calls", json=body, headers=headers).json()["call"]
    assert again == taken
    # Another call from the same number is another call, and what comes then is of that one.
    other = boss.post("/api/v1/calls", json=body).json()["call"]["id"]
    assert other != founded
    moved = a_form(device_number=number, location_accuracy=33)
    assert phone.post("/aml", content=signed(moved)).json()["call_id"] == other


def test_a_form_joins_the_call_that_was_taken_before_it(
    phone: httpx.Client, boss: httpx.Client
) -> None:
    number = a_number()
    call = boss.post("/api/v1/calls", json=a_call(caller_number=number)).json()["call"]["id"]
    assert (
        phone.post("/aml", content=signed(a_form(device_number=number))).json()["call_id"] == call
    )


def test_a_number_that_is_none_is_refused_and_none_is_ever_told(
    phone: httpx.Client,
    gateway: httpx.Client,
    boss: httpx.Client,
    keyed: ApiThread,
    caplog: pytest.LogCaptureFixture,
) -> None:
    answer = boss.post("/api/v1/calls", json=a_call(caller_number="a lady"))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "caller_number"
    number = a_number()
    boss.post("/api/v1/calls", json=a_call(caller_number=number))
    phone.post("/aml", content=signed(a_form(device_number=number)))
    phone.post("/aml", content=a_form(device_number=number, location_latitude="x"))
    gateway.post("/api/v1/sms", content=f'{{"from":"{number}","text":'.encode())
    gateway.post("/api/v1/sms", json={"text": f"call {number}", "from": number})
    assert caplog.records
    assert number[3:] not in caplog.text
    told = boss.get("/api/v1/calls").text + boss.get("/api/v1/log?limit=1000").text
    told += boss.get("/api/v1/messages").text
    database = Path(keyed.api.settings.data_dir / "siaga.sqlite3")
    stored = b"".join(one.read_bytes() for one in database.parent.glob("siaga.sqlite3*"))
    assert number[3:] not in told
    assert number[3:].encode() not in stored


@pytest.mark.parametrize(
    "body",
    [
        a_form(),
        a_form() + b"&hmac=0123",
        signed(a_form(), "another key"),
        b"",
        b"\xff\xfe\x00",
        b"&" * 3000,
        b'{"location":1}',
    ],
)
def test_what_anybody_could_have_sent_is_kept_and_touches_no_call(
    phone: httpx.Client, boss: httpx.Client, keyed: ApiThread, body: bytes
) -> None:
    seq = boss.get("/api/v1/log").json()["next_after"]
    answer = phone.post("/aml", content=body)
    assert answer.status_code == 202
    receipt = answer.json()
    assert receipt["trusted"] is False
    assert receipt["call_id"] is None
    assert receipt["fix_ids"] == []
    assert receipt["problems"][0].startswith("hmac:")
    assert boss.get("/api/v1/log").json()["next_after"] == seq
    kept = boss.get("/api/v1/messages", params={"trusted": False}).json()["messages"]
    assert receipt["message_id"] in [one["message_id"] for one in kept]
    assert boss.get(f"/api/v1/messages/{receipt['message_id']}").content == body


def test_who_is_not_trusted_cannot_ask_whether_a_number_is_calling(phone: httpx.Client) -> None:
    number = a_number()
    phone.post("/aml", content=signed(a_form(device_number=number)))
    answer = phone.post("/aml", content=a_form(device_number=number)).json()
    assert answer["call_id"] is None
    assert number not in json.dumps(answer)


def test_a_machine_with_a_key_needs_no_signature(gateway: httpx.Client, keyed: ApiThread) -> None:
    assert gateway.post("/aml", content=a_form(device_number=a_number())).status_code == 201
    with keyed.client(Role.VIEWER) as viewer:
        assert viewer.post("/aml", content=a_form(device_number=a_number())).status_code == 202


def test_the_same_message_again_is_counted_and_nothing_else(
    phone: httpx.Client, boss: httpx.Client, keyed: ApiThread
) -> None:
    body = signed(a_form(device_number=a_number()))
    first = phone.post("/aml", content=body).json()
    before = count(keyed)
    assert phone.post("/aml", content=body).json() == first
    assert count(keyed) == before
    kept = boss.get("/api/v1/messages", params={"limit": 1}).json()["messages"][0]
    assert (kept["message_id"], kept["seen"]) == (first["message_id"], 2)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"location_latitude": 107, "location_longitude": LAT}, "swapped"),
        ({"location_latitude": "NaN"}, "no number"),
        ({"location_latitude": LAT + 2}, "km from the city's centre"),
        ({"location_longitude": -179.99}, "km from the city's centre"),
    ],
)
def test_a_signed_position_that_cannot_be_is_kept_and_named(
    phone: httpx.Client, changes: dict[str, Any], says: str
) -> None:
    answer = phone.post("/aml", content=signed(a_form(device_number=a_number(), **changes)))
    assert answer.status_code == 202
    assert answer.json()["trusted"] is True
    assert says in " ".join(answer.json()["problems"])
    assert answer.json()["call_id"] is None


def test_a_position_of_the_future_is_taken_at_our_own_time(
    phone: httpx.Client, boss: httpx.Client
) -> None:
    body = a_form(device_number=a_number(), location_time=7_000_000_000_000)
    answer = phone.post("/aml", content=signed(body))
    (fix,) = call_of(boss, answer)["fixes"]
    assert fix["positioned_at"] == fix["received_at"]
    assert "future" in answer.json()["problems"][0]


def test_a_message_that_is_too_large_is_refused(phone: httpx.Client, gateway: httpx.Client) -> None:
    for client, path in ((phone, "/aml"), (gateway, "/api/v1/sms"), (gateway, "/pidf-lo")):
        answer = client.post(path, content=b"a" * 20_001)
        assert answer.status_code == 413
        assert answer.headers["content-type"] == "application/problem+json"
        assert client.post(path, content=b"a" * 20_000).status_code == 202


def test_text_messages_come_as_json_or_bare(gateway: httpx.Client, boss: httpx.Client) -> None:
    bare = gateway.post("/api/v1/sms", content=an_sms(rd="41").encode())
    wrapped = gateway.post("/api/v1/sms", json={"text": an_sms(rd="42")})
    for answer, radius_m in ((bare, 41), (wrapped, 42)):
        fixes = {fix["id"]: fix for fix in call_of(boss, answer)["fixes"]}
        fix = fixes[answer.json()["fix_ids"][0]]
        assert (fix["source"], fix["shape"]["radius_m"]) == ("sms", radius_m)


def test_a_cut_text_message_is_kept_and_not_used(gateway: httpx.Client) -> None:
    answer = gateway.post("/api/v1/sms", json={"text": an_sms()[:-8]})
    assert answer.status_code == 202
    assert answer.json()["trusted"] is False
    assert answer.json()["problems"][0].startswith("ml:")


def test_the_published_text_message_lies_far_off_and_is_kept(gateway: httpx.Client) -> None:
    answer = gateway.post("/api/v1/sms", json={"text": with_length(FIRST)})
    assert answer.status_code == 202
    assert "km from the city's centre" in answer.json()["problems"][0]


def test_a_document_is_put_to_the_call_that_the_request_names(
    gateway: httpx.Client, boss: httpx.Client
) -> None:
    call = boss.post("/api/v1/calls", json=a_call()).json()["call"]["id"]
    named = gateway.post(
        "/pidf-lo", content=a_document(circle(f"{LAT} {LON}", "31")), params={"call": call}
    )
    answer = gateway.post(
        "/pidf-lo", content=a_document(circle(f"{LAT} {LON}", "32")), headers={"Call-Id": call}
    )
    assert named.json()["call_id"] == answer.json()["call_id"] == call
    assert [fix["source"] for fix in call_of(boss, answer)["fixes"][1:]] == ["pidf-lo", "pidf-lo"]


def test_a_cells_sector_is_a_position(gateway: httpx.Client, boss: httpx.Client) -> None:
    answer = gateway.post("/pidf-lo", content=a_document(CELL, method="Cell"))
    (fix,) = call_of(boss, answer)["fixes"]
    assert fix["shape"]["type"] == "sector"
    assert fix["shape"]["azimuth_deg"] == 70
    assert boss.get(f"/api/v1/calls/{fix['call_id']}/cameras").status_code == 200


def test_another_centres_own_id_holds_its_documents_together(gateway: httpx.Client) -> None:
    own = new_id("urn:emergency:uid:callid")
    answers = [
        gateway.post(
            "/pidf-lo", params={"call": own}, content=a_document(circle(f"{LAT} {LON}", radius))
        )
        for radius in ("50", "20")
    ]
    assert answers[0].json()["call_id"] == answers[1].json()["call_id"]
    assert answers[0].json()["call_id"] != own


def test_a_document_that_reads_files_is_kept_and_reads_none(gateway: httpx.Client) -> None:
    body = (
        b'<!DOCTYPE p [<!ENTITY x SYSTEM "file:///etc/passwd">]><presence '
        b'xmlns="urn:ietf:params:xml:ns:pidf" entity="&x;"/>'
    )
    answer = gateway.post("/pidf-lo", content=body)
    assert answer.status_code == 202
    assert "root:" not in answer.text
    assert "DTD" in answer.json()["problems"][0]


def test_only_inspectors_read_messages(keyed: ApiThread, gateway: httpx.Client) -> None:
    kept = gateway.post("/api/v1/sms", json={"text": "who reads this?"}).json()["message_id"]
    for role, status in ((Role.OPERATOR, 403), (Role.AUDITOR, 200), (Role.SUPERVISOR, 200)):
        with keyed.client(role) as client:
            assert client.get(f"/api/v1/messages/{kept}").status_code == status
    with keyed.client(Role.AUDITOR) as auditor:
        assert auditor.get("/api/v1/messages/message-none").status_code == 404


def test_messages_come_in_pages(gateway: httpx.Client, boss: httpx.Client) -> None:
    made = [
        gateway.post("/api/v1/sms", json={"text": f"page {number}"}).json()["message_id"]
        for number in range(3)
    ]
    first = boss.get("/api/v1/messages", params={"limit": 2}).json()
    second = boss.get("/api/v1/messages", params={"limit": 2, "after": first["next"]}).json()
    listed = [one["message_id"] for one in first["messages"] + second["messages"]]
    assert listed[:3] == made[::-1]


async def test_a_training_installation_takes_no_message_for_real(tmp_path: Path, bus: Bus) -> None:
    settings = api_settings(tmp_path, exercise="true", calls__aml_key=KEY)
    async with running_api(settings, bus) as api:
        async with api.client(None) as phone:
            call_id = (await phone.post("/aml", content=signed(a_form()))).json()["call_id"]
        async with api.client() as client:
            call = (await client.get(f"/api/v1/calls/{call_id}")).json()
    assert call["exercise"] is True
    assert [fix["exercise"] for fix in call["fixes"]] == [True]


async def test_unsigned_forms_are_used_where_the_city_says_so_and_forged_ones_nowhere(
    tmp_path: Path, bus: Bus
) -> None:
    settings = api_settings(tmp_path, calls__aml_key=KEY, calls__trust_unsigned_aml="true")
    async with running_api(settings, bus) as api, api.client(None) as phone:
        unsigned = await phone.post("/aml", content=a_form())
        forged = await phone.post("/aml", content=signed(a_form(location_accuracy=7), "guessed"))
    assert unsigned.status_code == 201
    assert "anybody" in unsigned.json()["problems"][0]
    assert forged.status_code == 202
    assert forged.json()["trusted"] is False


async def test_a_message_that_cannot_be_stored_is_to_be_sent_again(own_api: RunningApi) -> None:
    async with own_api.client() as client:
        await own_api.store.close()
        broken = own_api.settings.data_dir / "siaga.sqlite3"
        for part in broken.parent.glob("siaga.sqlite3*"):
            part.unlink()
        broken.mkdir()
        answer = await client.post("/aml", content=a_form())
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert answer.headers["content-type"] == "application/problem+json"
