"""The simulated city as a role: serves its cameras, registers them, and makes its calls.

It is an ordinary client of the API with a machine key, so a demonstration goes the way that real
cameras and calls go. Everything it says is marked as an exercise.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from contracts import Camera, LonLat, to_plain
from plumbing.logs import get_logger
from plumbing.settings import Settings
from simulator.callers import SimulatedCall
from simulator.city import City, SimulatedCity, VideoCity
from simulator.serve import CityServer

_log = get_logger(__name__)

KEY_VARIABLE = "SIAGA_CITY_KEY"
"""Environment variable with the machine key; never an argument, which others could read."""
API_VARIABLE = "SIAGA_CITY_API"
RETRY_S = 0.5
_REGISTERED = ("id", "name", "url", "position", "pose", "group", "exercise")


def make_city(cameras: int, seed: int, videos: Path | None, centre: LonLat) -> SimulatedCity:
    """The drawn city, or a folder's videos as cameras.

    Raises:
        UnplayableVideoError: the folder holds no video, or a file that is none.
    """
    if videos is not None:
        return VideoCity.from_folder(videos, centre)
    return City.demo(cameras, seed, centre)


async def play_city(
    city: SimulatedCity, rtsp_port: int, settings: Settings, stopping: asyncio.Event
) -> None:
    """Serve, register and call until ``stopping`` is set."""
    headers = {"Authorization": f"Bearer {os.environ[KEY_VARIABLE]}"}
    async with (
        CityServer(city, port=rtsp_port) as server,
        httpx.AsyncClient(
            base_url=os.environ[API_VARIABLE], headers=headers, timeout=10, trust_env=False
        ) as client,
    ):
        playing = asyncio.create_task(_play(server, client))
        ended = asyncio.create_task(stopping.wait())
        await asyncio.wait({playing, ended}, return_when=asyncio.FIRST_COMPLETED)
        if playing.done():
            # Its end before ours is a failure; the supervisor starts the city again.
            playing.result()
        playing.cancel()
        ended.cancel()
        await asyncio.gather(playing, ended, return_exceptions=True)


async def _play(server: CityServer, client: httpx.AsyncClient) -> None:
    for camera in server.cameras:
        await _register(client, camera)
    _log.info("the city is on the air", cameras=len(server.cameras))
    async for call in server.calls():
        await _call(client, call)
    # A folder of videos has no calls; its cameras stay.
    await asyncio.Event().wait()


async def _register(client: httpx.AsyncClient, camera: Camera) -> None:
    address = f"/api/v1/cameras/{camera.id}"
    plain = to_plain(camera)
    body = {name: plain[name] for name in _REGISTERED}
    answer = await _reached(lambda: client.post("/api/v1/cameras", json=body))
    if answer.status_code == httpx.codes.CONFLICT:
        # Known from before a restart, or from an earlier demonstration that was kept.
        known = await _reached(lambda: client.get(address))
        known.raise_for_status()
        body["version"] = known.json()["camera"]["version"]
        answer = await _reached(lambda: client.put(address, json=body))
    answer.raise_for_status()


async def _call(client: httpx.AsyncClient, call: SimulatedCall) -> None:
    fix = call.fix
    body = {
        "hazard": call.hazard.value if call.hazard else None,
        "note": call.note,
        "location": {
            "lon": fix.place.lon,
            "lat": fix.place.lat,
            "radius_m": fix.radius_m,
            "confidence": fix.confidence,
        },
        "method": fix.method.value,
        "positioned_at": (datetime.now(UTC) - timedelta(seconds=fix.age_s)).isoformat(),
        "exercise": True,
    }
    # One key for all tries: an answer that was lost must not make a second call.
    headers = {"Idempotency-Key": secrets.token_hex(16)}
    answer = await _reached(lambda: client.post("/api/v1/calls", json=body, headers=headers))
    answer.raise_for_status()


async def _reached(ask: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
    """Ask until the API answers: it is being restarted at worst."""
    while True:
        try:
            answer = await ask()
        except httpx.TransportError as error:
            _log.warning("the API is away", why=str(error))
        else:
            if not answer.is_server_error:
                return answer
            _log.warning("the API can't now", status=answer.status_code)
        await asyncio.sleep(RETRY_S)
