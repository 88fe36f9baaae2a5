from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from contracts import AlarmLevel, CameraId, Hazard, IncidentId, LonLat, Report
from contracts import Sequence as SequenceNumber
from geo.visibility import RankedCamera
from incidents.fusing.cueing import WATCH_FOR, Cueing, information
from tests.incidents.make import fix, incident
from tests.support.store import START


class Views:
    """So many cameras, each a better one than the next."""

    def __init__(self, count: int, name: str = "cam") -> None:
        self.found = [
            RankedCamera(CameraId(f"{name}-{n}"), 0.9 / (n + 1), 50.0, 0.0) for n in range(count)
        ]

    def ranked(
        self, place: LonLat, radius_m: float, exercise: bool, hazard: Hazard | None
    ) -> Sequence[RankedCamera]:
        return self.found


def called(number: int = 1) -> Report:
    return Report(seq=SequenceNumber(number), recorded_at=START, body=fix(number))


def test_a_call_makes_the_best_cameras_look() -> None:
    (cue,) = Cueing(Views(20), 100, 0.7).for_reports([called()], START)
    assert cue.camera_ids == tuple(f"cam-{n}" for n in range(12))
    assert cue.until == START + WATCH_FOR


def test_an_old_call_makes_nobody_look() -> None:
    assert Cueing(Views(3), 100, 0.7).for_reports([called()], START + timedelta(hours=1)) == []


def test_the_budget_holds_until_cameras_have_cooled() -> None:
    views = Views(4)
    cueing = Cueing(views, 5, 0.7)
    assert len(cueing.for_reports([called(1)], START)[0].camera_ids) == 4
    views.found = Views(4, "other").found
    (second,) = cueing.for_reports([called(2)], START)
    assert second.camera_ids == ("other-0",) and cueing.refused == 3
    later = START + WATCH_FOR
    (third,) = cueing.for_reports([called(3)], later)
    assert len(third.camera_ids) == 4


def test_what_is_hot_stays_hot_though_the_budget_is_spent() -> None:
    cueing = Cueing(Views(4), 4, 0.7)
    first = cueing.for_reports([called(1)], START)
    again = cueing.for_reports([called(2)], START + timedelta(seconds=30))
    assert first[0].camera_ids == again[0].camera_ids


def test_an_incident_cues_once_a_level() -> None:
    cueing = Cueing(Views(2), 10, 0.7)
    quiet = replace(incident(), id=IncidentId("inc-9"), level=AlarmLevel.CANDIDATE)
    assert len(cueing.for_incidents([quiet], START)) == 1
    assert cueing.for_incidents([quiet], START) == []
    loud = replace(quiet, level=AlarmLevel.ALARM)
    assert len(cueing.for_incidents([loud], START)) == 1
    assert cueing.for_incidents([quiet, loud], START) == []


@given(st.floats(0.01, 0.99), st.floats(0, 1), st.floats(1, 1000))
def test_who_sees_more_tells_more(probability: float, finds: float, radius_m: float) -> None:
    less, more = (information(probability, f, radius_m) for f in (finds / 2, finds))
    assert -1e-9 <= less <= more + 1e-9
    assert more <= information(probability, finds, 2 * radius_m) + 1e-9
