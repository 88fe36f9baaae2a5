"""A worker's live view: an authenticated address of its own, which stands in its leases.

The API is the only client. It proves itself by a pass that only this installation's key makes
(`plumbing.live_pass`), for one camera and a few seconds. Watching a camera makes it hot.
"""

from __future__ import annotations

import asyncio
import contextlib
import http
import itertools
import socket
from datetime import timedelta
from urllib.parse import parse_qs, unquote, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from camera_ingest import IngestSupervisor, PreRoll
from camera_ingest.keeping.live import watch
from camera_ingest.keeping.parameter_sets import UnsupportedCodec
from contracts import CameraId
from plumbing.clock import Clock
from plumbing.live_pass import PassRefused, check_pass
from plumbing.logs import get_logger
from plumbing.sealing import Sealer
from plumbing.settings import WorkerSettings

_log = get_logger(__name__)

PATH = "/live/"
HOT_FOR = timedelta(seconds=10)
"""A camera stays hot for so long after the last watcher was seen."""
LOOK_EVERY_S = 0.5
"""A watcher is sent on so soon after its camera has gone."""
LOOKS_A_CUE = 8
CLOSE_GONE = 4404
"""This worker has the camera no longer: ask who has."""
CLOSE_UNPLAYABLE = 4415
"""What the camera sends can be shown neither as video nor as pictures."""
WRITE_BUFFER_BYTES = 1_000_000


class LiveServer:
    """Serves the live view of a worker's cameras, from `start` to `close`."""

    def __init__(
        self, ingest: IngestSupervisor, sealer: Sealer, clock: Clock, settings: WorkerSettings
    ) -> None:
        self._ingest = ingest
        self._sealer = sealer
        self._clock = clock
        self._settings = settings
        self._server: Server | None = None

    @property
    def address(self) -> str:
        """Where the API finds it, as ``host:port``; empty until it has started."""
        if self._server is None:
            return ""
        port = next(iter(self._server.sockets)).getsockname()[1]
        host = self._settings.live_host
        if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
            host = socket.getfqdn()
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: the address can't be listened on.
        """
        self._server = await serve(
            self._serve,
            self._settings.live_host,
            self._settings.live_port,
            process_request=self._admit,
            compression=None,  # video doesn't get smaller
            max_size=1_000,
            write_limit=WRITE_BUFFER_BYTES,
            ping_interval=10,
            ping_timeout=10,
        )

    async def close(self) -> None:
        """Send the watchers to whoever has their cameras now."""
        if self._server is not None:
            self._server.close(code=1012, reason="the worker ends")
            await self._server.wait_closed()

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
        try:
            if scheme != "Bearer":
                raise PassRefused("no pass")
            check_pass(self._sealer, shown, _camera_of(request.path), self._clock.now())
        except PassRefused as refusal:
            _log.warning("a watcher without a pass", why=str(refusal))
            return connection.respond(http.HTTPStatus.UNAUTHORIZED, f"{refusal}\n")
        return None

    async def _serve(self, connection: ServerConnection) -> None:
        assert connection.request is not None  # noqa: S101 - it was admitted by it
        path = connection.request.path
        camera_id = _camera_of(path)
        preroll = self._ingest.preroll(camera_id)
        if preroll is None:
            await connection.close(CLOSE_GONE, "not this worker's camera")
            return
        query = parse_qs(urlsplit(path).query)
        messages = watch(
            preroll,
            seconds_back=float(query.get("back", ["0"])[0]),
            codecs=query.get("codecs", ["h264"])[0].split(","),
            pictures=query.get("pictures") == ["1"],
            decoding=lambda: self._ingest.decoding(camera_id),
        )
        hot = asyncio.create_task(self._keep_hot(camera_id, preroll, connection))
        try:
            async with contextlib.aclosing(messages):
                async for message in messages:
                    await connection.send(message)
        except ConnectionClosed:
            pass  # the watcher has gone, or we have told it to
        except UnsupportedCodec as error:
            await connection.close(CLOSE_UNPLAYABLE, str(error)[:120])
        finally:
            hot.cancel()

    async def _keep_hot(
        self, camera_id: CameraId, preroll: PreRoll, connection: ServerConnection
    ) -> None:
        for look in itertools.count():
            # Another one is as good as none: the camera's entry has changed.
            if self._ingest.preroll(camera_id) is not preroll:
                await connection.close(CLOSE_GONE, "the camera has gone to another worker")
                return
            if look % LOOKS_A_CUE == 0:
                self._ingest.watch_closely([camera_id], self._clock.now() + HOT_FOR)
            await asyncio.sleep(LOOK_EVERY_S)


def _camera_of(path: str) -> CameraId:
    plain = urlsplit(path).path
    return CameraId(unquote(plain.removeprefix(PATH)) if plain.startswith(PATH) else "")
