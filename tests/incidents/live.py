"""Reports that are made now, for services that run by the machine's own clock."""

from __future__ import annotations

from contracts import Detection, LonLat
from tests.incidents import make
from tests.incidents.make import CENTRE
from tests.incidents.running import now


def detection(number: int = 1, **changes: object) -> Detection:
    """A certain fire, seen now."""
    at = now()
    times = {"captured_at": at, "received_at": at, "started_at": at, "llr": 12.0}
    return make.detection(number, **(times | changes))  # type: ignore[arg-type]


def call_bodies(number: int, place: LonLat = CENTRE, **changes: object) -> list[object]:
    at = now()
    return [
        make.call(number, received_at=at, **changes),  # type: ignore[arg-type]
        make.fix(
            number,
            call_number=number,
            place=place,
            received_at=at,
            positioned_at=at,
            **{k: v for k, v in changes.items() if k == "exercise"},
        ),
    ]
