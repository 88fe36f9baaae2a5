"""Cursor-on-Target: a TAK client's library receives the incidents, over TCP and TLS."""

from __future__ import annotations

import asyncio
import ssl
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from xml.etree import ElementTree

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from contracts import IncidentAction
from plumbing.bus import Bus
from tests.api.made import LAT, LON, found_incident
from tests.support.api import api_settings, running_api

with warnings.catch_warnings():
    # It says what else could be installed.
    warnings.simplefilter("ignore")
    import pytak


class TakServer:
    """Listens as a TAK server does, and hands what comes to the client library's reader."""

    def __init__(self) -> None:
        self.port = 0
        self.events: asyncio.Queue[bytes] = asyncio.Queue()
        self.lines: list[asyncio.StreamWriter] = []

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.lines.append(writer)
        worker = pytak.RXWorker(self.events, {"TAK_PROTO": "0"}, reader)
        while not reader.at_eof():
            await worker.run_once()

    async def next(self) -> ElementTree.Element:
        async with asyncio.timeout(20):
            return ElementTree.fromstring((await self.events.get()).decode())  # noqa: S314


@asynccontextmanager
async def tak_server(context: ssl.SSLContext | None = None) -> AsyncIterator[TakServer]:
    tak = TakServer()
    server = await asyncio.start_server(tak.accept, "127.0.0.1", 0, ssl=context)
    tak.port = server.sockets[0].getsockname()[1]
    try:
        yield tak
    finally:
        server.close()
        for line in tak.lines:
            line.close()


async def test_a_tak_client_is_told_of_each_incident_until_it_is_over(
    tmp_path: Path, bus: Bus
) -> None:
    async with tak_server() as tak:
        settings = api_settings(tmp_path, cot__url=f"tcp://127.0.0.1:{tak.port}")
        async with running_api(settings, bus) as api:
            one = await found_incident(api.store)
            event = await tak.next()
            assert event.get("type") == "a-u-X-i-f"
            assert event.get("uid") == f"siaga.{one.id}"
            assert event.get("how") == "m-f"
            point = event.find("point")
            assert point is not None
            assert float(point.get("lat", "")) == pytest.approx(LAT, abs=1e-5)
            assert float(point.get("lon", "")) == pytest.approx(LON, abs=1e-5)
            # The corner of a region of 2e-4 degrees either way.
            assert 25 < float(point.get("ce", "")) < 40
            assert _stale(event) > _time(event)
            done = await api.store.incidents.act(
                one.id, IncidentAction.VERIFY, actor="ani", version=one.version
            )
            assert (await tak.next()).get("how") == "h-e"
            await api.store.incidents.act(
                one.id, IncidentAction.CLOSE, actor="ani", version=done.version
            )
            over = await tak.next()
            assert _stale(over) == _time(over)


async def test_after_a_broken_line_everything_is_told_anew(tmp_path: Path, bus: Bus) -> None:
    async with tak_server() as tak:
        settings = api_settings(tmp_path, cot__url=f"tcp://127.0.0.1:{tak.port}")
        async with running_api(settings, bus) as api:
            one = await found_incident(api.store)
            await tak.next()
            tak.lines[0].close()
            again = await tak.next()
            assert again.get("uid") == f"siaga.{one.id}"
            assert len(tak.lines) == 2


async def test_what_is_quiet_is_not_sent_and_tls_is_checked(tmp_path: Path, bus: Bus) -> None:
    certificate = _certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    async with tak_server(context) as tak:
        settings = api_settings(
            tmp_path / "api",
            cot__url=f"tls://127.0.0.1:{tak.port}",
            cot__ca_file=certificate,
        )
        async with running_api(settings, bus) as api:
            await found_incident(api.store, probability=0.0005)
            loud = await found_incident(api.store)
            assert (await tak.next()).get("uid") == f"siaga.{loud.id}"


def _time(event: ElementTree.Element) -> datetime:
    return datetime.fromisoformat(event.get("time", ""))


def _stale(event: ElementTree.Element) -> datetime:
    return datetime.fromisoformat(event.get("stale", ""))


def _certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tak")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "tak.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path
