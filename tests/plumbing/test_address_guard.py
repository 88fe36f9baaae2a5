"""Public addresses may be opened, private ones by leave; tricks of spelling gain nothing."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plumbing.address_guard import AddressGuard, AddressRefused, HostNotFound


def resolver(*addresses: str) -> Callable[..., list[tuple[Any, ...]]]:
    """A name server that answers these to everything."""

    def resolve(host: str, port: int, **_: object) -> list[tuple[Any, ...]]:
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [
            (socket.AF_INET6 if ":" in address else socket.AF_INET, 1, 6, "", (address, port))
            for address in addresses
        ]

    return resolve


def shown(address: str) -> str:
    return f"[{address}]" if ":" in address else address


@pytest.mark.parametrize(
    ("url", "ip", "port", "pinned"),
    [
        ("rtsp://cam.example/ch1", "8.8.4.4", 554, "rtsp://8.8.4.4:554/ch1"),
        ("rtsps://cam.example/ch1", "8.8.4.4", 322, "rtsps://8.8.4.4:322/ch1"),
        ("http://cam.example:8080/a?b=c#d", "8.8.4.4", 8080, "http://8.8.4.4:8080/a?b=c#d"),
        ("https://u:p@cam.example/x", "8.8.4.4", 443, "https://u:p@8.8.4.4:443/x"),
        ("HTTP://8.8.8.8", "8.8.8.8", 80, "http://8.8.8.8:80"),
        (
            "http://[2001:4860:4860::8888]/x",
            "2001:4860:4860::8888",
            80,
            "http://[2001:4860:4860::8888]:80/x",
        ),
    ],
)
def test_public_addresses_are_pinned(url: str, ip: str, port: int, pinned: str) -> None:
    address = AddressGuard((), resolver("8.8.4.4")).resolve(url)
    assert (address.ip, address.port, address.url) == (ip, port, url)
    assert address.pinned_url == pinned


NEVER = [
    "169.254.169.254", "169.254.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192", "0.0.0.1",
    "224.0.0.1", "255.255.255.255", "::", "fe80::1", "fd00:ec2::254", "ff02::1",
    "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1",
]  # fmt: skip
BY_LEAVE = [
    "127.0.0.1", "127.8.9.1", "10.0.0.1", "172.16.5.4", "192.168.1.1", "100.64.0.1", "198.18.0.1",
    "192.0.2.1", "240.0.0.1", "::1", "fd12::1", "fec0::1", "::127.0.0.1", "::ffff:127.0.0.1",
    "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::1", "4000::1",
]  # fmt: skip


@pytest.mark.parametrize("address", NEVER + BY_LEAVE)
def test_special_addresses_are_refused_by_number_and_by_name(address: str) -> None:
    with pytest.raises(AddressRefused):
        AddressGuard().resolve(f"rtsp://{shown(address)}/ch1")
    with pytest.raises(AddressRefused):
        AddressGuard((), resolver(address)).resolve("rtsp://innocent.example/ch1")


@pytest.mark.parametrize("address", NEVER)
def test_some_are_refused_whatever_is_allowed(address: str) -> None:
    with pytest.raises(AddressRefused, match="never opened"):
        AddressGuard(["0.0.0.0/0", "::/0"]).resolve(f"http://{shown(address)}/latest/meta-data")


@pytest.mark.parametrize("address", BY_LEAVE)
def test_private_ones_are_opened_by_leave(address: str) -> None:
    pinned = AddressGuard(["0.0.0.0/0", "::/0"]).resolve(f"http://{shown(address)}/")
    meant = ipaddress.ip_address(address.removeprefix("::ffff:"))
    assert ipaddress.ip_address(pinned.ip) == meant


def test_leave_is_for_the_named_networks_alone() -> None:
    guard = AddressGuard(["10.20.0.0/16", "fd12::/32"])
    assert guard.resolve("rtsp://10.20.3.4/1").ip == "10.20.3.4"
    assert guard.resolve("rtsp://[fd12::5]/1").ip == "fd12::5"
    for address in ("10.21.0.1", "127.0.0.1", "[fd13::5]"):
        with pytest.raises(AddressRefused, match=r"ingest\.allow_private"):
            guard.resolve(f"rtsp://{address}/1")


def test_a_mapped_address_is_opened_as_what_it_is() -> None:
    assert AddressGuard().resolve("http://[::ffff:8.8.8.8]/").ip == "8.8.8.8"


@pytest.mark.parametrize(
    "host",
    [
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "127.0.0.01",
        "8.8.8.8.",
        "1.0x1",
    ],
)
def test_numbers_in_forms_that_programs_read_differently_are_refused(host: str) -> None:
    with pytest.raises(AddressRefused, match="ambiguous"):
        AddressGuard(["0.0.0.0/0"]).resolve(f"http://{host}/")


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "ftp://example.org/", "gopher://example.org/", "rtmp://example.org/1",
        "concat:a|b", "/etc/passwd", "", "http://", "http:///path", "rtsp://:554/1", "example.org",
        "http://example.org:99999/", "http://example.org:0/", "http://example.org:port/",
        "http://exam ple.org/", "http://example.org/\r\nHost: other", "http://a\\@b/",
        "http://[::1", "http://[fe80::1%25eth0]/", "//example.org/",
    ],
)  # fmt: skip
def test_unusable_urls_are_refused(url: str) -> None:
    with pytest.raises(AddressRefused) as caught:
        AddressGuard((), resolver("8.8.8.8")).resolve(url)
    assert caught.value.reason


def test_the_first_lawful_address_of_a_name_is_pinned() -> None:
    guard = AddressGuard((), resolver("10.0.0.1", "8.8.8.8"))
    assert guard.resolve("http://example.org/").ip == "8.8.8.8"


def test_a_name_is_asked_for_once_and_pinned() -> None:
    answers = iter(["8.8.8.8", "127.0.0.1"])

    def rebinding(host: str, port: int, **_: object) -> list[tuple[Any, ...]]:
        return [(socket.AF_INET, 1, 6, "", (next(answers), port))]

    guard = AddressGuard((), rebinding)
    assert guard.resolve("http://rebind.example/").pinned_url == "http://8.8.8.8:80/"
    with pytest.raises(AddressRefused):
        guard.resolve("http://rebind.example/")


def test_an_unknown_host_is_told_apart() -> None:
    with pytest.raises(HostNotFound, match=r"nowhere\.example"):
        AddressGuard((), resolver()).resolve("rtsp://nowhere.example/1")
    with pytest.raises(HostNotFound):
        AddressGuard().resolve(f"rtsp://{'a' * 70}.example/1")


def test_localhost_of_the_real_resolver_is_refused() -> None:
    with pytest.raises(AddressRefused):
        AddressGuard().resolve("http://localhost:6379/")
    assert ipaddress.ip_address(
        AddressGuard(["127.0.0.0/8", "::1/128"]).resolve("http://localhost/").ip
    ).is_loopback


def test_refusals_hold_no_password() -> None:
    for url in ("ftp://admin:hush@example.org/", "rtsp://admin:hush@/1", "http://u:hush@h:bad/"):
        with pytest.raises(AddressRefused) as caught:
            AddressGuard().resolve(url)
        assert "hush" not in caught.value.reason


async def test_without_blocking_the_same() -> None:
    guard = AddressGuard((), resolver("8.8.8.8"))
    assert await guard.resolve_async("http://example.org/") == guard.resolve("http://example.org/")
    with pytest.raises(AddressRefused):
        await AddressGuard().resolve_async("http://127.0.0.1/")


def test_a_network_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="host bits"):
        AddressGuard(["10.0.0.1/8"])


@given(st.ip_addresses())
def test_nothing_that_is_not_global_gets_through(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    try:
        pinned = AddressGuard().resolve(f"http://{shown(str(address))}/")
    except AddressRefused:
        return
    inner = ipaddress.ip_address(pinned.ip)
    assert inner.is_global
    assert not (inner.is_multicast or inner.is_link_local or inner.is_loopback)
