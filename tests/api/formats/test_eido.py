"""The object has the standard's structure, its references lead somewhere, its places are right."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from defusedxml import ElementTree
from hypothesis import given, settings

from api.formats.eido import eido
from api.wire import plain
from contracts import Hazard, Incident, IncidentState, Note
from contracts.places import Polygon
from tests.api.formats.made import PUBLISHER
from tests.incidents.make import estimate, incident
from tests.support import nouns
from tests.support.data import data_folder
from tests.support.store import START

SCHEMA = json.loads((Path(__file__).parent / "eido.schema.json").read_text(encoding="utf-8"))
GML = "{http://www.opengis.net/gml}"
CHECK = jsonschema.Draft202012Validator(SCHEMA)


def checked(one: Incident) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(plain(eido(one, PUBLISHER)))
    CHECK.validate(found)
    return found


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_the_schema_takes_the_sample_and_refuses_a_wrong_one() -> None:
    sample = data_folder("standards/messages") / "eido_ok.json"
    found = json.loads(sample.read_text(encoding="utf-8"))
    CHECK.validate(found)
    with pytest.raises(jsonschema.ValidationError):
        CHECK.validate({**found, "incidentComponent": [found["incidentComponent"]]})
    with pytest.raises(jsonschema.ValidationError):
        CHECK.validate({**found, "locationComponent": found["locationComponent"][0]})


@settings(max_examples=150, deadline=None)
@given(nouns.incidents)
def test_every_incident_gives_a_lawful_object(one: Incident) -> None:
    found = checked(one)
    components = [
        *found["agencyComponent"],
        found["incidentComponent"],
        *found["locationComponent"],
        *found["notesComponent"],
    ]
    names = [component["$id"] for component in components]
    assert len(names) == len(set(names))
    assert set(references(found)) <= set(names)
    assert len(found["notesComponent"]) == 1 + len(one.notes)

    first, *others = (
        ElementTree.fromstring(place["locationByValue"]) for place in found["locationComponent"]
    )
    lat, lon = map(float, first.findtext(f".//{GML}pos").split())
    at = one.estimate.location
    assert (lat, lon) == pytest.approx((at.lat, at.lon), abs=1e-6)
    area = one.estimate.region90.area
    rings = [area.coordinates] if isinstance(area, Polygon) else list(area.coordinates)
    for place, (outer, *_holes) in zip(others, rings, strict=True):
        numbers = list(map(float, place.findtext(f".//{GML}posList").split()))
        assert numbers[0::2] == pytest.approx([lat for _, lat in outer], abs=1e-6)
        assert numbers[1::2] == pytest.approx([lon for lon, _ in outer], abs=1e-6)


def test_what_another_centre_needs_to_know() -> None:
    notes = (Note(at=START, actor="sari", text="ruko dua lantai"),)
    found = checked(incident(IncidentState.VERIFIED, verified_at=START, notes=notes))
    about = found["incidentComponent"]
    assert about["incidentTypeCommonRegistryText"] == "Fire"
    assert about["incidentStatusCommonRegistryText"] == ["Active"]
    assert about["incidentCommonPriorityNumber"] == 1
    assert about["internalIncidentId"] == "incident-1"
    assert about["lastUpdateTimeStamp"] == "2026-11-22T13:00:00.000+07:00"
    summary, note = (one["notesActionComments"] for one in found["notesComponent"])
    assert "NOT VERIFIED" not in summary
    assert "Probability 90 %" in summary
    assert note == "sari: ruko dua lantai"


def test_an_exercise_and_what_is_not_verified_say_so() -> None:
    one = incident(estimate=estimate("r", exercise=True, hazard=Hazard.FLOOD))
    found = checked(one)
    assert found["incidentComponent"]["incidentTypeInternalCode"] == "EXERCISE_FLOOD"
    summary = found["notesComponent"][0]["notesActionComments"]
    assert summary.startswith("EXERCISE.")
    assert "NOT VERIFIED" in summary


@pytest.mark.parametrize("state", [one for one in IncidentState if not one.is_open])
def test_an_ended_one_is_not_active(state: IncidentState) -> None:
    found = checked(incident(state, closed_at=START))
    assert found["incidentComponent"]["incidentStatusCommonRegistryText"] != ["Active"]
