"""What an AML form says."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from api.intake.aml_form import Signature, check_signature, read_form
from contracts import Disc, FixMethod, LonLat
from tests.api.intake.sent import KEY, a_form, signed
from tests.api.made import LAT, LON


def test_a_whole_form_is_a_position() -> None:
    (position,) = read_form(a_form()).positions
    assert position.shape == Disc(centre=LonLat(LON, LAT), radius_m=20)
    assert position.confidence == 0.68
    assert position.method is FixMethod.GNSS
    assert position.positioned_at == datetime(2026, 11, 22, 3, 15, 10, tzinfo=UTC)
    assert position.altitude_m == 31.5


def test_etsis_names_and_capitals_are_read_too() -> None:
    body = (
        b"v=1&device_number=%2B447477593102&location_latitude=55.85732&location_longitude=-4.26325"
        b"&location_time=1476189444435&location_accuracy=10.4&location_source=GPS"
        b"&location_certainty=83&location_altitude=0.0&location_floor=5&device_imei=354773072099116"
        b"&device_imsi=234159176307582&cell_carrier=&cell_home_mcc=234"
    )
    reading = read_form(body)
    (position,) = reading.positions
    assert position.shape == Disc(centre=LonLat(-4.26325, 55.85732), radius_m=10.4)
    assert position.confidence == 0.83
    assert position.method is FixMethod.GNSS
    assert reading.known_by == (
        ("number", "447477593102"),
        ("imsi", "234159176307582"),
        ("imei", "354773072099116"),
    )
    assert reading.problems == ()


@pytest.mark.parametrize(
    ("stated", "confidence"),
    [("0.683", 0.683), ("90", 0.9), ("100", 0.9999), ("1", 0.9999), (None, 0.68), ("0", 0.68)],
)
def test_confidence_is_per_cent_or_a_share(stated: str | None, confidence: float) -> None:
    (position,) = read_form(a_form(location_confidence=stated)).positions
    assert position.confidence == pytest.approx(confidence)


def test_every_field_is_optional() -> None:
    for name in ("time", "location_time", "location_source", "location_accuracy", "device_number"):
        assert len(read_form(a_form(**{name: None})).positions) == 1
    assert read_form(b"").positions == ()
    nowhere = read_form(a_form(location_latitude=None, location_longitude=None))
    assert nowhere.positions == ()
    assert nowhere.known_by
    assert "no position" in nowhere.problems[0]


def test_a_radius_that_is_missing_is_not_taken_for_certainty() -> None:
    reading = read_form(a_form(location_accuracy=None, location_source="cell"))
    (position,) = reading.positions
    assert isinstance(position.shape, Disc)
    assert position.shape.radius_m == 2000
    assert "not stated" in reading.problems[0]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"location_latitude": 107, "location_longitude": LAT}, "lon and lat swapped"),
        ({"location_latitude": 107, "location_longitude": 107}, "between -90 and 90"),
        ({"location_latitude": "NaN"}, "no number"),
        ({"location_longitude": "inf"}, "no number"),
        ({"location_longitude": 180.5}, "between -180 and 180"),
        ({"location_longitude": None}, "is missing"),
        ({"location_latitude": "1e40"}, "between -90 and 90"),
    ],
)
def test_a_position_that_cannot_be_is_named(changes: dict[str, object], says: str) -> None:
    reading = read_form(a_form(**changes))
    assert reading.positions == ()
    assert says in " ".join(reading.problems)


@given(
    st.floats(-89, 89, allow_subnormal=False).filter(lambda lat: not 0 < abs(lat) < 1e-90),
    st.sampled_from(["{!r}", "{:.17g}", "{:.20f}", "{:.7f}", "{:+.16f}"]),
)
@example(-6.2368999999999994, "{!r}")
def test_every_digit_that_a_program_prints_of_a_number_is_read(lat: float, form: str) -> None:
    text = form.format(lat)
    reading = read_form(a_form(location_latitude=text))
    assert reading.problems == ()
    (position,) = reading.positions
    assert isinstance(position.shape, Disc)
    assert position.shape.centre.lat == float(text)


def test_numbers_are_one_however_they_are_written() -> None:
    written = [
        "+6281234567890",
        "081234567890",
        "006281234567890",
        "0812-3456-7890",
        "6281234567890",
    ]
    assert {read_form(a_form(device_number=one)).known_by for one in written} == {
        (("number", "6281234567890"),)
    }
    assert read_form(a_form(device_number="hidden")).known_by == ()


def test_a_blanked_imsi_is_nobodys() -> None:
    assert read_form(a_form(device_number=None, device_imsi="234159000000000")).known_by == ()


def test_the_signature_is_that_of_the_published_rule() -> None:
    # Computed over the bytes before &hmac= with the key "AML".
    body = (
        b"v=1&device_number=%2B33611223344&location_latitude=0.85732&location_longitude=-4.26325"
        b"&location_time=1604912121000&location_accuracy=10.4&location_source=GPS"
        b"&location_certainty=83&hmac=f64c70eb238bb239e00e8ac8c023bf2b5d3c41dd"
    )
    assert check_signature(body, "AML") is Signature.RIGHT
    assert check_signature(body.replace(b"83", b"84"), "AML") is Signature.WRONG


@pytest.mark.parametrize(
    ("body", "key", "worth"),
    [
        (signed(a_form()), KEY, Signature.RIGHT),
        (signed(a_form()).upper(), KEY, Signature.ABSENT),
        (signed(a_form()) + b"&v=2", KEY, Signature.WRONG),
        (signed(a_form(), "another"), KEY, Signature.WRONG),
        (a_form() + b"&hmac=", KEY, Signature.WRONG),
        (a_form() + b"&hmac=\xff\xfe%zz", KEY, Signature.WRONG),
        (a_form(), KEY, Signature.ABSENT),
        (signed(a_form()), None, Signature.UNCHECKED),
    ],
)
def test_only_the_key_over_all_bytes_is_right(
    body: bytes, key: str | None, worth: Signature
) -> None:
    assert check_signature(body, key) is worth
