"""Which reports are of one event."""

from __future__ import annotations

import pytest
from shapely import Point

from contracts import (
    CameraId,
    DecisionKind,
    Disc,
    Hazard,
    Sector,
    Sighting,
)
from geo.fusion import Fusion, FusionParameters
from tests.geo.builders import BEKASI, Reporter
from tests.geo.fusion.stage import CAMERAS, NORTH, PROJECTION, assigned, feed, pixel_of


def test_a_camera_and_a_caller_nearby_are_one_incident(fusion: Fusion, say: Reporter) -> None:
    seen = say.detection("a", "t1", pixel_of("a", 5, 45), llr=6)
    (founded,) = fusion.add(seen)
    assert founded.kind is DecisionKind.FOUND
    (updated,) = feed(fusion, say.call("k1", (40, 70), at_s=60))
    assert updated.kind is DecisionKind.UPDATE
    assert updated.incident_id == founded.incident_id
    estimate = updated.estimate
    assert estimate.hazard is Hazard.FIRE
    assert estimate.probability > founded.estimate.probability
    assert estimate.camera_ids == ("a",) and estimate.call_ids == ("k1",)
    assert estimate.report_ids == ("a/t1/1", "k1/call", "k1/fix1")
    x, y = PROJECTION.point(estimate.location)
    assert Point(x, y).distance(Point(5, 45)) < 10, "the camera knows better than the caller"


@pytest.mark.parametrize("llr", [2.5, 4.0, 7.0])
@pytest.mark.parametrize("call_is_first", [True, False])
def test_a_call_and_a_weak_track_meet_whichever_comes_first(
    fusion: Fusion, say: Reporter, llr: float, call_is_first: bool
) -> None:
    call = say.call("c1", (0, 25), radius_m=30, confidence=0.68, at_s=0 if call_is_first else 40)
    seen = say.detection("a", "t1", pixel_of("a", 3, 18), llr=llr, at_s=40 if call_is_first else 0)
    decisions = feed(fusion, [*call, seen] if call_is_first else [seen, *call])
    assert len(set(assigned(decisions).values())) == 1
    assert decisions[-1].estimate.probability > 0.95


def test_events_far_apart_are_two(fusion: Fusion, say: Reporter) -> None:
    decisions = feed(fusion, [*say.call("k1", (0, 0)), *say.call("k2", (2500, 0), at_s=60)])
    assert [d.kind for d in decisions] == [DecisionKind.FOUND, DecisionKind.FOUND]


def test_events_far_apart_in_time_are_two(fusion: Fusion, say: Reporter) -> None:
    decisions = feed(
        fusion,
        [
            *say.call("k1", (0, 0), Hazard.CRASH),
            *say.call("k2", (10, 0), Hazard.CRASH, at_s=8 * 3600),
        ],
    )
    assert [d.kind for d in decisions] == [DecisionKind.FOUND, DecisionKind.FOUND]


def test_other_hazards_nearby_are_other_incidents(fusion: Fusion, say: Reporter) -> None:
    decisions = feed(
        fusion,
        [
            *say.call("k1", (0, 0), Hazard.CRIME, radius_m=20),
            *say.call("k2", (250, 0), Hazard.MEDICAL, radius_m=20, at_s=900),
        ],
    )
    assert len(assigned(decisions).values()) == 4
    assert len(set(assigned(decisions).values())) == 2


def test_smoke_speaks_for_fire(fusion: Fusion, say: Reporter) -> None:
    feed(fusion, say.call("k1", (0, 60)))
    smoke = say.detection("a", "s", (960, 500), Sighting.SMOKE, size_px=(200, 300), at_s=120)
    (decision,) = fusion.add(smoke)
    assert decision.kind is DecisionKind.UPDATE
    assert decision.estimate.hazard is Hazard.FIRE


