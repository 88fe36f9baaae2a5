"""Whatever is sent, the answer is lawful: a success or a 4xx problem, and the server goes on."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.made import a_call, a_camera, a_detection
from tests.support.api import ApiThread

MANY = settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=-(10**400), max_value=10**400)
    | st.floats()
    | st.text(max_size=30)
    | st.sampled_from(["\x00", "\ud800", "null", "NaN", "-0", "1e999", "2026-13-45", "🔥" * 100])
)
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4)
    ),
    max_leaves=12,
)
BODIES = {
    "/api/v1/calls": a_call(positioned_at="2026-11-22T06:00:00Z", exercise=False),
    "/api/v1/calls/none/fixes": {"location": a_call()["location"], "method": "gnss"},
    "/api/v1/cameras": a_camera(username="a", password="b", headers={"Referer": "x"}, id="one"),
    "/api/v1/incidents/none/actions": {
        "action": "mark_duplicate",
        "version": 1,
        "reason": "",
        "note": "",
        "duplicate_of": "x",
    },
    "/api/v1/detections": a_detection("none"),
    "/api/v1/session": {"username": "nobody", "password": "x"},
}


def places(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something may be put into a body: every field, however deep."""
    if here:
        yield here
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, inner in items:
        yield from places(inner, (*here, key))


def with_put(body: Any, place: tuple[Any, ...], value: Any) -> Any:
    changed = json.loads(json.dumps(body))
    inner = changed
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return changed


def assert_lawful(answer: httpx.Response) -> None:
    assert answer.status_code < 500, (answer.status_code, answer.text, answer.request.content)
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        document = answer.json()
        assert document["status"] == answer.status_code
        assert document["detail"]
    if answer.status_code == 422:
        assert all(error["field"] and error["why"] for error in answer.json()["errors"])


def send(desk: httpx.Client, path: str, body: Any) -> httpx.Response:
    content = json.dumps(body).encode("utf-8", "surrogatepass")
    return desk.post(path, content=content, headers={"Content-Type": "application/json"})


@pytest.mark.parametrize("path", [path for path in BODIES if path != "/api/v1/session"])
@MANY
@given(data=st.data())
def test_a_body_with_one_wrong_value(desk: httpx.Client, path: str, data: st.DataObject) -> None:
    place = data.draw(st.sampled_from(list(places(BODIES[path]))))
    body = with_put(BODIES[path], place, data.draw(anything))
    assert_lawful(send(desk, path, body))


@pytest.mark.parametrize("path", [path for path in BODIES if path != "/api/v1/session"])
@settings(MANY, max_examples=10)
@given(body=anything)
def test_a_body_that_is_anything_at_all(desk: httpx.Client, path: str, body: Any) -> None:
    assert_lawful(send(desk, path, body))


@pytest.mark.parametrize("path", list(BODIES))
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"\xff\xfe{}",
        b'"\xed\xa0\x80"',
        b"[" * 200_000,
        b'{"a":' * 50_000,
        b'{"hazard":' + b"9" * 100_000 + b"}",
        b'{"note":"' + b"a" * 900_000 + b'"}',
        b'{"hazard":"fire","hazard":"flood"' + b',"x":1' * 10_000 + b"}",
        b"NaN",
        b'{"note":"\\ud800"}',
        b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--x--",
    ],
)
def test_a_body_that_is_no_body(desk: httpx.Client, path: str, content: bytes) -> None:
    answer = desk.post(path, content=content, headers={"Content-Type": "application/json"})
    assert 400 <= answer.status_code < 500
    assert_lawful(answer)
    assert len(answer.content) < 20_000


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", None]
)
def test_a_body_of_another_kind(desk: httpx.Client, kind: str | None) -> None:
    headers = {"Content-Type": kind} if kind else {}
    answer = desk.post("/api/v1/calls", content=json.dumps(a_call()), headers=headers)
    assert answer.status_code in (415, 422)
    assert_lawful(answer)


QUERIES = {
    "/api/v1/incidents": ["open", "hazard", "level", "limit", "after", "exercise"],
    "/api/v1/calls": ["limit", "after"],
    "/api/v1/log": ["limit", "after"],
}


@pytest.mark.parametrize("path", list(QUERIES))
@MANY
@given(data=st.data())
def test_a_query_of_anything(desk: httpx.Client, path: str, data: st.DataObject) -> None:
    texts = st.text(st.characters(codec="utf-8"), max_size=20) | st.integers().map(str)
    names = st.sampled_from([*QUERIES[path], "other"])
    query = urlencode(data.draw(st.lists(st.tuples(names, texts), max_size=4)))
    assert_lawful(desk.get(f"{path}?{query}"))


@pytest.mark.parametrize("stem", ["calls", "evidence"])
@MANY
@given(name=st.text(st.characters(codec="utf-8"), min_size=1, max_size=100))
def test_a_name_of_anything(desk: httpx.Client, stem: str, name: str) -> None:
    assert_lawful(desk.get(f"/api/v1/{stem}/{quote(name, safe='')}"))


@pytest.mark.parametrize(
    "head",
    [
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/9.9\r\nHost: x\r\n\r\n",
        "POST /api/v1/calls HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
        "POST /api/v1/calls HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "POST /api/v1/calls HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "GET /" + "a" * 100_000 + " HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nX: " + "a" * 200_000 + "\r\n\r\n",
        "GET /ws/v1/feed HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        "\x00\x01\x02\r\n\r\n",
    ],
)
def test_a_request_that_is_no_http(shared_api: ApiThread, head: str) -> None:
    host, port = shared_api.api.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 5) as line:
        line.settimeout(5)
        try:
            line.sendall(head.encode("latin-1"))
            start = line.recv(12)
        except ConnectionError:
            start = b""
        assert start == b"" or start[9:10] in (b"2", b"3", b"4"), start
    assert httpx.get(f"{shared_api.api.url}/healthz").status_code == 200
