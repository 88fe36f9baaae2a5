"""A running API with a known archive: five real incidents in a row eastwards, and one exercise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from contracts import CallReport, IncidentId, LonLat, ReportId
from incidents.store import Store
from tests.api.made import LAT, LON, a_camera
from tests.incidents.make import call, found
from tests.incidents.writer import Writer
from tests.support.api import ApiThread, api_in_thread, api_settings

PLACES = [LonLat(LON + number / 100, LAT) for number in range(5)]


async def fill(store: Store) -> None:
    writer = Writer(store)
    for number, place in enumerate(PLACES, start=1):
        await writer.apply(
            a_call(number), found(f"incident-{number}", f"report-call-{number}", place=place)
        )
    await writer.apply(
        a_call(9, exercise=True), found("exercise-9", "report-call-9", exercise=True)
    )


def a_call(number: int, **changes: object) -> CallReport:
    return call(number, id=ReportId(f"report-call-{number}"), **changes)


@contextmanager
def filled_api(
    folder: Path, bus_url: str, namespace: str, **changes: object
) -> Iterator[ApiThread]:
    with api_in_thread(api_settings(folder, **changes), bus_url, namespace) as running:
        running.run(fill(running.api.store))
        with running.client() as client:
            for number in (1, 2, 3):
                camera = a_camera(id=f"camera-{number}", username="ani", password="hunter2 secret")
                client.post("/api/v1/cameras", json=camera).raise_for_status()
        yield running


def incident_id(number: int) -> IncidentId:
    return IncidentId(f"incident-{number}")
