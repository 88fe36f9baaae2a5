"""Incidents that merge, fall apart, and exchange what they hold."""

from __future__ import annotations

import math

from contracts import (
    DecisionKind,
    Disc,
    Hazard,
)
from geo import LocalProjection
from geo.fusion import Fusion, FusionParameters
from geo.fusion.hearing import Hearing
from geo.fusion.partings import partings
from geo.fusion.scoring import Score
from tests.geo.builders import BEKASI, Reporter
from tests.geo.fusion.stage import (
    PROJECTION,
    assigned,
    feed,
    pixel_of,
    two_incidents_that_turn_out_one,
)


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


def test_a_call_by_cell_goes_over_to_its_own_event_when_that_is_told_of(
    fusion: Fusion, say: Reporter
) -> None:
    """It came before anybody who was placed well, and joined what there was."""
    for number, place in enumerate([(60, -10), (-20, -15), (0, -100)]):
        feed(fusion, say.call(f"old{number}", place, Hazard.CRASH, at_s=300.0 * number))
    (old,) = fusion.incident_ids
    feed(fusion, say.call("cell", (-1100, -550), Hazard.CRASH, radius_m=1000, at_s=2400))
    before = fusion.estimate(old)
    assert before is not None and "cell" in before.call_ids
    decisions = feed(fusion, say.call("phone", (-880, -440), Hazard.CRASH, at_s=2800))
    callers = [e.call_ids for i in fusion.incident_ids if (e := fusion.estimate(i)) is not None]
    assert callers == [("old0", "old1", "old2"), ("cell", "phone")]
    told = assigned(decisions)
    assert told["cell/call"] == told["phone/call"] != told["old0/call"] == old  # type: ignore[index]


def test_two_events_of_equals_are_told_apart_however_many_might_be_of_either(
    fusion: Fusion, say: Reporter
) -> None:
    """Floods 340 m apart, told of by turns, and by callers whom only their cells place."""
    spots = [(0.0, 0.0), (-215.0, 267.0)]
    for number in range(10):
        x, y = spots[number % 2]
        near = (x + 25.0 * math.cos(number), y + 25.0 * math.sin(number))
        feed(fusion, say.call(f"{number % 2}-{number}", near, Hazard.FLOOD, at_s=400.0 * number))
    for number in range(3):
        place = (-100.0 + 150 * number, 130.0)
        shape = {"radius_m": 1500.0, "at_s": 500.0 * number + 50}
        feed(fusion, say.call(f"cell{number}", place, Hazard.FLOOD, **shape))
    callers = [e.call_ids for i in fusion.incident_ids if (e := fusion.estimate(i)) is not None]
    assert [{name[:2] for name in each if name[0] != "c"} for each in callers] == [{"0-"}, {"1-"}]


def test_landslide_calls_beside_a_filmed_fire_are_no_part_of_it(
    fusion: Fusion, say: Reporter
) -> None:
    feed(fusion, [say.detection("a", "t", pixel_of("a", 0, 50), llr=7.5)])
    feed(fusion, [say.detection("b", "t", pixel_of("b", 0, 50), llr=8.8, at_s=2)])
    feed(fusion, say.call("fire", (-20, 55), at_s=15))
    for name, place, at_s in (("slide0", (30, -40), 365.0), ("slide1", (70, -50), 460.0)):
        feed(fusion, say.call(name, place, Hazard.DISASTER, at_s=at_s))
    callers = [e.call_ids for i in fusion.incident_ids if (e := fusion.estimate(i)) is not None]
    assert callers == [("fire",), ("slide0", "slide1")]
