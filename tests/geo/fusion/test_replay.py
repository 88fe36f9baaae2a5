"""The same reports in the same order, whatever the restarts between."""

from __future__ import annotations

import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contracts import (
    DecisionKind,
    Disc,
    Hazard,
    Report,
    Sighting,
)
from geo.fusion import Fusion, FusionParameters
from tests.geo.builders import Reporter, few
from tests.geo.fusion.stage import CAMERAS, PROJECTION, assigned, feed, pixel_of


def day(say: Reporter, seed: int, count: int) -> list[Report]:
    """A few events with their calls and tracks, and some nonsense, in the order they came."""
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
@example(2720, 8, 0.4375)  # chatter renews an incident that is merged away by the same report
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
