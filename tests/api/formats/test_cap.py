"""Alerts pass the schema and mean the right thing."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from capvalidator import Validator
from hypothesis import given, settings

from api.formats.cap import alert
from api.formats.cap_issues import Issue, MessageName, MessageType
from contracts import Hazard, Incident, IncidentId, IncidentState
from tests.api.formats.made import FIRST, PUBLISHER
from tests.api.formats.reading_cap import Alert, assert_means
from tests.incidents.make import estimate, incident
from tests.support import nouns
from tests.support.store import START


def read(one: Incident, issue: Issue = FIRST) -> Alert:
    return Alert(alert(one, issue, PUBLISHER))


@settings(max_examples=150, deadline=None)
@given(nouns.incidents)
def test_every_incident_gives_a_lawful_alert_at_its_place(one: Incident) -> None:
    found = read(one)
    assert_means(found, one)
    assert [info.findtext("{*}language") for info in found.infos] == ["id-ID", "en"]


def test_swapped_coordinates_pass_the_schema_but_not_the_test() -> None:
    one = incident()
    straight = alert(one, FIRST, PUBLISHER)
    swapped = re.sub(rb"(-?[\d.]+),(-?[\d.]+)(?=[ <])", rb"\2,\1", straight)
    assert swapped != straight
    assert Validator(swapped).schema()[0]
    with pytest.raises(AssertionError):
        assert_means(Alert(swapped), one)
    assert_means(Alert(straight), one)


def test_what_nobody_has_verified_is_possible_and_restricted() -> None:
    found = read(incident(IncidentState.ACKNOWLEDGED, place_name="Bekasi Timur"))
    assert (found.text("status"), found.text("msgType")) == ("Actual", "Alert")
    assert found.text("scope") == "Restricted"
    assert "emergency services only" in (found.text("restriction") or "")
    for language, word in (("id-ID", "BELUM DIVERIFIKASI"), ("en", "NOT VERIFIED")):
        info = found.info(language)
        assert (info["certainty"], info["urgency"]) == ("Possible", "Immediate")
        assert info["responseType"] == "Assess"
        assert word in info["description"]
    assert found.info("id-ID")["headline"] == "Dugaan: Kebakaran, Bekasi Timur"


def test_what_somebody_verified_is_observed() -> None:
    found = read(incident(IncidentState.ON_SCENE, verified_at=START, place_name="Bekasi Timur"))
    info = found.info("en")
    assert (info["certainty"], info["responseType"]) == ("Observed", "Avoid")
    assert "NOT VERIFIED" not in info["description"]
    assert info["headline"] == "Fire, Bekasi Timur"


def test_what_was_verified_and_then_rejected_is_unlikely() -> None:
    found = read(incident(IncidentState.REJECTED, verified_at=START, closed_at=START))
    info = found.info("en")
    assert (info["certainty"], info["urgency"]) == ("Unlikely", "Past")
    assert info["responseType"] == "AllClear"


def test_an_exercise_says_so_everywhere() -> None:
    found = read(incident(estimate=estimate("r", exercise=True)))
    assert found.text("status") == "Exercise"
    assert "LATIHAN" in (found.text("note") or "")
    for language, word in (("id-ID", "LATIHAN"), ("en", "EXERCISE")):
        assert word in found.info(language)["headline"]
        assert word in found.info(language)["description"]


def test_times_are_the_city_s_without_fractions() -> None:
    started = START.replace(microsecond=123_456)
    found = read(incident(estimate=estimate("r", started_at=started)))
    info = found.info("en")
    assert found.text("sent") == "2026-11-22T13:00:00+07:00"
    assert info["onset"] == "2026-11-22T13:00:00+07:00"
    assert info["effective"] == found.text("sent")
    assert info["expires"] == "2026-11-22T14:00:00+07:00"


def test_the_disc_is_as_large_as_the_region_of_half() -> None:
    # A square of 2e-4 degrees is 22.2 m by 22.1 m: 492 m2, a disc of 12.5 m.
    (circle, _) = read(incident()).circles()
    assert circle.radius_km == pytest.approx(0.0125, abs=0.0006)


def test_references_name_what_is_replaced_as_it_named_itself() -> None:
    one = incident(id=IncidentId("odd, <id> & more"))
    before = read(one)
    later = MessageName(7, 0, START + timedelta(minutes=3))
    after = read(one, Issue(later, MessageType.UPDATE, (FIRST.name,)))
    assert after.text("msgType") == "Update"
    assert after.references == [before.reference]
    assert not re.search(r"[\s,<&]", before.text("identifier") or " ")
    assert len(read(one, Issue(later, MessageType.CANCEL, ())).references) == 0


def test_each_hazard_has_its_category() -> None:
    def category(hazard: Hazard) -> str:
        return read(incident(estimate=estimate("r", hazard=hazard))).info("en")["category"]

    assert category(Hazard.CRASH) == "Transport"
    assert category(Hazard.FLOOD) == "Met"
    assert len({category(hazard) for hazard in Hazard}) == len(Hazard)


def test_nothing_that_a_person_wrote_is_in_it() -> None:
    from contracts import Note

    notes = (Note(at=START, actor="sari", text="caller is Pak Budi"),)
    told = alert(
        incident(IncidentState.REJECTED, notes=notes, reason="lampu merah", closed_at=START),
        FIRST,
        PUBLISHER,
    )
    for word in (b"Budi", b"lampu", b"sari"):
        assert word not in told
