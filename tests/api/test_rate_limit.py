"""Whoever asks too often waits; nobody else does."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.buckets import MAX_KEPT, Buckets
from incidents.people.accounts import Role
from plumbing.bus import Bus
from plumbing.clock import HeldClock
from tests.support.api import api_settings, running_api
from tests.support.store import START


async def test_strangers_wait_and_machines_and_supervision_do_not(tmp_path: Path, bus: Bus) -> None:
    settings = api_settings(tmp_path, api__strangers_per_s=1, api__requests_per_s=1_000)
    async with running_api(settings, bus) as running, running.client(None) as stranger:
        statuses = [(await stranger.get("/api/v1/cameras")).status_code for _ in range(12)]
        assert statuses[:10] == [401] * 10
        assert statuses[-1] == 429
        refused = await stranger.get("/openapi.json")
        assert refused.json()["type"] == "urn:siaga:problem:too-many-requests"
        assert int(refused.headers["retry-after"]) >= 1
        assert refused.headers["x-content-type-options"] == "nosniff"
        assert (await stranger.get("/healthz")).status_code == 200
        assert (await stranger.post("/aml", content=b"v=1")).status_code == 202
        async with running.client(Role.VIEWER) as machine:
            for _ in range(20):
                assert (await machine.get("/api/v1/cameras")).status_code == 200


async def test_who_sends_another_key_each_time_waits_and_who_was_let_in_does_not(
    tmp_path: Path, bus: Bus
) -> None:
    settings = api_settings(tmp_path, api__requests_per_s=1)
    async with running_api(settings, bus) as running, running.client(Role.VIEWER) as machine:
        assert (await machine.get("/api/v1/cameras")).status_code == 200
        async with running.client(None) as stranger:
            statuses = []
            for number in range(15):
                headers = {"Authorization": f"Bearer siaga_{number}"}
                answer = await stranger.post(
                    "/aml", content=b"v=1&time=%d" % number, headers=headers
                )
                statuses.append(answer.status_code)
        assert statuses[0] == 202
        assert statuses[-1] == 429
        # They come from the same address.
        assert (await machine.get("/api/v1/cameras")).status_code == 200


async def test_strangers_take_nothing_from_the_positions_of_callers(
    tmp_path: Path, bus: Bus
) -> None:
    # Behind a proxy both come from its address.
    settings = api_settings(tmp_path, api__strangers_per_s=1, api__requests_per_s=1)
    clock = HeldClock(START)
    async with running_api(settings, bus, clock) as running, running.client(None) as anybody:
        statuses = [(await anybody.get("/api/v1/cameras")).status_code for _ in range(12)]
        assert statuses[-1] == 429
        assert (await anybody.post("/aml", content=b"v=1")).status_code == 202


def test_a_bucket_fills_again_and_memory_stays_bounded() -> None:
    clock = HeldClock(START)
    buckets = Buckets(clock)

    def wait_s(sender: str) -> float:
        return buckets.wait_s(sender, per_s=2.0, burst=20)

    taken = [wait_s("a") for _ in range(21)]
    assert taken[:20] == [0.0] * 20
    assert taken[20] == pytest.approx(0.5)
    clock.advance(0.5)
    assert wait_s("a") == 0.0
    assert wait_s("a") > 0
    assert wait_s("b") == 0.0
    for number in range(MAX_KEPT + 10):
        wait_s(f"s{number}")
    assert len(buckets) == MAX_KEPT
