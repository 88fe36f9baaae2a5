"""Whose silence counts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contracts import CameraState, LonLat, Report, Sequence, SourceKind
from incidents.fusing.mind import Mind
from plumbing.settings import CitySettings, FusionSettings
from tests.incidents.make import CENTRE, call, camera, fix, health
from tests.support.store import START


def silence_of(state: CameraState) -> float:
    """What a camera in a state says by seeing nothing of what somebody calls about, in nats."""
    city = CitySettings.model_validate({"lon": CENTRE.lon, "lat": CENTRE.lat})
    mind = Mind(city, FusionSettings())
    mind.rebuild(None, [camera(1)], [health(1, state)])
    place = LonLat(CENTRE.lon, CENTRE.lat + 5 / 111_320)
    bodies = [call(1), fix(1, place=place)]
    mind.decide(
        [
            Report(seq=Sequence(number), recorded_at=START, body=body)
            for number, body in enumerate(bodies, start=1)
        ],
        budget_s=10.0,
    )
    (estimate,) = mind.look_again(START + timedelta(minutes=4)).values()
    return sum(
        one.log_odds
        for one in estimate.contributions
        if one.source is SourceKind.CAMERA_SEES_NOTHING
    )


def test_who_shows_pictures_sees_whatever_its_clock_says() -> None:
    live = silence_of(CameraState.LIVE)
    assert live < -0.05
    assert silence_of(CameraState.WRONG_CLOCK) == pytest.approx(live)
    assert live < silence_of(CameraState.LOW_RATE) < 0


@pytest.mark.parametrize("state", [CameraState.STALLED, CameraState.MOVED, CameraState.BLACK])
def test_who_shows_nothing_of_its_view_says_nothing(state: CameraState) -> None:
    assert silence_of(state) == 0
