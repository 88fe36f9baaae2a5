"""The city that `bench.console` shows, changed as fusion and people would change it."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace

from contracts import (
    AlarmLevel,
    CallerFix,
    CallId,
    CallReport,
    Camera,
    CameraHealth,
    CameraId,
    CameraPose,
    CameraState,
    Contribution,
    Decision,
    DecisionKind,
    Disc,
    Estimate,
    FixMethod,
    Hazard,
    IncidentAction,
    IncidentId,
    IncidentState,
    LonLat,
    Polygon,
    Region,
    ReportId,
    SourceKind,
)
from incidents.fusing.alarms import AlarmPolicy
from incidents.fusing.application import Outcome
from incidents.fusing.enrichment import Enrichment
from incidents.register.camera_rows import Credentials
from incidents.store import Store
from plumbing.clock import Clock
from plumbing.settings import FusionSettings

CENTRE = LonLat(106.992, -6.2383)
STEP_DEG = 5e-5
"""How far a refinement moves its incident: 5 m, so that it is told and can be seen."""


class City:
    """The database as fusion and people would change it."""

    def __init__(self, store: Store, clock: Clock, seed: int = 1) -> None:
        self._store = store
        self._clock = clock
        self._chance = random.Random(seed)  # noqa: S311 - a scenario, no secret
        self._enrichment = Enrichment(
            AlarmPolicy(FusionSettings()), lambda _: "Bekasi Timur", lambda *_: ()
        )
        self.made: list[IncidentId] = []
        self._cameras: list[CameraId] = []
        self._deciding = asyncio.Lock()
        self._numbers = 0

    async def furnish(self, cameras: int, incidents: int) -> None:
        """Cameras and open incidents, most of them candidates and of lower priority."""
        made = [_camera(number, self._place()) for number in range(cameras)]
        await self._store.cameras.save_all(
            [(camera, Credentials()) for camera in made], actor="bench"
        )
        self._cameras = [camera.id for camera in made]
        for number in range(incidents):
            probability = 0.97 if number % 5 == 0 else 0.3
            self.made.append(await self.found(self._chance.choice(list(Hazard)), probability))

    def by(self, store: Store, clock: Clock) -> City:
        """The same city in the same database, by another clock."""
        other = City(store, clock)
        other.made, other._cameras, other._numbers = self.made, self._cameras, self._numbers
        return other

    def next_id(self) -> IncidentId:
        """What the next incident may be called."""
        self._numbers += 1
        return IncidentId(f"inc-{self._numbers:06d}")

    async def acknowledge_all(self) -> None:
        """Somebody has seen every alarm."""
        for incident_id in self.made:
            now = await self._store.incidents.get(incident_id)
            if now.state is IncidentState.DETECTED and now.level is AlarmLevel.ALARM:
                await self.act(incident_id, IncidentAction.ACKNOWLEDGE)

    async def found(
        self, hazard: Hazard, probability: float, incident_id: IncidentId | None = None
    ) -> IncidentId:
        """A new incident."""
        incident_id = incident_id or self.next_id()
        await self._decide(incident_id, DecisionKind.FOUND, hazard, probability)
        return incident_id

    async def refine(self) -> IncidentId:
        """What fusion does to a live incident about once a second: it moves with its regions."""
        incident_id = self._chance.choice(self.made)
        now = (await self._store.incidents.get(incident_id)).estimate
        place = LonLat(now.location.lon + self._chance.choice((-1, 1)) * STEP_DEG, now.location.lat)
        estimate = replace(now, location=place, region50=_region(place, 1e-4, 0.5))
        await self._apply(
            Decision(
                kind=DecisionKind.UPDATE,
                incident_id=incident_id,
                estimate=replace(estimate, region90=_region(place, 3e-4, 0.9)),
            )
        )
        return incident_id

    async def call(self) -> None:
        """A caller with a position, whom nobody has fused yet."""
        self._numbers += 1
        now = self._clock.now()
        call_id = CallId(f"call-{self._numbers}")
        fix = CallerFix(
            id=ReportId(f"fix-{self._numbers}"),
            call_id=call_id,
            shape=Disc(centre=self._place(), radius_m=40),
            confidence=0.95,
            method=FixMethod.GNSS,
            source="aml",
            positioned_at=now,
            received_at=now,
        )
        await self._store.reports.accept([self._report(call_id, Hazard.FIRE), fix])

    async def health(self) -> None:
        """A camera falls sick or gets well."""
        camera_id = self._chance.choice(self._cameras)
        state = self._chance.choice((CameraState.LIVE, CameraState.STALLED))
        now = self._clock.now()
        await self._store.cameras.record_health(
            CameraHealth(camera_id=camera_id, state=state, since=now)
        )

    async def note(self) -> IncidentId:
        """A change that a person makes."""
        incident_id = self._chance.choice(self.made)
        await self.act(incident_id, IncidentAction.NOTE, note=f"catatan {self._numbers}")
        return incident_id

    async def act(
        self, incident_id: IncidentId, action: IncidentAction, reason: str = "", note: str = ""
    ) -> None:
        """Somebody's step."""
        now = await self._store.incidents.get(incident_id)
        await self._store.incidents.act(
            incident_id, action, actor="bench", version=now.version, reason=reason, note=note
        )

    async def last_seq(self) -> int:
        """Where the log ends."""
        return await self._store.log.last_seq()

    def _place(self) -> LonLat:
        spread = self._chance.uniform
        return LonLat(CENTRE.lon + spread(-0.06, 0.06), CENTRE.lat + spread(-0.06, 0.06))

    async def _decide(
        self, incident_id: IncidentId, kind: DecisionKind, hazard: Hazard, probability: float
    ) -> None:
        place = self._place()
        at = self._clock.now()
        call_id = CallId(f"call-{incident_id}")
        estimate = Estimate(
            hazard=hazard,
            hazard_probabilities=((hazard, 1.0),),
            probability=probability,
            location=place,
            region50=_region(place, 1e-4, 0.5),
            region90=_region(place, 3e-4, 0.9),
            contributions=(
                Contribution(source=SourceKind.CALLER, source_id=call_id, log_odds=4.0),
            ),
            report_ids=(ReportId(f"report-{incident_id}"),),
            camera_ids=(),
            call_ids=(call_id,),
            started_at=at,
            last_report_at=at,
        )
        await self._apply(Decision(kind=kind, incident_id=incident_id, estimate=estimate))

    async def _apply(self, decision: Decision) -> None:
        self._numbers += 1
        report = self._report(CallId(f"call-{self._numbers}"), decision.estimate.hazard)
        # Fusion is one: what it decides, it decides on everything that was told before.
        async with self._deciding:
            (accepted,) = await self._store.reports.accept([report])
            await self._store.fusion.claim(1)
            await self._store.fusion.apply(
                [Outcome(accepted.report, (decision,))],
                fencing=1,
                known_seq=await self._store.log.last_seq(),
                enrichment=self._enrichment,
            )

    def _report(self, call_id: CallId, hazard: Hazard) -> CallReport:
        return CallReport(
            id=ReportId(f"report-{call_id}"),
            call_id=call_id,
            hazard=hazard,
            note="",
            received_at=self._clock.now(),
        )


def _camera(number: int, place: LonLat) -> Camera:
    pose = CameraPose(
        position=place,
        height_m=8,
        bearing_deg=(number * 37) % 360,
        tilt_deg=-15,
        hfov_deg=60,
        width_px=1280,
        height_px=720,
    )
    return Camera(
        id=CameraId(f"camera-{number}"),
        name=f"ATCS {number}",
        url=f"rtsp://camera.example/{number}",
        position=place,
        pose=pose,
    )


def _region(place: LonLat, half_deg: float, confidence: float) -> Region:
    west, east = place.lon - half_deg, place.lon + half_deg
    south, north = place.lat - half_deg, place.lat + half_deg
    ring = ((west, south), (east, south), (east, north), (west, north), (west, south))
    return Region(area=Polygon((ring,)), confidence=confidence)
