from __future__ import annotations

import math
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import Point

from contracts import (
    CameraId,
    CameraPose,
    ContractError,
    Decision,
    DecisionKind,
    Disc,
    Hazard,
    IncidentId,
    LonLat,
    Report,
    ReportId,
    Sector,
    Sighting,
    SourceKind,
)
from geo import LocalProjection, PinholeCamera
from geo.fusion import Fusion, FusionParameters
from geo.fusion.hearing import Hearing
from geo.fusion.partings import partings
from geo.fusion.scoring import Score
from tests.geo.builders import BEKASI, Reporter, few, pose

PROJECTION = LocalProjection(BEKASI)
NORTH = pose(bearing_deg=0.0)
CAMERAS: dict[CameraId, CameraPose | LonLat] = {
    CameraId("a"): NORTH,
    CameraId("b"): pose(position=PROJECTION.place(0.0, 90.0), bearing_deg=180.0),
    CameraId("bare"): PROJECTION.place(0.0, 45.0),
}


@pytest.fixture
def fusion() -> Fusion:
    return Fusion(FusionParameters(), PROJECTION, CAMERAS)


@pytest.fixture
def say() -> Reporter:
    return Reporter(PROJECTION)


def pixel_of(camera: str, x: float, y: float) -> tuple[float, float]:
    given_pose = CAMERAS[CameraId(camera)]
    assert isinstance(given_pose, CameraPose)
    model = PinholeCamera.from_pose(given_pose, PROJECTION)
    pixels, visible = model.project([[x, y, 0.0]])  # type: ignore[arg-type]
    assert visible[0]
    return float(pixels[0][0]), float(pixels[0][1])


def feed(fusion: Fusion, reports: Iterable[Report]) -> list[Decision]:
    return [decision for report in reports for decision in fusion.add(report)]


def assigned(decisions: Iterable[Decision]) -> dict[ReportId, IncidentId]:
    """What a store that applies the decisions comes to."""
    found: dict[ReportId, IncidentId] = {}
    for decision in decisions:
        found |= dict.fromkeys(decision.estimate.report_ids, decision.incident_id)
    return found


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


def test_a_better_position_moves_a_call_to_its_incident(fusion: Fusion, say: Reporter) -> None:
    """A cell's position is late corrected by the phone's own: far from where it was counted."""
    first = feed(fusion, say.call("k1", (0, 0), Hazard.CRASH, radius_m=20))
    feed(fusion, say.call("k2", (150, 0), Hazard.CRASH, radius_m=1500, at_s=60))
    far = feed(fusion, say.call("k3", (1800, 0), Hazard.CRASH, radius_m=20, at_s=90))
    late = say.call("k2", (1810, 10), Hazard.CRASH, radius_m=15, at_s=100)[1]
    late = say.fix("k2", late.body.shape, at_s=100, number=2)  # type: ignore[union-attr]
    decisions = fusion.add(late)
    assert "k2/fix2" in decisions[-1].estimate.report_ids
    assert decisions[-1].incident_id == far[0].incident_id
    again = fusion.estimate(first[0].incident_id)
    assert again is not None and "k2/call" not in again.report_ids


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


def test_two_concurrent_tracks_of_one_camera_far_apart_are_two_events(
    fusion: Fusion, say: Reporter
) -> None:
    left, right = pixel_of("a", -15, 40), pixel_of("a", 15, 40)
    (one,) = fusion.add(say.detection("a", "t1", left, Sighting.CRASH, at_s=10, since_s=0))
    (two,) = fusion.add(say.detection("a", "t2", right, Sighting.CRASH, at_s=11, since_s=5))
    assert two.kind is DecisionKind.FOUND and two.incident_id != one.incident_id
    # Not even a caller between them makes them one.
    feed(fusion, say.call("k", (0, 40), Hazard.CRASH, at_s=60))
    assert len(fusion.incident_ids) == 2


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


def two_incidents_that_turn_out_one(fusion: Fusion, say: Reporter) -> tuple[IncidentId, Report]:
    """Two calls far apart, and the second caller's better position, beside the first."""
    feed(fusion, say.call("k1", (0, 0), Hazard.CRASH, radius_m=20))
    feed(fusion, say.call("k2", (1200, 0), Hazard.CRASH, radius_m=60, at_s=30))
    first, _ = fusion.incident_ids
    near = Disc(centre=PROJECTION.place(8, 5), radius_m=10)
    return first, say.fix("k2", near, at_s=45, number=2)


