"""An RTSP server for simulated cameras: RTP inside the connection, many paths, faults at will.

It serves on one event loop: enter the context to listen, leave it to close every connection.
Paths may be added, and their faults changed, while it runs.
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import socket
from collections.abc import Iterator
from typing import cast
from urllib.parse import quote

from plumbing.clock import Clock, SystemClock
from simulator.rtsp.digest import Credentials, DigestGate
from simulator.rtsp.messages import BadRequestError, Request, answer, read_request
from simulator.rtsp.mount import Mount, Playing
from simulator.rtsp.sources import Source
from simulator.rtsp.timeline import Timeline

_log = logging.getLogger(__name__)

_INTERLEAVED = re.compile(r"interleaved=(\d{1,3})-(\d{1,3})")
_METHODS = "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER"


class RtspServer:
    """See the module's description."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0, clock: Clock | None = None) -> None:
        """Port 0 takes a free one; ``clock`` gives the pictures' capture times."""
        self.host = host
        self.port = port
        self.timeline = Timeline(clock or SystemClock())
        self._mounts: dict[str, Mount] = {}
        self._clients: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Server | None = None

    async def __aenter__(self) -> RtspServer:
        self._listener = await asyncio.start_server(
            self._accept, self.host, self.port, limit=65_536, backlog=512
        )
        self.port = self._listener.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._listener is not None:
            self._listener.close()
        for client in self._clients:
            client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)
        for mount in self._mounts.values():
            await mount.stop()
        if self._listener is not None:
            await self._listener.wait_closed()

    def add(self, path: str, source: Source, *, credentials: Credentials | None = None) -> Mount:
        """Serve a source at a path.

        Raises:
            ValueError: the path is taken.
        """
        path = path.strip("/")
        if path in self._mounts:
            raise ValueError(f"/{path} is served already")
        mount = Mount(
            path,
            source,
            self.timeline,
            credentials=credentials,
        )
        self._mounts[path] = mount
        return mount

    def mount(self, path: str) -> Mount:
        """The mount at a path, to change its faults or drop its readers."""
        return self._mounts[path.strip("/")]

    def __iter__(self) -> Iterator[Mount]:
        return iter(self._mounts.values())

    def url(self, path: str) -> str:
        """Where clients find a path."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"rtsp://{host}:{self.port}/{quote(path.strip('/'))}"

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = cast("asyncio.Task[None]", asyncio.current_task())
        self._clients.add(task)
        try:
            await _Client(self._mounts, reader, writer).serve()
        except BadRequestError as error:
            _log.info("closing a connection: %s", error)
        except ConnectionError:
            _log.debug("a client went away")
        except asyncio.CancelledError:
            # Only leaving the server's context cancels a client, and it waits for us.
            _log.debug("a connection is closed with the server")
        finally:
            self._clients.discard(task)
            writer.transport.abort()


class _Client:
    """One connection: requests in, answers out, and between them the pictures of one mount."""

    def __init__(
        self,
        mounts: dict[str, Mount],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._mounts = mounts
        self._reader = reader
        self._writer = writer
        self._peer = "{}:{}".format(*writer.get_extra_info("peername")[:2])
        self._gate = DigestGate()
        self._session = secrets.token_hex(8)
        self._mount: Mount | None = None
        self._playing: Playing | None = None
        plain = writer.get_extra_info("socket")
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    async def serve(self) -> None:
        """Answer until the client leaves."""
        try:
            while (request := await read_request(self._reader)) is not None:
                if not await self._respond(request):
                    break
                await self._writer.drain()
        finally:
            self._stop_playing()

    async def _respond(self, request: Request) -> bool:
        """Answer one request; False when the connection is over."""
        mount = self._mounts.get(request.path)
        if mount is not None and mount.faults.hang:
            # Takes everything and says nothing, until the client gives up.
            while await self._reader.read(4_096):
                continue
            return False
        if request.method == "OPTIONS":
            return self._say(request, 200, [("Public", _METHODS)])
        if mount is None or mount.faults.refuse:
            return self._say(request, 404)
        if not self._may(request, mount):
            challenges = self._gate.challenges(mount.credentials or Credentials("", ""))
            return self._say(request, 401, [("WWW-Authenticate", each) for each in challenges])
        match request.method:
            case "DESCRIBE":
                headers = [
                    ("Content-Base", request.url.rstrip("/") + "/"),
                    ("Content-Type", "application/sdp"),
                ]
                return self._say(request, 200, headers, mount.description())
            case "SETUP":
                return self._set_up(request, mount)
            case "PLAY":
                return self._play(request, mount)
            case "GET_PARAMETER" | "SET_PARAMETER":
                return self._say(request, 200, [("Session", self._session)])
            case "TEARDOWN":
                self._stop_playing()
                self._say(request, 200)
                return False
        return self._say(request, 405, [("Allow", _METHODS)])

    def _may(self, request: Request, mount: Mount) -> bool:
        if mount.faults.reject_credentials:
            return False
        return mount.credentials is None or self._gate.admits(
            mount.credentials, request.method, request.headers.get("authorization")
        )

    def _set_up(self, request: Request, mount: Mount) -> bool:
        wanted = request.headers.get("transport", "")
        channels = _INTERLEAVED.search(wanted)
        if "RTP/AVP/TCP" not in wanted.upper():
            return self._say(request, 461)
        rtp, rtcp = (int(channels[1]), int(channels[2])) if channels else (0, 1)
        if max(rtp, rtcp) > 255:
            return self._say(request, 400)
        self._stop_playing()
        self._mount = mount
        self._playing = Playing(self._peer, self._writer.transport, rtp, rtcp)
        return self._say(
            request,
            200,
            [
                ("Transport", f"RTP/AVP/TCP;unicast;interleaved={rtp}-{rtcp}"),
                ("Session", f"{self._session};timeout=60"),
            ],
        )

    def _play(self, request: Request, mount: Mount) -> bool:
        if request.headers.get("session", "").split(";")[0] != self._session:
            return self._say(request, 454)
        if self._playing is None or self._mount is not mount:
            return self._say(request, 455)
        if mount.faults.drop:
            return False
        headers = [("Session", self._session), ("Range", "npt=now-")]
        if (info := mount.rtp_info(request.url.rstrip("/") + "/trackID=0")) is not None:
            headers.append(("RTP-Info", info))
        self._say(request, 200, headers)
        mount.play(self._playing)
        return True

    def _stop_playing(self) -> None:
        if self._mount is not None and self._playing is not None:
            self._mount.leave(self._playing)
        self._mount = self._playing = None

    def _say(
        self,
        request: Request,
        status: int,
        headers: list[tuple[str, str]] | tuple[()] = (),
        body: str = "",
    ) -> bool:
        self._writer.write(answer(request, status, headers, body))
        return True
