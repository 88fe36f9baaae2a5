"""Cameras that look and see nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from contracts import CameraId, Estimate, Hazard, IncidentId, SourceKind
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


def nothing_seen(told: Mapping[IncidentId, Estimate]) -> float:
    """What cameras that see nothing say of the one incident, in nats."""
    return sum(
        contribution.log_odds
        for estimate in told.values()
        for contribution in estimate.contributions
        if contribution.source is SourceKind.CAMERA_SEES_NOTHING
    )


def test_who_sees_nothing_moves_the_place_and_doubts_the_incident(fusion: Fusion) -> None:
    say = Reporter(LocalProjection(BEKASI))
    fusion.set_live({EAST: 1.0})
    told = [fusion.add(report) for report in say.call("k", (5.0, 0.0), radius_m=40)]
    before = told[-1][-1].estimate
    (after,) = fusion.refresh(at(3)).values()
    assert after.probability < before.probability
    assert after.location.lon < before.location.lon
    (nothing,) = (c for c in after.contributions if c.source is SourceKind.CAMERA_SEES_NOTHING)
    assert nothing.source_id == EAST and nothing.log_odds < -0.1


def test_who_calls_alone_where_two_cameras_see_nothing_is_soon_doubted() -> None:
    class Junction:
        """Two cameras that show all within 150 m."""

        def finding(self, xy: Floats) -> Sequence[tuple[CameraId, Floats]]:
            near = np.where(np.hypot(*xy.T) < 150, 0.95, 0.0)
            return [(CameraId("north"), near), (CameraId("south"), near)]

    say = Reporter(LocalProjection(BEKASI))
    fusion = Fusion(FusionParameters(), LocalProjection(BEKASI), {})
    fusion.set_watch(Junction())
    fusion.set_live({CameraId("north"): 1.0, CameraId("south"): 1.0})
    told = [fusion.add(report) for report in say.call("k", (0.0, 0.0), radius_m=15)]
    said = [told[-1][-1].estimate.probability]
    for minutes in (100 / 60, 7, 12):
        (after,) = fusion.refresh(at(minutes)).values()
        said.append(after.probability)
    # A fire may be farther from its caller than the cameras show.
    assert said[0] > 0.85 and said[1] < said[0] - 0.1 and said[3] < 0.6
    assert said == sorted(said, reverse=True)


def test_it_counts_once_a_correlation_time_and_not_for_ever(fusion: Fusion) -> None:
    say = Reporter(LocalProjection(BEKASI))
    fusion.set_live({EAST: 1.0})
    for report in say.call("k", (5.0, 0.0), Hazard.FIRE, radius_m=40):
        fusion.add(report)
    said = [nothing_seen(fusion.refresh(at(minutes))) for minutes in (1, 2, 4, 8, 16, 20)]
    assert said[0] == 0
    assert said[1] == said[2] and said[1] > said[3] > said[4] == said[5]


def test_who_called_alone_is_believed_less_as_time_goes_by() -> None:
    say = Reporter(LocalProjection(BEKASI))
    fusion = Fusion(FusionParameters(), LocalProjection(BEKASI), {})
    told = [fusion.add(report) for report in say.call("k", (5.0, 0.0), Hazard.FIRE)]
    said = [told[-1][-1].estimate]
    for minutes in (2, 5, 10, 30):
        said += fusion.refresh(at(minutes)).values()
    assert len(said) == 5
    assert [one.probability for one in said] == sorted(
        (one.probability for one in said), reverse=True
    )
    (calls,) = (c for c in said[-1].contributions if c.source is SourceKind.CALL_COUNT)
    assert calls.log_odds < -1
    assert fusion.refresh(at(31)) == {}, "nothing has changed that is worth telling"


def test_who_looks_half_of_the_time_says_less() -> None:
    said = []
    for share in (1.0, 0.5):
        fusion = Fusion(FusionParameters(), LocalProjection(BEKASI), {})
        fusion.set_watch(LooksEast())
        fusion.set_live({EAST: share})
        for report in Reporter(LocalProjection(BEKASI)).call("k", (5.0, 0.0), radius_m=40):
            fusion.add(report)
        said.append(nothing_seen(fusion.refresh(at(3))))
    assert said[0] < said[1] < 0


@pytest.mark.parametrize("hazard", [Hazard.MEDICAL, Hazard.FIRE])
def test_nobody_is_believed_who_is_not_live_or_could_not_see(
    fusion: Fusion, hazard: Hazard
) -> None:
    say = Reporter(LocalProjection(BEKASI))
    fusion.set_live({} if hazard is Hazard.FIRE else {EAST: 1.0})
    for report in say.call("k", (5.0, 0.0), hazard, radius_m=40):
        fusion.add(report)
    assert nothing_seen(fusion.refresh(at(10))) == 0


def test_a_wide_place_is_left_as_it_is(fusion: Fusion) -> None:
    say = Reporter(LocalProjection(BEKASI))
    fusion.set_live({EAST: 1.0})
    for report in say.call("k", (5.0, 0.0), Hazard.FIRE, radius_m=2_000):
        fusion.add(report)
    assert nothing_seen(fusion.refresh(at(10))) == 0
