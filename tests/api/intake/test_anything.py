"""Whatever comes in, a reader returns; and over HTTP nothing that came is lost.

Ten thousand inputs: published messages with pieces cut out, doubled, swapped or turned to noise,
and pure noise. An example is a batch, since making one costs more than reading one.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.intake.aml_form import check_signature, read_form
from api.intake.aml_sms import read_sms
from api.intake.pidf_lo import read_pidf_lo
from api.intake.readers import text_and_sender
from api.intake.readings import MAX_PROBLEMS, Reading
from contracts import CallerFix, CallId, ReportId, from_json, to_json
from incidents.people.accounts import Role
from plumbing.clock import SystemClock
from tests.api.intake.sent import (
    DEG,
    FIRST,
    FLAT,
    KEY,
    SECOND,
    M,
    a_document,
    a_form,
    circle,
    point,
    signed,
    with_length,
)
from tests.support.api import ApiThread

BATCH, BATCHES = 50, 67
"""Times three readers: 10,050 inputs."""

ARC = (
    f"<gs:ArcBand {FLAT}><gml:pos>-6.2383 106.992</gml:pos><gs:innerRadius {M}>10</gs:innerRadius>"
    f"<gs:outerRadius {M}>1500</gs:outerRadius><gs:startAngle {DEG}>10</gs:startAngle>"
    f"<gs:openingAngle {DEG}>120</gs:openingAngle></gs:ArcBand>"
)
RING = "-6.2 106.9 -6.3 106.9 -6.3 107.0 -6.2 106.9"
POLYGON = (
    f"<gml:Polygon {FLAT}><gml:exterior><gml:LinearRing><gml:posList>{RING}</gml:posList>"
    "</gml:LinearRing></gml:exterior></gml:Polygon>"
)
FORMS = [a_form(), signed(a_form()), a_form(device_imsi="510109876543210", location_source="cell")]
TEXTS = [
    with_length(FIRST).encode(),
    SECOND.encode(),
    b'{"text":"' + with_length(FIRST).replace('"', '\\"').encode() + b'","from":"+62811"}',
]
DOCUMENTS = [
    a_document(circle("-6.2383 106.992", "30"), confidence="67"),
    a_document(point("-6.2383 106.992 20"), ARC, ARC.replace(">10<", ">0<", 1)),
    a_document(POLYGON, entity="tel:+6281234567890"),
]
ODD = [
    b"NaN", b"inf", b"-0", b"1e308", b"1e-308", b"9" * 40, b"180", b"-180.0000001", b"90.0000001",
    b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b"&hmac=", b";;;", b"=", b"<!DOCTYPE a>", b"&#0;",
    b"\r\n\r\n", "\N{ARABIC-INDIC DIGIT THREE}".encode(), b"%00", b"%zz", b"2026-13-45T99:99:99Z",
]  # fmt: skip


def spoilt(chance: random.Random, whole: bytes) -> bytes:
    """A message as a bad line, a bad program or a bad person makes it."""
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(whole) + 1)
        to = min(len(whole), at + chance.choice((1, 1, 3, 10, 60)))
        match chance.randrange(7):
            case 0:
                whole = whole[:at] + whole[to:]
            case 1:
                whole = whole[:to] + whole[at:]
            case 2:
                whole = whole[:at] + chance.choice(ODD) + whole[to:]
            case 3:
                whole = whole[:at] + chance.randbytes(to - at) + whole[to:]
            case 4:
                whole = whole[:at]
            case 5:
                whole = whole[at:] + whole[:at]
            case 6:
                figure = b"%.*f" % (chance.randint(0, 9), chance.uniform(-200, 200))
                whole = whole[:at] + figure + whole[to:]
    return whole


def read_text(content: bytes) -> Reading:
    return read_sms(*text_and_sender(content))


@pytest.mark.parametrize(
    ("read", "messages"),
    [(read_form, FORMS), (read_text, TEXTS), (read_pidf_lo, DOCUMENTS)],
    ids=["form", "sms", "document"],
)
@settings(max_examples=BATCHES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32), noise=st.binary(max_size=60))
def test_a_reader_returns_whatever_comes(
    read: Callable[[bytes], Reading],
    messages: list[bytes],
    seed: int,
    noise: bytes,
) -> None:
    chance = random.Random(seed)  # noqa: S311 - a scenario, no secret
    now = SystemClock().now()
    contents = [noise] + [spoilt(chance, chance.choice(messages)) for _ in range(BATCH - 1)]
    for content in contents:
        check_signature(content, KEY)
        reading = read(content)
        assert len(reading.problems) <= MAX_PROBLEMS
        for problem in reading.problems:
            assert problem.isprintable()
        for position in reading.positions:
            fix = CallerFix(
                id=ReportId("fix"),
                call_id=CallId("call"),
                shape=position.shape,
                confidence=position.confidence,
                method=position.method,
                source="test",
                positioned_at=position.positioned_at or now,
                received_at=now,
                altitude_m=position.altitude_m,
            )
            assert from_json(CallerFix, to_json(fix)) == fix
            assert position.altitude_m is None or math.isfinite(position.altitude_m)


@pytest.mark.parametrize(
    ("path", "messages"), [("/aml", FORMS), ("/api/v1/sms", TEXTS), ("/pidf-lo", DOCUMENTS)]
)
def test_what_came_over_http_is_stored_or_refused_as_too_large(
    shared_api: ApiThread, path: str, messages: list[bytes]
) -> None:
    chance = random.Random(path)  # noqa: S311 - a scenario, no secret
    store = shared_api.api.store
    sent = {spoilt(chance, chance.choice(messages)) for _ in range(60)}
    sent |= {b"", b"\x00", b"\xff" * 70_000, b"a" * 1_100_000, b"<a>" * 20_000, b"{" * 60_000}
    before = shared_api.run(store.messages.count())
    kept = set()
    with shared_api.client(Role.DISPATCH) as client:
        for content in sent:
            answer = client.post(path, content=content)
            if answer.status_code == 413:
                assert len(content) > 64_000
                continue
            assert answer.status_code in (201, 202), (answer.status_code, answer.text, content)
            kept.add(answer.json()["message_id"])
    assert shared_api.run(store.messages.count()) - before == len(kept) == len(sent) - 2


def test_shapes_all_over_the_globe_are_kept_and_their_distance_told(
    shared_api: ApiThread,
) -> None:
    chance = random.Random(4)  # noqa: S311 - a scenario, no secret
    places = [(chance.uniform(-90, 90), chance.uniform(-180, 180)) for _ in range(40)]
    places += [(90, 0), (-90, 180), (0, 180), (0, -180), (6.2383, -73.008), (89.9999, 12)]
    with shared_api.client(Role.DISPATCH) as client:
        for lat, lon in places:
            for shape in (ARC, circle("-6.2383 106.992", "30")):
                document = a_document(shape.replace("-6.2383 106.992", f"{lat:.6f} {lon:.6f}"))
                answer = client.post("/pidf-lo", content=document)
                assert answer.status_code == 202, answer.text
                assert "km from the city's centre" in " ".join(answer.json()["problems"])