def test_a_report_that_shows_two_incidents_to_be_one_merges_them(
    fusion: Fusion, say: Reporter
) -> None:
    first, link = two_incidents_that_turn_out_one(fusion, say)
    (merge,) = fusion.add(link)
    assert merge.kind is DecisionKind.MERGE
    assert merge.incident_id == first, "the older one stays"
    assert merge.other_id not in (None, first)
    assert fusion.incident_ids == (first,)
    assert "k2/fix1" in merge.estimate.report_ids


def test_incidents_of_calls_that_name_nothing_merge_too(fusion: Fusion, say: Reporter) -> None:
    for name, x in (("k1", 0.0), ("k2", 5.0), ("k3", 2500.0), ("k4", 2505.0)):
        feed(fusion, say.call(name, (x, 0.0), None, radius_m=20))
    first, _ = fusion.incident_ids
    near = Disc(centre=PROJECTION.place(3, 5), radius_m=10)
    feed(fusion, [say.fix("k3", near, number=2), say.fix("k4", near, number=2)])
    assert fusion.incident_ids == (first,)
    estimate = fusion.estimate(first)
    assert estimate is not None and set(estimate.call_ids) == {"k1", "k2", "k3", "k4"}


@pytest.mark.parametrize("whose", [0, 1])
def test_after_a_person_acted_nothing_is_merged(fusion: Fusion, say: Reporter, whose: int) -> None:
    _, link = two_incidents_that_turn_out_one(fusion, say)
    fusion.note_human_action(fusion.incident_ids[whose], ended=False)
    (decision,) = fusion.add(link)
    assert decision.kind is DecisionKind.UPDATE
    assert len(fusion.incident_ids) == 2


def test_an_ended_incident_takes_nothing_more(fusion: Fusion, say: Reporter) -> None:
    foot = pixel_of("a", 0, 50)
    (founded,) = fusion.add(say.detection("a", "t", foot))
    fusion.note_human_action(founded.incident_id, ended=True)
    # The track goes on: it is of the ended incident, and neither reopens it nor founds another.
    assert fusion.add(say.detection("a", "t", foot, at_s=5, since_s=0, number=2)) == []
    (other,) = feed(fusion, say.call("k", (0, 55), at_s=60))
    assert other.kind is DecisionKind.FOUND
    fusion.note_human_action(founded.incident_id, ended=False)
    (again,) = fusion.add(say.detection("a", "t", foot, at_s=9, since_s=0, number=3))
    assert again.incident_id == founded.incident_id


def test_contributions_explain_the_probability(fusion: Fusion, say: Reporter) -> None:
    feed(fusion, [say.detection("a", "t", pixel_of("a", 0, 50), llr=6)])
    (decision,) = feed(fusion, say.call("k", (30, 60), at_s=30))
    total = sum(c.log_odds for c in decision.estimate.contributions)
    assert decision.estimate.probability == pytest.approx(1 / (1 + 2.718281828**-total), abs=1e-3)
    camera, caller, calls = decision.estimate.contributions[1:]
    assert (camera.source, camera.source_id, camera.sighting) == (SourceKind.CAMERA, "a", "fire")
    assert camera.log_odds == pytest.approx(6)
    assert caller.distance_m == pytest.approx(32, abs=8)
    assert calls.source is SourceKind.CALL_COUNT


def test_reports_of_an_exercise_meet_no_others(fusion: Fusion, say: Reporter) -> None:
    feed(fusion, say.call("real", (0, 0)))
    (decision,) = feed(fusion, say.call("play", (5, 5), at_s=10, exercise=True))
    assert decision.kind is DecisionKind.FOUND and decision.estimate.exercise


