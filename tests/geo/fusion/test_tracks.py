"""What one camera says, track by track."""

from __future__ import annotations

import math

import pytest

from contracts import (
    DecisionKind,
    Hazard,
    Sighting,
    SourceKind,
)
from geo.fusion import Fusion, FusionParameters
from tests.geo.builders import Reporter
from tests.geo.fusion.stage import CAMERAS, PROJECTION, feed, pixel_of


def test_frames_of_one_track_are_one_piece_of_evidence(fusion: Fusion, say: Reporter) -> None:
    foot = pixel_of("a", 0, 50)
    decisions = feed(
        fusion,
        [say.detection("a", "t", foot, llr=5, at_s=i, since_s=0, number=i) for i in range(30)],
    )
    assert {d.incident_id for d in decisions} == {decisions[0].incident_id}
    first, last = decisions[0].estimate, decisions[-1].estimate
    said = [sum(c.log_odds for c in e.contributions if c.source_id == "a") for e in (first, last)]
    assert said[1] == pytest.approx(said[0])
    assert len(last.report_ids) == 30
    assert [c.source for c in last.contributions][:2] == [SourceKind.PRIOR, SourceKind.CAMERA]


def test_a_lost_and_found_track_counts_once(fusion: Fusion, say: Reporter) -> None:
    foot = pixel_of("a", 0, 50)
    (one,) = fusion.add(say.detection("a", "t1", foot, llr=5, at_s=0))
    (two,) = fusion.add(say.detection("a", "t2", foot, llr=5, at_s=30))
    assert two.incident_id == one.incident_id
    assert two.estimate.probability <= one.estimate.probability


@pytest.mark.parametrize(
    ("first", "again", "incidents"),
    [(0.0, -4.0, 2), (1.5, 1.5, 1), (7.0, -4.0, 1)],
    ids=["a lamp of which nobody is told", "a lamp told of twice", "a fire that flickers"],
)
def test_what_a_camera_finds_again_is_one_thing_where_somebody_is_told_of_it(
    fusion: Fusion, say: Reporter, first: float, again: float, incidents: int
) -> None:
    """Two dots of one lamp are one too many; nobody sees those of less than a thousandth."""
    foot = pixel_of("a", 0, 50)
    feed(fusion, [say.detection("a", "t1", foot, llr=first)])
    feed(fusion, [say.detection("a", "t2", foot, llr=again, at_s=300)])
    assert len(fusion.incident_ids) == incidents


def test_what_was_hardly_a_fire_does_not_say_since_when_it_burns(
    fusion: Fusion, say: Reporter
) -> None:
    """Steam at the spot of a later fire: who has called meanwhile about something else has not."""
    feed(fusion, [say.detection("a", "steam", pixel_of("a", 3, 45), llr=0.4)])
    feed(fusion, say.call("ill", (83, 45), Hazard.MEDICAL, radius_m=16, at_s=10))
    for camera in ("a", "b"):
        flames = say.detection(camera, "flames", pixel_of(camera, 3, 45), llr=10, at_s=360)
        (decision,) = feed(fusion, [flames])
    assert decision.estimate.call_ids == ()
    assert decision.estimate.hazard is Hazard.FIRE
    assert decision.estimate.started_at == flames.body.started_at
    assert len(decision.estimate.report_ids) == 3


def test_two_concurrent_tracks_of_one_camera_far_apart_are_two_events(
    fusion: Fusion, say: Reporter
) -> None:
    left, right = pixel_of("a", -15, 40), pixel_of("a", 15, 40)
    (one,) = fusion.add(say.detection("a", "t1", left, Sighting.CRASH, at_s=10, since_s=0))
    two, again = fusion.add(say.detection("a", "t2", right, Sighting.CRASH, at_s=11, since_s=5))
    assert two.kind is DecisionKind.FOUND and two.incident_id != one.incident_id
    # A camera that tells of two is believed a little less of each.
    assert again.incident_id == one.incident_id
    odds = [p / (1 - p) for p in (one.estimate.probability, again.estimate.probability)]
    assert 0.0 < math.log(odds[0] / odds[1]) < 1.5
    # Not even a caller between them makes them one.
    feed(fusion, say.call("k", (0, 40), Hazard.CRASH, at_s=60))
    assert len(fusion.incident_ids) == 2


