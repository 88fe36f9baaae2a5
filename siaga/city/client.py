"""What the simulated city says to the API: its cameras, its calls, and the end of an exercise."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from contracts import Camera, ExerciseRecord, Incident, to_plain
from plumbing.logs import get_logger
from simulator.callers import SimulatedCall, SimulatedFix
from simulator.handsets import Way, aml_form, aml_sms

_log = get_logger(__name__)

RETRY_S = 0.5
_REGISTERED = ("id", "name", "url", "position", "pose", "group", "exercise")
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_OVER = "Latihan selesai / the exercise is over"


class CityClient:
    """An ordinary client of the API with a machine key; it asks until the API answers."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def register(self, camera: Camera) -> None:
        """Add a camera, or bring the known one up to date."""
        address = f"/api/v1/cameras/{camera.id}"
        plain = to_plain(camera)
        body = {name: plain[name] for name in _REGISTERED}
        answer = await self._reached(lambda: self._client.post("/api/v1/cameras", json=body))
        if answer.status_code == httpx.codes.CONFLICT:
            # Known from before a restart, or from an earlier scenario.
            known = await self._reached(lambda: self._client.get(address))
            known.raise_for_status()
            body["version"] = known.json()["camera"]["version"]
            answer = await self._reached(lambda: self._client.put(address, json=body))
        answer.raise_for_status()

    async def remove(self, camera_id: str) -> None:
        """Take a camera out of the register; one that is gone is fine too."""
        address = f"/api/v1/cameras/{camera_id}"
        known = await self._reached(lambda: self._client.get(address))
        if known.status_code == httpx.codes.NOT_FOUND:
            return
        known.raise_for_status()
        version = {"version": known.json()["camera"]["version"]}
        answer = await self._reached(lambda: self._client.delete(address, params=version))
        if answer.status_code != httpx.codes.NOT_FOUND:
            answer.raise_for_status()

    async def call(self, call: SimulatedCall) -> str:
        """Make a call, with the position that the network knows; its id comes back."""
        body = {
            "hazard": call.hazard.value if call.hazard else None,
            "note": call.note,
            "caller_number": call.number,
            "exercise": True,
        }
        if call.fix.way is Way.NETWORK:
            body |= _position(call.fix)
        answer = await self._post("/api/v1/calls", body)
        answer.raise_for_status()
        return str(answer.json()["call"]["id"])

    async def locate(self, call_id: str, number: str, fix: SimulatedFix) -> None:
        """Send a caller's position, the way that it comes."""
        answer = await self._sent(call_id, number, fix)
        answer.raise_for_status()

    async def _sent(self, call_id: str, number: str, fix: SimulatedFix) -> httpx.Response:
        if fix.way is Way.NETWORK:
            return await self._post(f"/api/v1/calls/{call_id}/fixes", _position(fix))
        found_at = datetime.now(UTC) - timedelta(seconds=fix.age_s)
        stated = (fix.place.lon, fix.place.lat, fix.radius_m, fix.confidence, fix.method)
        if fix.way is Way.SMS:
            sms = {"text": aml_sms(*stated, found_at), "from": number}
            return await self._post("/api/v1/sms", sms)
        form = aml_form(*stated, number, found_at)
        return await self._reached(lambda: self._client.post("/aml", content=form, headers=_FORM))

    async def cancel(self, incident: Incident) -> None:
        """End an exercise's incident that nobody has dealt with."""
        body = {"action": "cancel", "version": incident.version, "reason": _OVER}
        answer = await self._post(f"/api/v1/incidents/{incident.id}/actions", body)
        # Somebody may have taken it up in this very moment; then it is theirs.
        if answer.status_code not in (httpx.codes.CONFLICT, httpx.codes.NOT_FOUND):
            answer.raise_for_status()

    async def record(self, record: ExerciseRecord) -> None:
        """Have an exercise that has ended recorded."""
        answer = await self._post("/api/v1/exercises/records", to_plain(record))
        answer.raise_for_status()

    async def _post(self, address: str, body: dict[str, Any]) -> httpx.Response:
        # One key for all tries: an answer that was lost must not make a second call.
        headers = {"Idempotency-Key": secrets.token_hex(16)}
        return await self._reached(lambda: self._client.post(address, json=body, headers=headers))

    async def _reached(self, ask: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
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


def _position(fix: SimulatedFix) -> dict[str, Any]:
    location: dict[str, Any] = {"confidence": fix.confidence}
    if fix.sector is not None:
        location["sector"] = {
            "lon": fix.sector.antenna.lon,
            "lat": fix.sector.antenna.lat,
            "azimuth_deg": fix.sector.azimuth_deg,
            "opening_deg": fix.sector.opening_deg,
            "range_m": fix.sector.range_m,
        }
    else:
        location |= {"lon": fix.place.lon, "lat": fix.place.lat, "radius_m": fix.radius_m}
    found_at = datetime.now(UTC) - timedelta(seconds=fix.age_s)
    return {
        "location": location,
        "method": fix.method.value,
        "positioned_at": found_at.isoformat(),
    }