def day(say: Reporter, seed: int, count: int) -> list[Report]:
    """A few events with their calls and tracks, and some nonsense, in the order they came."""
    import random

    rng = random.Random(seed)  # noqa: S311
    made: list[tuple[float, list[Report]]] = []
    events = [(rng.uniform(-15, 15), rng.uniform(30, 60), rng.uniform(0, 3000)) for _ in range(3)]
    for number in range(count):
        x, y, start = rng.choice(events)
        at_s = start + rng.expovariate(1 / 200)
        if rng.random() < 0.5:
            xy = (x + rng.gauss(0, 60), y + rng.gauss(0, 60))
            hazard = rng.choice([Hazard.FIRE, Hazard.CRASH, None])
            made.append((at_s, say.call(f"k{number}", xy, hazard, at_s=at_s)))
        else:
            sighting = rng.choice([Sighting.FIRE, Sighting.CRASH, Sighting.SMOKE])
            foot = pixel_of("a", x, y)
            llr = rng.uniform(0, 9)
            seen = [
                say.detection(
                    "a",
                    f"t{number}",
                    foot,
                    sighting,
                    llr=llr,
                    at_s=at_s + i,
                    since_s=at_s,
                    number=i,
                )
                for i in range(2)
            ]
            made.append((at_s, seen))
    ordered = [report for _, reports in sorted(made, key=lambda m: m[0]) for report in reports]
    renumbered = Reporter(PROJECTION)
    return [renumbered.report(report.body) for report in ordered]


@few
@given(st.integers(0, 10_000), st.integers(3, 14))
def test_a_replay_comes_to_the_same_decisions(seed: int, count: int) -> None:
    reports = day(Reporter(PROJECTION), seed, count)
    once = feed(Fusion(FusionParameters(), PROJECTION, CAMERAS), reports)
    again = feed(Fusion(FusionParameters(), PROJECTION, CAMERAS), reports)
    assert once == again


@few
@given(st.integers(0, 10_000), st.integers(3, 14))
def test_repeats_change_nothing(seed: int, count: int) -> None:
    reports = day(Reporter(PROJECTION), seed, count)
    fusion = Fusion(FusionParameters(), PROJECTION, CAMERAS)
    decisions = feed(fusion, reports)
    assert feed(fusion, reports) == []
    doubled = [report for report in reports for _ in range(2)]
    assert feed(Fusion(FusionParameters(), PROJECTION, CAMERAS), doubled) == decisions


@few
@given(st.integers(0, 10_000), st.integers(3, 14), st.floats(0, 1))
def test_a_restart_in_between_changes_nothing(seed: int, count: int, share: float) -> None:
    reports = day(Reporter(PROJECTION), seed, count)
    cut = int(share * len(reports))
    whole = Fusion(FusionParameters(), PROJECTION, CAMERAS)
    before = feed(whole, reports[:cut])
    restarted = Fusion(FusionParameters(), PROJECTION, CAMERAS)
    restarted.restore(reports[:cut], assigned(before), touched=())
    assert restarted.incident_ids == whole.incident_ids
    for incident_id in whole.incident_ids:
        assert restarted.estimate(incident_id) == whole.estimate(incident_id)
    assert feed(restarted, reports[cut:]) == feed(whole, reports[cut:])


@few
@given(st.integers(0, 10_000), st.integers(3, 14))
def test_every_report_is_in_exactly_one_incident(seed: int, count: int) -> None:
    reports = day(Reporter(PROJECTION), seed, count)
    fusion = Fusion(FusionParameters(), PROJECTION, CAMERAS)
    feed(fusion, reports)
    held = [r for i in fusion.incident_ids for r in fusion.estimate(i).report_ids]  # type: ignore[union-attr]
    assert sorted(held) == sorted(report.id for report in reports)


@few
@given(st.permutations(range(4)))
def test_the_order_of_agreeing_calls_does_not_matter(order: list[int]) -> None:
    say = Reporter(PROJECTION)
    spots = [(0.0, 0.0), (25.0, 5.0), (-10.0, 30.0), (15.0, -20.0)]
    fusion = Fusion(FusionParameters(), PROJECTION, CAMERAS)
    for number in order:
        feed(fusion, say.call(f"k{number}", spots[number], at_s=number * 20.0))
    (incident_id,) = fusion.incident_ids
    estimate = fusion.estimate(incident_id)
    assert estimate is not None
    x, y = PROJECTION.point(estimate.location)
    assert (x, y) == pytest.approx((5.1, 1.0), abs=4)
    assert estimate.probability > 0.999


def test_old_evidence_is_forgotten(say: Reporter) -> None:
    fusion = Fusion(FusionParameters(), PROJECTION, CAMERAS)
    feed(fusion, say.call("k1", (0, 0)))
    feed(fusion, say.call("k2", (3000, 0), at_s=40 * 3600))
    (incident_id,) = fusion.incident_ids
    estimate = fusion.estimate(incident_id)
    assert estimate is not None and estimate.call_ids == ("k2",)


