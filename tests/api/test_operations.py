"""Up, ready, measured, described; headers, sizes, and errors that tell nothing they shouldn't."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import time
from pathlib import Path

import httpx
import pytest
import websockets
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from plumbing.bus import Bus
from plumbing.settings import load_settings
from tests.api.made import a_call, a_camera
from tests.support.api import ApiThread, RunningApi, api_settings, running_api


def test_health_and_readiness(desk: httpx.Client) -> None:
    assert desk.get("/healthz").json() == {"status": "ok"}
    ready = desk.get("/readyz")
    assert ready.status_code == 200
    # Nobody fuses and nobody watches here, and it says so.
    assert ready.json()["status"] == "degraded"
    checks = ready.json()["checks"]
    assert {name for name, found in checks.items() if found == "ok"} >= {"database", "bus", "disk"}
    assert "make no incidents" in checks["fusion"]


async def test_it_is_ready_once_somebody_fuses_and_every_camera_is_watched(
    own_api: RunningApi,
) -> None:
    async def checks() -> dict[str, str]:
        found: dict[str, str] = (await client.get("/readyz")).json()["checks"]
        return found

    async with own_api.client() as client:
        assert "not led" in (await checks())["fusion"]
        await own_api.bus.take_lease("fusion", "somebody", 60)
        assert (await client.get("/readyz")).json()["status"] == "ready"
        saved = await client.post("/api/v1/cameras", json=a_camera(id="camera-1"))
        assert saved.status_code == 201
        assert "no camera is watched" in (await checks())["workers"]
        await own_api.bus.take_lease("worker/one", "one", 60)
        assert (await checks())["workers"] == "1 of 1 cameras are unwatched"
        await own_api.bus.take_lease("camera/camera-1", "one", 60)
        assert (await client.get("/readyz")).json()["status"] == "ready"


async def test_a_full_disk_is_told(tmp_path: Path, bus: Bus) -> None:
    settings = api_settings(tmp_path, evidence__min_free_bytes=10**18)
    async with running_api(settings, bus) as running, running.client() as client:
        assert "pictures and clips" in (await client.get("/readyz")).json()["checks"]["disk"]


async def test_without_the_database_nothing_is_ready_and_errors_say_so(
    own_api: RunningApi, tmp_path: Path
) -> None:
    database = tmp_path / "siaga.sqlite3"
    async with own_api.client() as client:
        assert (await client.get("/api/v1/cameras")).status_code == 200
        await own_api.store.close()
        for path in (database, *tmp_path.glob("siaga.sqlite3-*")):
            path.unlink(missing_ok=True)
        database.mkdir()
        ready = await client.get("/readyz")
        assert ready.status_code == 503
        assert ready.json()["status"] == "unavailable"
        assert ready.json()["checks"]["bus"] == "ok"
        answer = await client.get("/api/v1/cameras")
        assert answer.status_code == 503
        assert answer.json()["type"] == "urn:siaga:problem:database-unavailable"
        assert "sqlite" not in answer.text
        assert (await client.get("/healthz")).status_code == 200


def test_every_metric_stands_in_the_operators_table(desk: httpx.Client) -> None:
    page = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
    told = {line.split()[2] for line in desk.get("/metrics").text.splitlines() if "# TYPE" in line}
    assert len(told) > 10
    missing = {name for name in told if f"`{name}" not in page}
    assert {name for name in missing if not name.startswith("siaga_worker_")} == set()


def test_metrics_count_requests_by_route_and_not_by_path(desk: httpx.Client) -> None:
    desk.get("/api/v1/cameras/some-secret-name")
    desk.request("BREW", "/api/v1/cameras")
    text = desk.get("/metrics").text
    assert "some-secret-name" not in text
    assert "BREW" not in text
    pattern = (
        r'siaga_http_requests_total\{method="GET",route="/api/v1/cameras/\{camera_id\}",'
        r'status="404"\} \d+'
    )
    assert re.search(pattern, text)
    assert 'siaga_http_request_seconds_bucket{route="/api/v1/cameras",le="+Inf"}' in text
    for line in text.splitlines():
        assert line.startswith("# ") or re.fullmatch(r"[a-z_]+(\{.*\})? \S+", line), line


def test_an_unknown_address_or_method_is_a_problem(desk: httpx.Client) -> None:
    assert desk.get("/api/v1/nothing").json()["type"] == "urn:siaga:problem:not-found"
    answer = desk.post("/api/v1/log")
    assert answer.status_code == 405
    assert answer.headers["content-type"] == "application/problem+json"


def test_fifty_megabytes_are_refused_before_they_are_read(desk: httpx.Client) -> None:
    kind = {"Content-Type": "application/json"}
    answer = desk.post("/api/v1/calls", content=bytes(50_000_000), headers=kind)
    assert answer.status_code == 413
    assert answer.json()["type"] == "urn:siaga:problem:too-large"
    assert "1000000 bytes" in answer.json()["detail"]


def test_the_refusal_comes_while_the_body_is_still_being_sent(shared_api: ApiThread) -> None:
    host, port = shared_api.api.url.removeprefix("http://").split(":")
    key = shared_api.api.headers()["Authorization"]
    with socket.create_connection((host, int(port)), 5) as line:
        line.sendall(
            f"POST /api/v1/calls HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: {key}\r\n"
            "Content-Type: application/json\r\nContent-Length: 50000000\r\n\r\n[".encode()
        )
        line.settimeout(2)
        assert line.recv(100).startswith(b"HTTP/1.1 413 ")


def test_a_body_that_grows_past_the_limit_in_chunks_is_refused(desk: httpx.Client) -> None:
    kind = {"Content-Type": "application/json"}
    chunks = (b"x" * 100_000 for _ in range(500))
    answer = desk.post("/api/v1/calls", content=chunks, headers=kind)
    assert answer.status_code == 413
    assert answer.json()["type"] == "urn:siaga:problem:too-large"


def test_every_answer_carries_a_request_id_and_keeps_a_given_one(desk: httpx.Client) -> None:
    assert desk.get("/healthz").headers["x-request-id"].startswith("req-")
    given = {"X-Request-Id": "dispatch-0001"}
    assert desk.get("/nothing", headers=given).headers["x-request-id"] == "dispatch-0001"
    odd = {"X-Request-Id": "a b\tc" * 50}
    assert desk.get("/healthz", headers=odd).headers["x-request-id"].startswith("req-")


async def test_what_nobody_foresaw_tells_its_id_and_nothing_else(
    own_api: RunningApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("password=hunter2 at /srv/siaga")

    monkeypatch.setattr(own_api.store.cameras, "all", broken)
    with capture_logs([merge_contextvars]) as logged:
        async with own_api.client() as client:
            answer = await client.get("/api/v1/cameras")
            metrics = (await client.get("/metrics")).text
    assert answer.status_code == 500
    assert 'route="/api/v1/cameras",status="500"} 1' in metrics
    (line,) = [line for line in logged if line["log_level"] == "error"]
    assert line["request_id"] == answer.headers["x-request-id"]
    assert line["path"] == "/api/v1/cameras"
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["correlation_id"] == answer.headers["x-request-id"]
    assert "hunter2" not in answer.text
    assert "srv" not in answer.text
    assert "content-security-policy" in answer.headers


async def test_the_server_stops_fast_with_readers_and_requests_open(
    tmp_path: Path, bus: Bus
) -> None:
    async with asyncio.timeout(20):
        async with running_api(api_settings(tmp_path), bus) as api:
            readers = [
                await websockets.connect(api.feed_url, additional_headers=api.headers())
                for _ in range(20)
            ]
            for reader in readers:
                await reader.recv()
            # A client that began a request and never ends it.
            host, port = api.url.removeprefix("http://").split(":")
            _, half = await asyncio.open_connection(host, int(port))
            half.write(b"POST /api/v1/calls HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{")
            await half.drain()
            started_s = time.monotonic()
        took_s = time.monotonic() - started_s
    assert took_s < 3
    for reader in readers:
        with pytest.raises(websockets.exceptions.ConnectionClosed):
            # On a slow machine a ping may have come before.
            while await reader.recv():
                pass
        assert reader.close_code == 1012
    half.close()


async def test_the_role_serves_on_a_free_port_and_says_which(
    tmp_path: Path, shared_server: object
) -> None:
    from api.server import ServeError, serve

    url: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    settings = api_settings(tmp_path, bus__url=shared_server.url)  # type: ignore[attr-defined]
    role = asyncio.create_task(serve(settings, stop, url.set_result))
    address = await asyncio.wait_for(url, 10)
    async with httpx.AsyncClient(base_url=address) as client:
        assert (await client.get("/readyz")).json()["checks"]["database"] == "ok"
    taken = api_settings(tmp_path, api__port=address.rpartition(":")[2], bus__url="redis://x")
    with pytest.raises(ServeError, match=r"set api\.host and api\.port"):
        await serve(taken, stop)
    stop.set()
    await asyncio.wait_for(role, 5)
    with pytest.raises(ServeError, match=r"bus\.url is not set"):
        await serve(load_settings(None, {}), stop)


def test_problem_documents_are_utf8_json(desk: httpx.Client) -> None:
    answer = desk.post("/api/v1/calls", json=a_call(**{"kësalahan": 1}))
    assert json.loads(answer.content)["errors"][0]["field"] == "kësalahan"
