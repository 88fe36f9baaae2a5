"""Cameras that look and see nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from contracts import CameraId, Hazard, SourceKind
from geo import LocalProjection
from geo.fusion import Fusion, FusionParameters
from geo.mixture import Floats
from tests.geo.builders import BEKASI, START, Reporter

EAST = CameraId("looks-east")


class LooksEast:
    """A camera that shows everything east of the meridian."""

    def finding(self, xy: Floats) -> Sequence[tuple[CameraId, Floats]]:
        return [(EAST, np.where(xy[:, 0] > 0, 0.9, 0.0))]


@pytest.fixture
def fusion() -> Fusion:
    made = Fusion(FusionParameters(), LocalProjection(BEKASI), {})
    made.set_watch(LooksEast())
    return made


def at(minutes: float) -> float:
    return START.timestamp() + 60 * minutes


def test_who_sees_nothing_moves_the_place_and_doubts_the_incident(fusion: Fusion) -> None:
    say = Reporter(LocalProjection(BEKASI))
    fusion.set_live([EAST])
    told = [fusion.add(report) for report in say.call("k", (5.0, 0.0), radius_m=40)]
    before = told[-1][-1].estimate
    (after,) = fusion.refresh(at(3)).values()
    assert after.probability < before.probability
    assert after.location.lon < before.location.lon
    (nothing,) = (c for c in after.contributions if c.source is SourceKind.CAMERA_SEES_NOTHING)
    assert nothing.source_id == EAST and nothing.log_odds < -0.1


def test_it_counts_once_a_correlation_time_and_not_for_ever(fusion: Fusion) -> None:
    say = Reporter(LocalProjection(BEKASI))
    fusion.set_live([EAST])
    for report in say.call("k", (5.0, 0.0), Hazard.FIRE, radius_m=40):
        fusion.add(report)
    said = [
        [estimate.probability for estimate in fusion.refresh(at(minutes)).values()]
        for minutes in (1, 2, 4, 8, 16, 20)
    ]
    assert said[0] == []
    assert said[1] == said[2] and said[1][0] > said[3][0] > said[4][0] == said[5][0]


@pytest.mark.parametrize("hazard", [Hazard.MEDICAL, Hazard.FIRE])
def test_nobody_is_believed_who_is_not_live_or_could_not_see(
    fusion: Fusion, hazard: Hazard
) -> None:
    say = Reporter(LocalProjection(BEKASI))
    fusion.set_live([] if hazard is Hazard.FIRE else [EAST])
    for report in say.call("k", (5.0, 0.0), hazard, radius_m=40):
        fusion.add(report)
    assert fusion.refresh(at(10)) == {}


def test_a_wide_place_is_left_as_it_is(fusion: Fusion) -> None:
    say = Reporter(LocalProjection(BEKASI))
    fusion.set_live([EAST])
    for report in say.call("k", (5.0, 0.0), Hazard.FIRE, radius_m=2_000):
        fusion.add(report)
    assert fusion.refresh(at(10)) == {}