def test_parameters_out_of_bounds_are_refused() -> None:
    with pytest.raises(ValueError, match="false_calls_per_km2_day"):
        FusionParameters(false_calls_per_km2_day=0)
    with pytest.raises(ValueError, match="detection_probability"):
        FusionParameters(detection_probability=1.5)


def test_a_restart_after_a_split_keeps_who_is_older(say: Reporter) -> None:
    """A piece that was split off is younger than all that stood before, also after a restart."""
    reports = say.call("k1", (0, 0), Hazard.CRASH, radius_m=20)
    reports += say.call("k2", (15, 5), Hazard.CRASH, radius_m=2000, at_s=10)
    reports += say.call("k3", (-2000, 0), Hazard.CRASH, radius_m=20, at_s=20)
    away = Disc(centre=PROJECTION.place(2000, 0), radius_m=5)
    reports.append(say.fix("k2", away, at_s=30, number=2))
    fusion = Fusion(FusionParameters(), PROJECTION, CAMERAS)
    decisions = feed(fusion, reports)
    assert decisions[-1].kind is DecisionKind.SPLIT
    assert decisions[-1].other_id == decisions[0].incident_id
    assert fusion.incident_ids[-1] == decisions[-1].incident_id
    restarted = Fusion(FusionParameters(), PROJECTION, CAMERAS)
    restarted.restore(reports, assigned(decisions), touched=())
    assert restarted.incident_ids == fusion.incident_ids


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


def test_a_second_fire_next_to_a_filmed_one_is_another(fusion: Fusion, say: Reporter) -> None:
    feed(fusion, [say.detection("a", "t", pixel_of("a", 0, 50), llr=9)])
    feed(fusion, [say.detection("b", "t", pixel_of("b", 0, 50), llr=9, at_s=5)])
    for number, place in enumerate(
        [(20, 60), (-30, 40), (210, 60), (190, 30), (215, 35), (200, 70)]
    ):
        feed(fusion, say.call(f"k{number}", place, at_s=60 + 70 * number))
    callers = sorted(
        estimate.call_ids
        for incident_id in fusion.incident_ids
        if (estimate := fusion.estimate(incident_id)) is not None
    )
    assert callers == [("k0", "k1"), ("k2", "k3", "k4", "k5")]


def test_an_incident_of_many_is_shared_out_between_two_places(say: Reporter) -> None:
    hearing = Hearing(FusionParameters(), LocalProjection(BEKASI))
    pieces = {}
    for number in range(18):
        x, radius_m = (0.0, 250.0)[number % 2], (30.0, 900.0)[number % 6 == 5]
        off = (7.0 * (number % 5), 5.0 * (number % 4))
        place = (x + off[0], off[1])
        for report in say.call(f"{number % 2}-{number}", place, Hazard.CRASH, radius_m=radius_m):
            heard = hearing.hear(report)
            if heard is not None and heard.piece is not None:
                pieces[heard.key] = heard.piece
    whole = Score.of(pieces.values(), FusionParameters())
    ways = [
        {piece.source_id for piece in leaving.pieces if piece.place(None).reach_m < 2_000}
        for leaving, _ in partings(whole)
    ]
    assert [{name[0] for name in way} for way in ways] == [{"1"}], "who is well placed parts"
    assert len(ways[0]) == 6


def test_events_come_at_their_hours_and_in_their_months(say: Reporter) -> None:
    by_hour = {Hazard.FLOOD: tuple(3.0 if hour == 12 else 1.0 for hour in range(24))}
    by_month = {Hazard.FLOOD: (4.0, 4.0, 2.0, *(1.0,) * 9)}
    odds = []
    # The reports come on 1 March at 12:00 in Jakarta.
    for timezone in ("Asia/Jakarta", "UTC"):
        parameters = FusionParameters(
            events_by_hour=by_hour, events_by_month=by_month, timezone=timezone
        )
        fusion = Fusion(parameters, LocalProjection(BEKASI), {})
        (told,) = feed(fusion, say.call(timezone, (0, 0), Hazard.FLOOD))
        p = told.estimate.probability
        odds.append(math.log(p / (1 - p)))
        total = sum(c.log_odds for c in told.estimate.contributions)
        assert total == pytest.approx(odds[-1], abs=1e-6)
    assert odds[0] - odds[1] == pytest.approx(math.log(3.0), abs=1e-6)
    with pytest.raises(ContractError, match="24 figures"):
        FusionParameters(events_by_hour={Hazard.FIRE: (1.0,) * 23})
