"""What may be asked of items, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.formats.ogc_query import (
    MAX_LIMIT,
    parse_bbox,
    parse_datetime,
    parse_limit,
    read_query,
)
from api.problems import Problem


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


def test_boxes() -> None:
    assert parse_bbox("106.9,-6.3,107.1,-6.1") == (106.9, -6.3, 107.1, -6.1)
    assert parse_bbox("106.9,-6.3,0,107.1,-6.1,99") == (106.9, -6.3, 107.1, -6.1)
    assert parse_bbox("170, -10, -170, 10") == (170, -10, -170, 10)


@pytest.mark.parametrize(
    "text",
    ["", "1,2,3", "1,2,3,4,5", "a,b,c,d", "nan,0,1,1", "0,0,1,1e999", "0,5,1,4", "0,0,181,1"],
)
def test_boxes_that_are_none(text: str) -> None:
    with pytest.raises(Problem, match="bbox"):
        parse_bbox(text)


def test_a_swapped_box_is_told_so() -> None:
    with pytest.raises(Problem, match="swapped"):
        parse_bbox("-6.3,106.9,-6.1,107.1")


def test_times() -> None:
    at = utc(2026, 11, 22, 6, 35)
    assert parse_datetime("2026-11-22T06:35:00Z") == (at, at)
    assert parse_datetime("2026-11-22T13:35:00+07:00/..") == (at, None)
    assert parse_datetime("/2026-11-22t06:35:00z") == (None, at)
    day = utc(2026, 11, 22), utc(2026, 11, 22, 23, 59, 59, 999_999)
    assert parse_datetime("2026-11-22") == day
    assert parse_datetime("2026-11-22/2026-11-22") == day


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "../..",
        "yesterday",
        "2026-13-01",
        "2026-11-22T06:35:00",
        "2026-11-22T06:35:00 07:00",
        "2026-11-23/2026-11-22",
        "a/b/c",
        "0001-01-01T00:00:00+14:00",
    ],
)
def test_times_that_are_none(text: str) -> None:
    with pytest.raises(Problem, match="datetime"):
        parse_datetime(text)


def test_a_page_is_never_larger_than_the_largest() -> None:
    assert (parse_limit("7"), parse_limit("99999999")) == (7, MAX_LIMIT)
    for text in ("0", "-1", "x", "1.5", "", "²"):
        with pytest.raises(Problem, match="limit"):
            parse_limit(text)


def test_unknown_and_repeated_names_are_refused() -> None:
    assert read_query([("exercise", "true")], {"exercise"}).exercise is True
    for asked in ([("bboks", "1")], [("limit", "1"), ("limit", "2")], [("exercise", "yes")]):
        with pytest.raises(Problem) as refusal:
            read_query(asked, {"exercise"})
        assert refusal.value.status == 400


@given(st.sampled_from(["bbox", "datetime", "limit", "exercise"]), st.text(max_size=40))
def test_whatever_is_asked_is_understood_or_refused(name: str, text: str) -> None:
    try:
        read_query([(name, text)], {"exercise"})
    except Problem as problem:
        assert problem.status == 400
        assert problem.errors[0].field == name
