"""Live video on its way from a camera's worker to a browser.

The worker's address stands in the camera's lease. When the camera moves to another worker, or its
worker dies, the watcher stays connected here and goes on with the next one, which begins with a
``start`` of its own; meanwhile it is told ``unwatched`` each second or so.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Mapping
from urllib.parse import quote, urlencode

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage

from api.services import Services
from contracts import CameraId
from plumbing.bus import BusUnavailable
from plumbing.live_pass import make_pass
from plumbing.logs import get_logger

_log = get_logger(__name__)

Message = str | bytes

OPEN_S = 3.0
RETRY_S = 0.5
LARGEST_MESSAGE = 64_000_000
FRAMES_AHEAD = 8
"""Messages taken from the worker before the browser took them: it must notice who is slow."""
CLOSE_UNPLAYABLE = 4415
"""What the camera sends can't be shown: neither as video nor as pictures."""


async def live_messages(
    services: Services, camera_id: CameraId, wishes: Mapping[str, str]
) -> AsyncGenerator[Message, None]:
    """A camera's live messages, from whichever worker has it; ends where they can't be shown.

    ``wishes`` are those of `camera_ingest.keeping.live.watch`: ``back`` (seconds), ``codecs``,
    ``pictures``.
    """
    asked = dict(wishes)
    while True:
        address = await _address_of(services, camera_id)
        if not address:
            yield json.dumps({"type": "unwatched"})
            await asyncio.sleep(RETRY_S)
            continue
        url = f"ws://{address}/live/{quote(camera_id, safe='')}?{urlencode(asked)}"
        shown = make_pass(services.sealer, camera_id, services.clock.now())
        try:
            async with connect(
                url,
                additional_headers={"Authorization": f"Bearer {shown}"},
                compression=None,
                max_size=LARGEST_MESSAGE,
                max_queue=FRAMES_AHEAD,
                open_timeout=OPEN_S,
                close_timeout=1,
                proxy=None,
            ) as worker:
                async for message in worker:
                    yield message
                code, reason = worker.close_code, worker.close_reason
        except ConnectionClosed as closed:
            code, reason = (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (1006, "")
        except (OSError, TimeoutError, InvalidHandshake, InvalidMessage) as error:
            # Its lease outlives a dead worker by some seconds.
            _log.info("a worker can't be reached", camera=camera_id, why=str(error))
            code, reason = 1006, ""
        if code == CLOSE_UNPLAYABLE:
            yield json.dumps({"type": "unplayable", "why": reason or ""})
            return
        # What was missed is not shown again: live means now.
        asked.pop("back", None)
        yield json.dumps({"type": "unwatched"})
        await asyncio.sleep(RETRY_S)


async def live_picture(services: Services, camera_id: CameraId, timeout_s: float) -> bytes | None:
    """The camera's newest picture as JPEG; none where none came in time."""
    messages = live_messages(services, camera_id, {"pictures": "1"})
    with contextlib.suppress(TimeoutError):
        async with contextlib.aclosing(messages), asyncio.timeout(timeout_s):
            async for message in messages:
                if isinstance(message, bytes):
                    return message
    return None


async def _address_of(services: Services, camera_id: CameraId) -> str:
    try:
        (lease,) = await services.bus.look_at_leases([f"camera/{camera_id}"])
    except BusUnavailable:
        return ""
    return str(json.loads(lease.note or "{}").get("address", "")) if lease else ""


class LiveConnection:
    """One browser that watches one camera."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self._ended: asyncio.Future[tuple[int, str]] = asyncio.get_running_loop().create_future()

    def end(self, code: int, reason: str) -> None:
        """Close it; `serve` returns soon after."""
        if not self._ended.done():
            self._ended.set_result((code, reason))

    async def serve(self, messages: AsyncGenerator[Message, None]) -> None:
        """Accept the watcher and pass the messages on until it goes or is ended."""
        try:
            await self._websocket.accept()
        except OSError:  # who wanted to watch has gone already
            await messages.aclose()
            return
        sending = asyncio.create_task(self._send(messages))
        hearing = asyncio.create_task(self._hear_out())
        try:
            await asyncio.wait((sending, hearing, self._ended), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sending.cancel()
            hearing.cancel()
            results = await asyncio.gather(sending, hearing, return_exceptions=True)
            await messages.aclose()
        failed = [
            result
            for result in results
            if isinstance(result, Exception) and not isinstance(result, WebSocketDisconnect)
        ]
        for error in failed:
            _log.error("a watcher's connection failed", exc_info=error)
        if self._websocket.application_state is WebSocketState.CONNECTED:
            code, reason = (1011, "internal error; try again") if failed else (1000, "")
            if self._ended.done():
                code, reason = self._ended.result()
            with contextlib.suppress(WebSocketDisconnect, RuntimeError):
                await self._websocket.close(code, reason)

    async def _send(self, messages: AsyncGenerator[Message, None]) -> None:
        async for message in messages:
            if isinstance(message, str):
                await self._websocket.send_text(message)
            else:
                await self._websocket.send_bytes(message)

    async def _hear_out(self) -> None:
        """Read until the watcher goes; what it says has no meaning here."""
        while (await self._websocket.receive())["type"] != "websocket.disconnect":
            pass
