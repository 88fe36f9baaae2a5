"""Which addresses we open on a user's word: resolved, checked and pinned by us.

A camera's URL is typed by people or imported from a list, and is opened from inside the city's
network. Without this check it would be a way to this machine, to its neighbours and to a cloud's
metadata service (server-side request forgery; OWASP ASVS 5.0, 1.3.6). Checking a name and letting
the client resolve it again would leave a gap, so what is checked is what is opened.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit, urlunsplit

from plumbing.redact import redact_url

DEFAULT_PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolver = Callable[..., list[tuple[Any, ...]]]

_RESOLVE_S = 5.0

# Never opened, allow-listed or not: no camera lives there, and clouds keep their secrets there.
_NEVER = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",
        "169.254.0.0/16",  # link-local, with the metadata services of most clouds
        "100.100.100.200/32",  # a metadata service inside the carriers' shared range
        "192.0.0.192/32",  # another
        "168.63.129.16/32",  # another, in a public range
        "224.0.0.0/4",
        "255.255.255.255/32",
        "::/128",
        "fe80::/10",
        "fd00:ec2::254/128",  # metadata over IPv6
        "ff00::/8",
    )
)
_GLOBAL_V6 = ipaddress.ip_network("2000::/3")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

# What old C libraries read as numbers (2130706433, 0177.0.0.1, 0x7f.1): programs differ on them,
# so what we check might not be what is opened. A name never ends in such a label.
_NUMBER_LABEL = re.compile(r"(?:[0-9]+|0[xX][0-9a-fA-F]*)")


class AddressRefused(Exception):
    """This address may not be opened. ``reason`` says why and what to do; it holds no password."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class HostNotFound(AddressRefused):
    """The host's name leads to no address (now)."""


@dataclass(frozen=True, slots=True)
class PinnedAddress:
    """A URL whose host is resolved and checked: connect to ``ip``, not to ``host``."""

    url: str
    scheme: str
    host: str
    """As in the URL, for the Host header and for checking a certificate."""
    ip: str
    port: int

    @property
    def pinned_url(self) -> str:
        """``url`` with the address in the host's place; user information stays as it was."""
        parts = urlsplit(self.url)
        userinfo = parts.netloc.rpartition("@")[0]
        shown = f"[{self.ip}]" if ":" in self.ip else self.ip
        netloc = f"{userinfo}@" if userinfo else ""
        return urlunsplit(parts._replace(netloc=f"{netloc}{shown}:{self.port}"))


class AddressGuard:
    """Resolves and checks addresses.

    Public addresses may be opened; private, loopback and other special ones only inside
    ``allow_private``; link-local, multicast and metadata addresses never.

    Args:
        allow_private: networks in CIDR form, ``10.20.0.0/16`` or ``fd12::/32``.
        resolver: `socket.getaddrinfo` or a stand-in of its form.
        setting: where ``allow_private`` is configured, for the refusal.

    Raises:
        ValueError: one of the networks is none.
    """

    def __init__(
        self,
        allow_private: Sequence[str] = (),
        resolver: Resolver = socket.getaddrinfo,
        *,
        setting: str = "ingest.allow_private",
    ) -> None:
        self._allowed: tuple[Network, ...] = tuple(
            ipaddress.ip_network(network) for network in allow_private
        )
        self._resolver = resolver
        self._setting = setting

    def resolve(self, url: str) -> PinnedAddress:
        """Check one URL and pin it. Asks the name server, so it may block for seconds.

        Call it again for every redirect, and for every playlist and segment.

        Raises:
            AddressRefused: unusable URL, scheme, or address.
            HostNotFound: no address for the name.
        """
        parts, host, port = self._parse(url)
        refusal: str | None = None
        for address in self._addresses(host, port):
            refusal = self._refusal(address)
            if refusal is None:
                return PinnedAddress(url, parts.scheme, host, str(_unmapped(address)), port)
        raise AddressRefused(refusal or f"{host} has no address")

    async def resolve_async(self, url: str) -> PinnedAddress:
        """`resolve` without blocking the event loop."""
        try:
            async with asyncio.timeout(_RESOLVE_S):
                return await asyncio.to_thread(self.resolve, url)
        except TimeoutError:
            raise HostNotFound(
                f"the name server did not answer within {_RESOLVE_S:g} s for {redact_url(url)}"
            ) from None

    def _parse(self, url: str) -> tuple[SplitResult, str, int]:
        shown = redact_url(url)
        if any(character <= " " or character in "\\\x7f" for character in url):
            raise AddressRefused(f"{shown!r} holds blanks, control characters or backslashes")
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise AddressRefused(f"{shown!r} is no URL: {redact_url(str(error))}") from None
        if parts.scheme not in DEFAULT_PORTS:
            raise AddressRefused(
                f"{shown!r}: only {', '.join(DEFAULT_PORTS)} can be opened, "
                f"not {parts.scheme or 'a text without scheme'!r}"
            )
        host = parts.hostname
        if not host:
            raise AddressRefused(f"{shown!r} names no host")
        if port == 0:
            raise AddressRefused(f"{shown!r}: port 0 can't be opened")
        return parts, host, port or DEFAULT_PORTS[parts.scheme]

    def _addresses(self, host: str, port: int) -> list[Address]:
        literal = _literal(host)
        if literal is not None:
            return [literal]
        if _NUMBER_LABEL.fullmatch(host.rstrip(".").rpartition(".")[2]):
            raise AddressRefused(
                f"{host} is an address in an ambiguous form; write it as four decimal numbers"
            )
        try:
            found = self._resolver(host, port, type=socket.SOCK_STREAM)
        except (socket.gaierror, UnicodeError) as error:
            raise HostNotFound(f"no address is known for {host}: {error}") from None
        return list(dict.fromkeys(ipaddress.ip_address(entry[4][0]) for entry in found))

    def _refusal(self, address: Address) -> str | None:
        """Why this address may not be opened; None when it may."""
        for inner in _all_forms(address):
            if any(inner in network for network in _NEVER if network.version == inner.version):
                return f"{address} is link-local, multicast or a metadata service; never opened"
        for inner in _all_forms(address):
            if not _is_public(inner) and not self._is_allowed(inner):
                return (
                    f"{address} is a private or special address; "
                    f"add its network to {self._setting} if what is meant is there"
                )
        return None

    def _is_allowed(self, address: Address) -> bool:
        return any(
            address in network for network in self._allowed if network.version == address.version
        )


def _literal(host: str) -> Address | None:
    try:
        # Not for zones: fe80::1%eth0 leads to a link, and those are refused by their prefix.
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _unmapped(address: Address) -> Address:
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _all_forms(address: Address) -> tuple[Address, ...]:
    """The address, and the IPv4 address that a tunnel or translator would make of it."""
    address = _unmapped(address)
    if isinstance(address, ipaddress.IPv4Address):
        return (address,)
    if address in _NAT64:
        return (ipaddress.IPv4Address(int(address) & 0xFFFFFFFF),)
    if address.sixtofour is not None:
        return (address, address.sixtofour)
    if address.teredo is not None:
        return (address, *address.teredo)
    return (address,)


def _is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        return address in _GLOBAL_V6 and address.is_global
    return address.is_global and not address.is_reserved and not address.is_multicast
