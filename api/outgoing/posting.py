"""One HTTP request to an address that a user has typed: resolved, checked and pinned by us."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cache
from urllib.parse import urlsplit

import httpx

from plumbing.address_guard import AddressGuard, AddressRefused
from plumbing.clock import Clock

SCHEMES = ("http", "https")
LONGEST_RETRY_AFTER_S = 3_600.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver said; ``status`` 0 where it said nothing, and ``problem`` why."""

    status: int
    problem: str = ""
    retry_after_s: float = 0.0

    @property
    def is_taken(self) -> bool:
        """Whether it has confirmed."""
        return 200 <= self.status < 300

    @property
    def is_away(self) -> bool:
        """Whether it is the receiver that can't now, not the message that it won't have."""
        return self.status in (0, 408, 425, 429) or self.status >= 500 or 300 <= self.status < 400


def require_http(url: str) -> None:
    """Refuse what is no address to post to.

    Raises:
        AddressRefused: says why.
    """
    if urlsplit(url).scheme not in SCHEMES:
        raise AddressRefused("must begin with https:// or http://")
    if "@" in urlsplit(url).netloc:
        raise AddressRefused("must not carry a user or password; messages are signed instead")


async def post(
    guard: AddressGuard,
    clock: Clock,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    timeout_s: float,
) -> Answer:
    """Post once. Redirects aren't followed: whoever moved tells us his new address himself."""
    try:
        require_http(url)
        pinned = await guard.resolve_async(url)
    except AddressRefused as error:
        return Answer(0, error.reason)
    async with httpx.AsyncClient(
        verify=_certificates() if pinned.scheme == "https" else False,
        timeout=timeout_s,
        follow_redirects=False,
        # A proxy would resolve the name anew, where no guard looks.
        trust_env=False,
    ) as client:
        request = client.build_request(
            "POST",
            pinned.pinned_url,
            content=body,
            headers={**headers, "Host": urlsplit(url).netloc, "User-Agent": "siaga"},
            extensions={"sni_hostname": pinned.host},
        )
        try:
            response = await client.send(request, stream=True)
            await response.aclose()
        except httpx.TimeoutException:
            return Answer(0, f"no answer within {timeout_s:g} s")
        except (httpx.HTTPError, ssl.SSLError, OSError) as error:
            return Answer(0, f"{type(error).__name__}: {error}"[:300])
    problem = "" if response.is_success else f"answered {response.status_code}"
    waits_s = _retry_after_s(response.headers.get("retry-after"), clock)
    return Answer(response.status_code, problem, waits_s)


@cache
def _certificates() -> ssl.SSLContext:
    return ssl.create_default_context()


def _retry_after_s(text: str | None, clock: Clock) -> float:
    if text is None:
        return 0.0
    try:
        wait_s = float(text) if text.isdigit() else _until_s(text, clock)
    except (ValueError, TypeError):
        return 0.0
    return min(max(wait_s, 0.0), LONGEST_RETRY_AFTER_S)


def _until_s(date: str, clock: Clock) -> float:
    return (parsedate_to_datetime(date) - clock.now()).total_seconds()
