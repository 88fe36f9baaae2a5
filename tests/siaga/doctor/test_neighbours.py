"""The doctor asks the systems around whether they are there, and says what to do where not."""

from __future__ import annotations

import sys

import pytest

from plumbing.clock import SystemClock
from plumbing.settings import Settings
from siaga.doctor.findings import Finding, Health
from siaga.doctor.neighbours import sign_in, traces
from tests.support.collector import collecting
from tests.support.oidc import oidc_provider

CLOCK = SystemClock()


def made(**changes: object) -> Settings:
    return Settings.model_validate(changes)


def is_told(finding: Finding, health: Health, word: str) -> bool:
    return finding.health is health and word in f"{finding.found} {finding.mend}"


async def test_the_identity_provider() -> None:
    assert (await sign_in(made(), CLOCK)).health is Health.OK
    with oidc_provider() as provider:
        whole = {"issuer": provider.url, "roles": {"a": "operator"}}
        assert is_told(await sign_in(made(oidc=whole), CLOCK), Health.OK, "answers")
        idle = await sign_in(made(oidc={"issuer": provider.url}), CLOCK)
        assert is_told(idle, Health.WARNING, "oidc.roles")
        other = await sign_in(made(oidc={"issuer": f"{provider.url}/"}), CLOCK)
        assert is_told(other, Health.PROBLEM, "oidc.issuer")
    gone = await sign_in(made(oidc={"issuer": "http://127.0.0.1:9"}), CLOCK)
    assert is_told(gone, Health.WARNING, "local accounts")


async def test_the_collector_of_traces(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await traces(made(), CLOCK)).health is Health.OK
    with collecting() as collector:
        asked = made(tracing={"url": collector.url})
        assert (await traces(asked, CLOCK)).health is Health.OK
    assert is_told(await traces(asked, CLOCK), Health.WARNING, "tracing.url")
    name = "opentelemetry.exporter.otlp.proto.http.trace_exporter"
    monkeypatch.setitem(sys.modules, name, None)
    assert is_told(await traces(asked, CLOCK), Health.PROBLEM, "siaga[tracing]")
