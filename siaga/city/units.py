"""The simulated city's engines, ambulances and patrols: ordinary clients of the API that drive to
where they were sent, tell how far they have come, and go home again.

Each moves in a straight line at a city's pace; what matters here is that somebody reports, not by
which street.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from contracts import LonLat
from geo.projection import LocalProjection
from plumbing.logs import get_logger

_log = get_logger(__name__)

STEP_S = 3.0
PACE_M_S = 12.0
"""About 43 km/h: an engine with its lights on in a city."""
THERE_M = 30.0
OFF_AFTER_S = 6.0
"""From being sent to being on the way."""
AT_WORK_S = 90.0
IDLE_STEPS = 40
"""A unit that stands still tells where it is after so many steps."""

_FLEET = (
    ("damkar", "engine", "Damkar D-1", (-600.0, 500.0)),
    ("damkar", "tanker", "Damkar T-2", (1_400.0, -900.0)),
    ("damkar", "rescue", "Damkar R-3", (900.0, 1_100.0)),
    ("dinkes", "ambulance", "Ambulans A-1", (500.0, -400.0)),
    ("dinkes", "ambulance", "Ambulans A-2", (-1_200.0, -700.0)),
    ("police", "patrol", "Patroli P-1", (200.0, 900.0)),
    ("police", "patrol", "Patroli P-2", (-900.0, -300.0)),
    ("bpbd", "boat", "BPBD B-1", (-300.0, -1_300.0)),
    ("satpol-pp", "patrol", "Satpol S-1", (700.0, 200.0)),
)
"""Agency, kind, name, and where each is stationed: metres east and north of the middle."""


@dataclass(slots=True)
class _Unit:
    id: str
    x: float
    y: float
    home: tuple[float, float]
    silent: int = IDLE_STEPS
    since_s: dict[str, float] = field(default_factory=dict)
    """How long each of its assignments' states has lasted."""


@dataclass(frozen=True, slots=True)
class _Errand:
    incident_id: str
    assignment_id: str
    state: str
    x: float
    y: float


class CityUnits:
    """Registers the fleet and drives it until cancelled."""

    def __init__(self, client: httpx.AsyncClient, centre: LonLat, hurry: float = 1.0) -> None:
        """``hurry``: so many times as fast as the clock, for whoever can't wait."""
        self._client = client
        self._hurry = hurry
        self._projection = LocalProjection(centre)
        self._units: list[_Unit] = []

    async def run(self) -> None:
        """Live; what the API refuses or can't answer now is asked again at the next step."""
        is_registered = False
        while True:
            work = self._step if is_registered else self._register
            is_registered = await self._asked(work) or is_registered
            await asyncio.sleep(STEP_S / self._hurry)

    async def _asked(self, ask: Callable[[], Awaitable[None]]) -> bool:
        try:
            await ask()
        except httpx.HTTPError as error:
            _log.debug("the units can't reach the API", why=str(error))
            return False
        return True

    async def _register(self) -> None:
        self._units = []
        for agency, kind, name, (x, y) in _FLEET:
            unit_id = name.lower().replace(" ", "-")
            fields = {"agency_id": agency, "name": name, "kind": kind, "exercise": True}
            answer = await self._client.post("/api/v1/units", json={"id": unit_id, **fields})
            # Known from before a restart, or of an agency that isn't configured here.
            if answer.status_code in (httpx.codes.CREATED, httpx.codes.CONFLICT):
                self._units.append(_Unit(unit_id, x, y, (x, y)))
            elif answer.status_code != httpx.codes.UNPROCESSABLE_ENTITY:
                answer.raise_for_status()

    async def _step(self) -> None:
        errands = await self._errands()
        for unit in self._units:
            errand = errands.get(unit.id)
            if errand is None:
                unit.since_s.clear()
                await self._drive(unit, *unit.home)
            else:
                await self._follow(unit, errand)

    async def _errands(self) -> dict[str, _Errand]:
        params = {"open": "true", "exercise": "true", "limit": "200"}
        answer = await self._client.get("/api/v1/incidents", params=params)
        answer.raise_for_status()
        found = {}
        for incident in answer.json()["incidents"]:
            place = incident["estimate"]["location"]
            x, y = self._projection.point(LonLat(place["lon"], place["lat"]))
            for one in incident["assignments"]:
                if one["unit_id"] is not None and one["ended_at"] is None:
                    found[one["unit_id"]] = _Errand(
                        incident["id"], one["id"], one["state"], float(x), float(y)
                    )
        return found

    async def _follow(self, unit: _Unit, errand: _Errand) -> None:
        lasted = unit.since_s.get(errand.state, 0.0)
        unit.since_s = {errand.state: lasted + STEP_S}
        away_m = math.hypot(errand.x - unit.x, errand.y - unit.y)
        if errand.state in ("dispatched", "accepted"):
            if lasted >= OFF_AFTER_S:
                await self._tell(errand, "en_route")
        elif errand.state == "en_route":
            await self._drive(unit, errand.x, errand.y)
            if away_m <= THERE_M:
                await self._tell(errand, "on_scene")
        elif errand.state == "on_scene" and lasted >= AT_WORK_S:
            await self._tell(errand, "closed")

    async def _tell(self, errand: _Errand, state: str) -> None:
        address = f"/api/v1/incidents/{errand.incident_id}/assignments/{errand.assignment_id}"
        answer = await self._client.post(address, json={"state": state})
        # The centre may have recalled it in this very moment.
        if answer.status_code not in (httpx.codes.NOT_FOUND, httpx.codes.UNPROCESSABLE_ENTITY):
            answer.raise_for_status()

    async def _drive(self, unit: _Unit, x: float, y: float) -> None:
        away_m = math.hypot(x - unit.x, y - unit.y)
        if away_m < 1.0:
            unit.silent += 1
            if unit.silent < IDLE_STEPS:
                return
        else:
            share = min(1.0, PACE_M_S * STEP_S / away_m)
            unit.x, unit.y = unit.x + share * (x - unit.x), unit.y + share * (y - unit.y)
        unit.silent = 0
        at = self._projection.place(unit.x, unit.y)
        status: dict[str, Any] = {"position": {"lon": at.lon, "lat": at.lat}}
        answer = await self._client.post(f"/api/v1/units/{unit.id}/status", json=status)
        if answer.status_code != httpx.codes.NOT_FOUND:
            answer.raise_for_status()