@pytest.mark.parametrize("later_first", [False, True])
def test_a_false_track_that_came_first_keeps_no_true_one_from_its_caller(
    fusion: Fusion, say: Reporter, later_first: bool
) -> None:
    crash = say.detection("a", "k", pixel_of("a", -6, 25), Sighting.CRASH, llr=3.2, at_s=7)
    fire = say.detection("a", "f", pixel_of("a", 4, 30), Sighting.FIRE, llr=2.0, at_s=12, since_s=6)
    tracks = [fire, crash] if later_first else [crash, fire]
    decisions = feed(fusion, [*say.call("c1", (0, 25), radius_m=45), *tracks])
    of_caller = fusion.estimate(decisions[0].incident_id)
    assert of_caller is not None
    assert of_caller.hazard is Hazard.FIRE
    assert set(of_caller.report_ids) == {"c1/call", "c1/fix1", fire.id}
    (other,) = set(fusion.incident_ids) - {decisions[0].incident_id}
    alone = fusion.estimate(other)
    assert alone is not None and alone.report_ids == (crash.id,)
    # Told in an order that leaves each report where it is now.
    told = {ident: d.incident_id for d in decisions for ident in d.estimate.report_ids}
    assert told[fire.id] == decisions[0].incident_id and told[crash.id] == other


@pytest.mark.parametrize(("llr", "lowest", "highest"), [(-0.4, 0.0, 0.02), (6.0, 0.9, 1.0)])
def test_cameras_that_agree_in_place_alone_make_no_event(
    fusion: Fusion, say: Reporter, llr: float, lowest: float, highest: float
) -> None:
    told = [
        *fusion.add(say.detection("a", "k", pixel_of("a", 0, 50), Sighting.CRASH, llr=llr)),
        *fusion.add(say.detection("b", "k", pixel_of("b", 0, 50), Sighting.CRASH, llr=llr, at_s=1)),
    ]
    estimate = told[-1].estimate
    assert lowest <= estimate.probability <= highest
    total = sum(c.log_odds for c in estimate.contributions)
    assert estimate.probability == pytest.approx(1 / (1 + math.exp(-total)), abs=1e-4)


def test_a_track_that_jumps_keeps_what_it_had_said_of_where_it_was(
    fusion: Fusion, say: Reporter
) -> None:
    flames, lamp = pixel_of("a", -9, 25), pixel_of("a", 22, 80)
    (fire,) = fusion.add(say.detection("a", "t", flames, llr=9))
    (later,) = fusion.add(say.detection("a", "t", lamp, llr=9, at_s=1, since_s=0, number=2))
    assert later.incident_id == fire.incident_id
    assert later.estimate.location == fire.estimate.location
    assert later.estimate.probability == pytest.approx(fire.estimate.probability, abs=0.01)
    (back,) = fusion.add(say.detection("a", "t", flames, llr=9.5, at_s=2, since_s=0, number=3))
    assert back.estimate.location == fire.estimate.location
    assert back.estimate.probability > fire.estimate.probability


def test_a_track_that_jumped_and_says_more_says_only_that(fusion: Fusion, say: Reporter) -> None:
    lamp, flames = pixel_of("a", 22, 80), pixel_of("a", -9, 25)
    (glow,) = fusion.add(say.detection("a", "t", lamp, llr=2))
    feed(fusion, [say.detection("a", "t", flames, llr=7, at_s=60, since_s=0, number=2)])
    fresh = Fusion(FusionParameters(), PROJECTION, CAMERAS)
    feed(fresh, [say.detection("a", "t", flames, llr=5, at_s=60, since_s=0)])
    (jumped,) = (fusion.estimate(one) for one in fusion.incident_ids)
    (expected,) = (fresh.estimate(one) for one in fresh.incident_ids)
    assert jumped is not None and expected is not None
    assert jumped.location == expected.location != glow.estimate.location
    assert jumped.probability == pytest.approx(expected.probability)
