"""Tables that a spreadsheet may open, whatever somebody typed."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.formats.exports import (
    COLUMNS,
    GEOJSON_HEAD,
    GEOJSON_TAIL,
    csv_head,
    csv_lines,
    geojson_features,
    harmless,
)
from contracts import Incident, IncidentState
from tests.incidents.make import incident
from tests.support import nouns
from tests.support.store import START


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


@settings(max_examples=100, deadline=None)
@given(st.lists(nouns.incidents, max_size=4))
def test_every_incident_gives_one_row(several: list[Incident]) -> None:
    found = rows(csv_head() + csv_lines(several))
    assert len(found) == len(several)
    for row, one in zip(found, several, strict=True):
        assert tuple(row) == COLUMNS
        assert float(row["lon"]) == pytest.approx(one.estimate.location.lon, abs=1e-6)
        assert float(row["lat"]) == pytest.approx(one.estimate.location.lat, abs=1e-6)
        assert row["hazard"] == one.hazard.value


@pytest.mark.parametrize(
    "text",
    [
        '=HYPERLINK("http://x","y")',
        "+1+1",
        "-2+3",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "  =1",
        "\N{FULLWIDTH EQUALS SIGN}1",
    ],
)
def test_no_cell_starts_a_formula(text: str) -> None:
    one = incident(
        IncidentState.REJECTED, reason=text, place_name=text, last_actor=text, closed_at=START
    )
    (row,) = rows(csv_head() + csv_lines([one]))
    for name in ("reason", "place_name", "last_actor"):
        assert row[name] == f"'{text}"


def test_other_text_stays_as_it_is() -> None:
    for text in ("", "Jl. Ahmad Yani, Bekasi", 'kata "api"', "62-812", "a=b"):
        assert harmless(text) == text
    (row,) = rows(csv_head() + csv_lines([incident(place_name='a, "b"\r\nc')]))
    assert row["place_name"] == 'a, "b"\r\nc'


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(nouns.incidents, max_size=3), max_size=3))
def test_pages_join_into_one_collection(pages: list[list[Incident]]) -> None:
    # Only the last page of a real export can be empty, and only if it is the first.
    full = [page for page in pages if page] or [[]]
    parts = [geojson_features(page, is_first=number == 0) for number, page in enumerate(full)]
    found = json.loads(b"".join([GEOJSON_HEAD, *parts, GEOJSON_TAIL]))
    assert [one["id"] for one in found["features"]] == [one.id for page in full for one in page]
