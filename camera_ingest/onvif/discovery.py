"""Calling into the local network which cameras are there (WS-Discovery, as ONVIF profiles it).

Everyone there may answer, so the answers are shown to a person and never opened unasked.
"""

from __future__ import annotations

import socket
import time
import uuid
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from camera_ingest.onvif.soap import NoSoap, SoapFault, every, parse_answer, text_of

GROUP = ("239.255.255.250", 3702)
_MAX_ANSWERS = 1_000
_PROBE = """<?xml version="1.0" encoding="utf-8"?>
<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"
 xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"
 xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"
 xmlns:n="http://www.onvif.org/ver10/network/wsdl">
<s:Header><a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action>
<a:MessageID>uuid:{number}</a:MessageID>
<a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To></s:Header>
<s:Body><d:Probe><d:Types>n:NetworkVideoTransmitter</d:Types></d:Probe></s:Body></s:Envelope>"""


@dataclass(frozen=True, slots=True)
class Found:
    """A device that answered."""

    address: str
    """Who sent the answer."""
    url: str
    """Its device service, as it says."""
    name: str
    hardware: str


def discover(wait_s: float = 3.0, group: tuple[str, int] = GROUP) -> list[Found]:
    """All that answer within the time, each once, by address.

    Raises:
        OSError: there is no network to call into.
    """
    found: dict[str, Found] = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as caller:
        caller.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        caller.sendto(_PROBE.format(number=uuid.uuid4()).encode(), group)
        deadline_s = time.monotonic() + wait_s
        for _ in range(_MAX_ANSWERS):
            caller.settimeout(max(0.01, deadline_s - time.monotonic()))
            try:
                answer, (address, *_) = caller.recvfrom(65_535)
            except TimeoutError:
                break
            for one in _devices(answer, address):
                found.setdefault(one.url, one)
    return sorted(found.values(), key=lambda one: (one.address, one.url))


def _devices(answer: bytes, address: str) -> list[Found]:
    try:
        body = parse_answer(answer)
    except (NoSoap, SoapFault):
        return []
    devices = []
    for match in every(body, "ProbeMatch"):
        scopes = text_of(match, "Scopes").split()
        urls = [url for url in text_of(match, "XAddrs").split() if _is_web(url)]
        if urls:
            # Several where it has several networks; the one that answered us is the nearest.
            url = next((each for each in urls if address in each), urls[0])
            devices.append(Found(address, url, _scope(scopes, "name"), _scope(scopes, "hardware")))
    return devices


def _is_web(url: str) -> bool:
    try:
        return urlsplit(url).scheme in ("http", "https")
    except ValueError:
        return False


def _scope(scopes: list[str], kind: str) -> str:
    mark = f"onvif://www.onvif.org/{kind}/"
    return next((unquote(each.removeprefix(mark)) for each in scopes if each.startswith(mark)), "")
