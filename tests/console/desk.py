"""A desk with something to do: incidents as fusion would have made them, without fusion."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from contracts import (
    AgencyId,
    CallId,
    CallReport,
    CameraId,
    Contribution,
    Hazard,
    Incident,
    IncidentId,
    LonLat,
    ReportId,
    SourceKind,
    Unit,
    UnitId,
)
from incidents.fusing.application import Outcome
from incidents.store import Store
from tests.incidents.make import CENTRE, call, camera, found
from tests.incidents.writer import Writer
from tests.support.api import ApiThread

FIRE, TWIN, CRASH, FLOOD = (
    IncidentId(f"inc-{name}") for name in ("fire", "twin", "crash", "flood")
)


def east(metres: float) -> LonLat:
    return LonLat(CENTRE.lon + metres / 110_600, CENTRE.lat)


async def busy(store: Store) -> None:
    """A fire by a camera and two callers, its twin 30 m off, a crash and a flood elsewhere."""
    writer = Writer(store)
    at = datetime.now(UTC) - timedelta(minutes=2)
    await store.cameras.save(camera(1, name="ATCS Melati Barat"), actor="budi", version=None)
    await store.cameras.save(camera(2, name="ATCS Melati Timur"), actor="budi", version=None)

    async def incident(
        incident_id: IncidentId,
        number: int,
        place: LonLat,
        hazard: Hazard,
        cameras: tuple[str, ...] = (),
        calls: tuple[int, ...] = (),
    ) -> None:
        reports = [_report(one, hazard, at) for one in calls or (number,)]
        ids = tuple(CallId(f"call-{one}") for one in calls)
        made = found(
            incident_id,
            *(report.id for report in reports),
            place=place,
            hazard=hazard,
            hazard_probabilities=((hazard, 1.0),),
            camera_ids=tuple(CameraId(one) for one in cameras),
            call_ids=ids,
            started_at=at,
            last_report_at=at,
            contributions=(
                Contribution(source=SourceKind.PRIOR, source_id="", log_odds=-6.2),
                *(
                    Contribution(source=SourceKind.CALLER, source_id=one, log_odds=4.1)
                    for one in ids
                ),
                *(
                    Contribution(
                        source=SourceKind.CAMERA, source_id=one, log_odds=5.2, sighting="fire"
                    )
                    for one in cameras
                ),
            ),
        )
        accepted = [await writer.accept(one) for one in reports]
        outcomes = [Outcome(accepted[0], (made,)), *(Outcome(one, ()) for one in accepted[1:])]
        await writer.apply_all(outcomes)

    await incident(FIRE, 1, CENTRE, Hazard.FIRE, ("camera-1",), (1, 2))
    await incident(TWIN, 3, east(30), Hazard.FIRE, (), (3,))
    await incident(CRASH, 4, east(1_500), Hazard.CRASH)
    await incident(FLOOD, 5, east(-1_800), Hazard.FLOOD)


def _report(number: int, hazard: Hazard, at: datetime) -> CallReport:
    return call(number, id=ReportId(f"report-call-{number}"), hazard=hazard, received_at=at)


async def station(store: Store) -> None:
    """Two engines: one near the middle, one far off."""
    for number, metres in ((1, 400), (2, 2_500)):
        unit = Unit(
            id=UnitId(f"engine-{number}"),
            agency_id=AgencyId("damkar"),
            name=f"Damkar {number}",
            kind="engine",
        )
        await store.units.save(unit, actor="budi", version=None)
        await store.units.report(unit.id, actor="budi", position=east(metres))


def state_of(api: ApiThread, incident_id: IncidentId) -> Incident:
    return api.run(api.api.store.incidents.get(incident_id))
