from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from shapely import Point

from contracts import Area, Hazard, LonLat
from geo.projection import LocalProjection
from simulator.events import TrueEvent
from simulator.score_document import as_document, as_table, shortfalls
from simulator.scoring import Reported, Score, score

AT = datetime(2026, 11, 22, 3, tzinfo=UTC)
PLANE = LocalProjection(LonLat(106.992, -6.2383))


def event(name: str = "fire-1", hazard: Hazard | None = Hazard.FIRE, **given: Any) -> TrueEvent:
    values: dict[str, Any] = {
        "index": 0, "kind": hazard.value if hazard else "lamp", "at": PLANE.place(0, 0),
        "place_index": 0, "a": 0, "b": 0, "starts_s": 20, "ends_s": 100, "extent_m": 2,
    }  # fmt: skip
    return TrueEvent(id=name, hazard=hazard, **{**values, **given})


def disc(x: float, y: float, radius_m: float) -> Area:
    area = PLANE.area(Point(x, y).buffer(radius_m))
    assert area is not None
    return area


def incident(name: str = "i", x: float = 3.0, **given: Any) -> Reported:
    values: dict[str, Any] = {
        "hazard": Hazard.FIRE, "probability": 0.9, "location": PLANE.place(x, 0),
        "region50": disc(x, 0, 2), "region90": disc(x, 0, 4),
        "shown_as": {Hazard.FIRE: AT + timedelta(seconds=35)},
        "alarmed_as": {Hazard.FIRE: AT + timedelta(seconds=50)},
        "camera_ids": ("c",),
    }  # fmt: skip
    return Reported(id=name, **{**values, **given})


def scored(events: list[TrueEvent], incidents: list[Reported], **calls: str) -> Score:
    return score("uji", 1, AT, 120, events, incidents, calls, PLANE)


def test_what_was_found_is_timed_and_measured() -> None:
    (row,) = scored([event()], [incident()]).events
    assert (row.is_found, row.by, row.duplicates) == (True, "cameras", 0)
    assert (row.shown_after_s, row.alarmed_after_s) == (15.0, 30.0)
    assert row.place_error_m == pytest.approx(3.0, abs=0.1)
    assert (row.in50, row.in90, row.in95) == (False, True, True)


def test_the_95_region_is_a_little_wider_than_the_90() -> None:
    (row,) = scored([event()], [incident(x=4.8)]).events
    assert (row.in90, row.in95) == (False, True)


def test_two_for_one_event_are_a_duplicate_but_not_when_one_was_absorbed() -> None:
    both = [incident("a"), incident("b")]
    assert scored([event()], both).events[0].duplicates == 1
    absorbed = [incident("a"), incident("b", is_absorbed=True)]
    assert scored([event()], absorbed).events[0].duplicates == 0


def test_what_nobody_was_shown_is_not_found() -> None:
    found = scored([event()], [incident(shown_as={}, alarmed_as={})])
    assert not found.events[0].is_found
    assert found.signals == 1


def test_a_look_alike_or_nothing_at_all_makes_a_false_alarm() -> None:
    lamp = event("lamp", None, at=PLANE.place(300, 0))
    found = scored([event(), lamp], [incident("l", x=301), incident("n", x=2_000)])
    assert {row.id for row in found.vain} == {"l", "n"}
    assert found.mistaken_for == {"l": "lamp"}
    assert not found.events[0].is_found
    quiet = scored([], [incident("q", alarmed_as={}), incident("a")])
    totals = as_document(quiet)["totals"]
    assert (totals["false_alarms"], totals["false_candidates"]) == (1, 1)


def test_calls_tell_what_an_incident_is_about_and_false_ones_are_no_alarm_of_ours() -> None:
    prank = event("prank", None, kind="false_call", at=PLANE.place(0, 0))
    other = incident("p", camera_ids=(), call_ids=("c1",))
    elsewhere = incident("e", x=5_000, camera_ids=(), call_ids=("c2",))
    found = scored([prank], [other, elsewhere], c1="prank", c2="medical-elsewhere-4")
    assert [row.id for row in found.false_calls] == ["p"]
    assert not found.vain


def test_an_incident_that_took_in_two_events_is_about_the_one_of_its_own_kind() -> None:
    ill = event("ill", Hazard.MEDICAL, at=PLANE.place(80, 0), starts_s=5)
    # Shown as what somebody had called about first, and as a fire from the 30th second on.
    times = {Hazard.MEDICAL: AT + timedelta(seconds=12), Hazard.FIRE: AT + timedelta(seconds=30)}
    mixed = incident(call_ids=("1", "2", "3"), shown_as=times)
    told = scored([ill, event()], [mixed], **{"1": "ill", "2": "ill", "3": "fire-1"}).events
    assert [(row.event.id, row.is_found) for row in told] == [("ill", False), ("fire-1", True)]
    assert told[1].shown_after_s == 10
    (late,) = scored([event(starts_s=90)], [mixed], **{"3": "fire-1"}).events
    assert late.shown_after_s == 0


def test_the_operators_clocks_run_from_when_it_was_shown() -> None:
    touched = incident(acknowledged_at=AT + timedelta(seconds=47))
    clocks = scored([event()], [touched, incident("b")]).clocks
    assert (clocks.acknowledged_s, clocks.verified_s, clocks.untouched) == (12.0, None, 1)


def test_the_table_and_the_document_tell_the_same() -> None:
    found = scored([event(), event("flood-1", Hazard.FLOOD)], [incident()])
    document = as_document(found)
    assert document["totals"]["found"] == 1
    assert document["totals"]["events"] == 2
    table = as_table(document)
    assert "flood-1" in table
    assert "not found" in table
    assert "found 1 of 2" in table


def test_what_fell_short_is_said_first() -> None:
    found = as_document(scored([event(), event("flood-1", Hazard.FLOOD)], [incident()]))
    assert found["shortfalls"] == ["1 not found"]
    assert as_table(found).splitlines()[0].endswith("fell short: 1 not found")
    twice = [incident("a"), incident("b"), incident("n", x=2_000, alarmed_as={})]
    assert as_document(scored([event()], twice))["shortfalls"] == [
        "1 found more than once",
        "1 shown in vain",
    ]
    right = as_document(scored([event()], [incident()]))
    assert right["shortfalls"] == []
    assert as_table(right).splitlines()[0].endswith("all as it should be")


def test_one_region_in_ten_may_miss_its_event() -> None:
    totals = {
        "events": 10, "found": 10, "found_once": 10, "in95": 9,
        "false_alarms": 0, "false_candidates": 0,
    }  # fmt: skip
    assert shortfalls(totals) == []
    assert shortfalls({**totals, "in95": 8}) == ["1 outside the 95 % region"]
    assert shortfalls({**totals, "events": 9, "found": 9, "found_once": 9, "in95": 8})