def test_a_call_that_names_nothing_joins_what_is_near(fusion: Fusion, say: Reporter) -> None:
    decisions = feed(
        fusion, [*say.call("k1", (0, 0), Hazard.CRASH), *say.call("k2", (30, 10), None, at_s=120)]
    )
    assert decisions[-1].kind is DecisionKind.UPDATE
    assert decisions[-1].estimate.hazard is Hazard.CRASH


def test_a_call_that_names_nothing_alone_is_of_kind_other(fusion: Fusion, say: Reporter) -> None:
    (decision,) = feed(fusion, say.call("k", (0, 0), None))
    assert decision.estimate.hazard is Hazard.OTHER
    assert sum(p for _, p in decision.estimate.hazard_probabilities) == pytest.approx(1)


def test_a_call_waits_for_its_position(fusion: Fusion, say: Reporter) -> None:
    (call,) = say.call("k", None)
    assert fusion.add(call) == []
    (decision,) = fusion.add(
        say.fix("k", Sector(antenna=BEKASI, azimuth_deg=0, opening_deg=90, range_m=800))
    )
    assert decision.kind is DecisionKind.FOUND
    assert decision.estimate.report_ids == ("k/call", "k/fix1")


def test_a_position_may_come_before_its_call(fusion: Fusion, say: Reporter) -> None:
    call, fix = say.call("k", (0, 0), Hazard.MEDICAL)
    (founded,) = fusion.add(fix)
    (updated,) = fusion.add(call)
    assert updated.incident_id == founded.incident_id
    assert updated.estimate.hazard is Hazard.MEDICAL


def test_two_cameras_that_see_one_place_agree(fusion: Fusion, say: Reporter) -> None:
    (one,) = fusion.add(say.detection("a", "t", pixel_of("a", 3, 45), llr=5))
    (two,) = fusion.add(say.detection("b", "t", pixel_of("b", 3, 45), llr=5, at_s=10))
    assert two.incident_id == one.incident_id
    assert two.estimate.probability > 0.9 > one.estimate.probability
    inner, outer = (
        PROJECTION.plane(r.area) for r in (two.estimate.region50, two.estimate.region90)
    )
    assert inner.area < outer.area < PROJECTION.plane(one.estimate.region90.area).area
    assert outer.contains(Point(3, 45))


def test_a_camera_without_a_pose_still_counts(fusion: Fusion, say: Reporter) -> None:
    (decision,) = fusion.add(say.detection("bare", "t", (900, 700)))
    assert decision.kind is DecisionKind.FOUND
    (joined,) = feed(fusion, say.call("k", (20, 60)))
    assert joined.incident_id == decision.incident_id


def test_a_camera_that_is_not_there_decides_nothing(fusion: Fusion, say: Reporter) -> None:
    assert fusion.add(say.detection("gone", "t", (900, 700))) == []
    fusion.set_camera(CameraId("gone"), NORTH)
    (decision,) = fusion.add(say.detection("gone", "t", (900, 700), number=2))
    assert decision.estimate.report_ids == ("gone/t/1", "gone/t/2")


def test_reports_of_an_exercise_meet_no_others(fusion: Fusion, say: Reporter) -> None:
    feed(fusion, say.call("real", (0, 0)))
    (decision,) = feed(fusion, say.call("play", (5, 5), at_s=10, exercise=True))
    assert decision.kind is DecisionKind.FOUND and decision.estimate.exercise


def test_a_caller_who_drives_on_leaves_the_incident_where_it_is(say: Reporter) -> None:
    reports = say.call("k1", (0, 0), Hazard.CRASH, radius_m=20)
    reports += say.call("k2", (15, 5), Hazard.CRASH, radius_m=20, at_s=10)
    away = Disc(centre=PROJECTION.place(3000, 0), radius_m=20)
    reports.append(say.fix("k2", away, at_s=130, number=2))
    fusion = Fusion(FusionParameters(), PROJECTION, CAMERAS)
    feed(fusion, reports)
    (incident_id,) = fusion.incident_ids
    estimate = fusion.estimate(incident_id)
    assert estimate is not None
    assert PROJECTION.point(estimate.location) == pytest.approx((5, 0), abs=15)
