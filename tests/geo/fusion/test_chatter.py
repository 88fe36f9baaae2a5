"""Cameras that tell of nothing real again and again, and what their next track is worth."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import Hazard, Report, Sighting
from geo.fusion import Fusion, FusionParameters
from geo.fusion.chatter import Other, log_chatter
from geo.fusion.doubt import believed_place
from geo.fusion.evidence import CallEvidence, TrackEvidence
from geo.fusion.hearing import Hearing
from geo.fusion.scoring import Score
from tests.geo.builders import Reporter, few
from tests.geo.fusion.stage import CAMERAS, PROJECTION, assigned, feed, pixel_of

llrs = st.floats(-5, 12)
others = st.builds(
    Other, apart_s=st.floats(0, 20_000), llr=llrs, denser=st.floats(0.5, 40)
)  # fmt: skip


@given(llrs, st.lists(others, max_size=12), others)
def test_what_else_is_told_never_makes_a_track_worth_more(
    llr: float, about: list[Other], another: Other
) -> None:
    before = log_chatter(llr, about, 0.5, 0.001)
    after = log_chatter(llr, [*about, another], 0.5, 0.001)
    assert 0.0 <= before <= after
    assert log_chatter(llr, [], 0.5, 0.001) == 0.0


@given(llrs, st.floats(0, 5), st.lists(others, max_size=12))
def test_a_stronger_picture_is_never_worth_less(
    llr: float, more: float, about: list[Other]
) -> None:
    weaker = llr - log_chatter(llr, about, 0.5, 0.001)
    stronger = llr + more - log_chatter(llr + more, about, 0.5, 0.001)
    assert stronger >= weaker - 1e-9


@given(st.lists(others, min_size=1, max_size=12), st.floats(0.5, 500))
def test_a_camera_known_to_chatter_is_judged_the_less_by_its_last_minutes(
    about: list[Other], usual: float
) -> None:
    assert log_chatter(1.0, about, 2 * usual, 0.001) <= log_chatter(1.0, about, usual, 0.001)


def heard(reports: list[Report], parameters: FusionParameters) -> Hearing:
    hearing = Hearing(parameters, PROJECTION)
    for camera_id, pose in CAMERAS.items():
        hearing.set_camera(camera_id, pose)
    for report in reports:
        hearing.hear(report)
    return hearing


@few
@given(st.tuples(*[st.floats(-1, 9)] * 2), st.tuples(*[st.floats(0, 9)] * 4), st.booleans())
def test_chatter_never_raises_a_sets_probability(
    said: tuple[float, float], chatter: tuple[float, float, float, float], called: bool
) -> None:
    say = Reporter(PROJECTION)
    reports = [
        say.detection("a", "t", pixel_of("a", 0, 50), Sighting.CRASH, llr=said[0]),
        say.detection("b", "t", pixel_of("b", 2, 50), Sighting.CRASH, llr=said[1], at_s=5),
        *(say.call("k", (0, 60), Hazard.CRASH, at_s=60) if called else ()),
    ]
    parameters = FusionParameters()
    pieces = [each.piece for each in heard(reports, parameters) if each.piece is not None]

    def probability(*nats: float) -> float:
        amid = iter(nats)
        return Score.of(
            [p.amid(next(amid)) if isinstance(p, TrackEvidence) else p for p in pieces], parameters
        ).probability

    one, other, more, most = chatter
    assert probability(one + more, other + most) <= probability(one, other) + 1e-12


def junction(say: Reporter, count: int, llr: float = 1.5) -> list[Report]:
    """Two cameras take the traffic of one junction for a crash every twenty seconds."""
    return [
        say.detection(
            camera,
            f"t{number}",
            pixel_of(camera, 4.0 * (number % 3 - 1), 48 + 3.0 * (number % 2)),
            Sighting.CRASH,
            llr=llr - 0.3 * (number % 4),
            at_s=20.0 * number + offset_s,
        )
        for number in range(count)
        for camera, offset_s in (("a", 0.0), ("b", 7.0))
    ]


def test_the_tenth_crash_at_a_junction_weighs_what_a_tenth_weighs(
    fusion: Fusion, say: Reporter
) -> None:
    feed(fusion, junction(say, 10))
    found = [fusion.estimate(incident_id) for incident_id in fusion.incident_ids]
    assert found and all(each is not None and each.probability < 0.001 for each in found)


def test_who_is_shown_an_incident_is_told_that_it_was_chatter(
    fusion: Fusion, say: Reporter
) -> None:
    told = {d.incident_id: d.estimate.probability for d in feed(fusion, junction(say, 10))}
    for incident_id, probability in told.items():
        estimate = fusion.estimate(incident_id)
        if estimate is not None and max(probability, estimate.probability) > 0.001:
            odds = [math.log(p / (1 - p)) for p in (probability, estimate.probability)]
            assert odds[0] == pytest.approx(odds[1], abs=0.15)


def test_a_strong_fire_amid_faint_chatter_is_hardly_touched(fusion: Fusion, say: Reporter) -> None:
    (alone,) = fusion.add(say.detection("b", "fire", pixel_of("b", 0, 50), llr=9))
    faint = [
        say.detection(
            "a", f"t{n}", pixel_of("a", 12.0 * (n % 3 - 1), 20 + 25.0 * (n % 4)), llr=1, at_s=12 * n
        )
        for n in range(15)
    ]
    feed(fusion, faint)
    told = fusion.add(say.detection("a", "fire", pixel_of("a", -9, 38), llr=9, at_s=100))
    (fire,) = (d for d in told if "a/fire/1" in d.estimate.report_ids)
    lost = [math.log(p / (1 - p)) for p in (alone.estimate.probability, fire.estimate.probability)]
    assert fire.estimate.probability > 0.5
    assert lost[0] - lost[1] < 2.0


def test_a_fire_that_is_lost_and_found_is_no_chatter(say: Reporter) -> None:
    spot = pixel_of("a", 0, 50)
    reports = [say.detection("a", f"t{n}", spot, llr=2, at_s=20 * n) for n in range(8)]
    hearing = heard(reports, FusionParameters())
    assert all(each.piece is not None and each.piece.chatter == 0.0 for each in hearing)


def test_callers_are_heard_amid_chatter(say: Reporter) -> None:
    calls = [r for n in range(3) for r in say.call(f"k{n}", (10.0 * n, 300), at_s=200 + 30 * n)]
    alone, amid = (Fusion(FusionParameters(), PROJECTION, CAMERAS) for _ in range(2))
    expected = feed(alone, calls)[-1]
    feed(amid, junction(say, 8))
    found = feed(amid, calls)[-1]
    assert found.incident_id == expected.incident_id
    assert found.estimate.probability == pytest.approx(expected.estimate.probability)
    assert found.estimate.region90 == expected.estimate.region90


def test_a_new_writer_thinks_the_same_of_chatter(fusion: Fusion, say: Reporter) -> None:
    reports = [
        *junction(say, 6),
        *say.call("k1", (3, 55), Hazard.CRASH, at_s=130),
        *say.call("k2", (-8, 45), Hazard.CRASH, at_s=140),
    ]
    decisions = feed(fusion, reports)
    restored = Fusion(FusionParameters(), PROJECTION, CAMERAS)
    restored.restore(reports, assigned(decisions), frozenset())
    assert restored.incident_ids == fusion.incident_ids
    for incident_id in fusion.incident_ids:
        assert restored.estimate(incident_id) == fusion.estimate(incident_id)


def test_a_new_writer_tells_of_chatter_what_the_old_one_would_have(say: Reporter) -> None:
    reports = [
        say.detection("b", "fire", pixel_of("b", 0, 50), llr=9),
        say.detection("a", "fire", pixel_of("a", -9, 38), llr=6, at_s=10),
        *(
            say.detection("a", f"t{n}", pixel_of("a", 12.0 * (n % 3 - 1), 20 + 25.0 * (n % 4)),
                          llr=n % 7, at_s=20 + 12 * n)
            for n in range(10)
        ),
    ]  # fmt: skip
    undisturbed = Fusion(FusionParameters(), PROJECTION, CAMERAS)
    told = [undisturbed.add(report) for report in reports]
    assert any(len(decisions) > 1 for decisions in told)
    for cut in range(1, len(reports)):
        restarted = Fusion(FusionParameters(), PROJECTION, CAMERAS)
        before = [decision for decisions in told[:cut] for decision in decisions]
        restarted.restore(reports[:cut], assigned(before), touched=())
        assert [restarted.add(report) for report in reports[cut:]] == told[cut:]


def test_what_all_cameras_report_much_of_is_mostly_one_look_alike(say: Reporter) -> None:
    reports = [
        say.detection("a", "t", pixel_of("a", 0, 50), Sighting.CRASH, llr=3),
        say.detection("b", "t", pixel_of("b", 0, 50), Sighting.CRASH, llr=3, at_s=3),
    ]

    def probability(**clutter: float) -> float:
        by_sighting = {Sighting(name): rate for name, rate in clutter.items()}
        parameters = replace(FusionParameters(), clutter_by_sighting=by_sighting)
        pieces = [each.piece for each in heard(reports, parameters) if each.piece is not None]
        return Score.of(pieces, parameters).probability

    assert probability(crash=24.0) < 0.1 < probability()
    assert probability(fire=24.0) == pytest.approx(probability())


def test_a_sharp_place_by_a_restless_camera_does_not_stand_for_the_callers(say: Reporter) -> None:
    reports = [
        *say.call("k1", (20, 60), Hazard.CRASH),
        *say.call("k2", (28, 50), Hazard.CRASH, at_s=20),
        say.detection("a", "t", pixel_of("a", 0, 40), Sighting.CRASH, llr=1, at_s=30),
    ]
    parameters = FusionParameters()
    pieces = [each.piece for each in heard(reports, parameters) if each.piece is not None]
    callers = Score.of([p for p in pieces if isinstance(p, CallEvidence)], parameters).place

    def spread(nats: float) -> float:
        amid = [p.amid(nats) if isinstance(p, TrackEvidence) else p for p in pieces]
        place = believed_place(Score.of(amid, parameters))
        return float(place.covariance.trace())

    assert spread(0.0) < spread(6.0) < spread(9.0) <= float(callers.covariance.trace()) + 1e-6
