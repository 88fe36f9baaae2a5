"""What an AML text message says, by its version."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from api.intake.aml_sms import read_sms
from contracts import Disc, FixMethod, LonLat
from tests.api.intake.sent import FIRST, SECOND, an_sms, with_length


def test_the_first_version() -> None:
    reading = read_sms(with_length(FIRST))
    (position,) = reading.positions
    assert position.shape == Disc(centre=LonLat(-2.36619, 48.82639), radius_m=52)
    assert position.confidence == 0.68
    assert position.method is FixMethod.GNSS
    assert position.positioned_at == datetime(2019, 11, 12, 11, 29, 28, tzinfo=UTC)
    assert reading.problems == ()
    assert not reading.is_damaged
    assert reading.known_by == (("imsi", "208201771948415"), ("imei", "353472104343540"))


def test_the_second_version_gives_the_same_keys_other_meanings() -> None:
    reading = read_sms(SECOND, sender="+62 812 3456 7890")
    (position,) = reading.positions
    assert position.shape == Disc(centre=LonLat(-122.08461, -37.42175), radius_m=2000.1)
    called_at = datetime(2020, 6, 26, 15, 59, 49, tzinfo=UTC)
    assert position.positioned_at == called_at - timedelta(seconds=9999)
    assert position.altitude_m == -100.1
    assert position.method is FixMethod.GNSS
    assert reading.known_by == (("number", "6281234567890"), ("imei", "358239059042542"))
    assert reading.problems == ()
    assert not reading.is_damaged


def test_an_accuracy_of_zero_is_unknown_in_the_second_version() -> None:
    (position,) = read_sms(SECOND.replace("2000.1", "0")).positions
    assert isinstance(position.shape, Disc)
    assert position.shape.radius_m > 0


def test_a_phone_without_a_position_says_so_and_is_not_at_zero_zero() -> None:
    text = with_length(
        'A"ML=1;lt=+00.00000;lg=+000.00000;rd=N;top=20220131173734;lc=0;pm=N;'
        "si=234159000000000;ei=123456789012345;mcc=234;mnc=15"
    )
    reading = read_sms(text)
    assert reading.positions == ()
    assert not reading.is_damaged
    assert "could not find" in reading.problems[0]


@pytest.mark.parametrize("miscount", [-1, 1])
def test_a_length_that_is_off_by_one_passes_and_is_told(miscount: int) -> None:
    # A published example has 127 characters and says 126.
    whole = with_length(FIRST)
    stem, _, length = whole.rpartition("=")
    reading = read_sms(f"{stem}={int(length) + miscount}")
    assert len(reading.positions) == 1
    assert not reading.is_damaged
    assert reading.problems[0].startswith("ml:")


@pytest.mark.parametrize(
    "text",
    [
        with_length(FIRST)[:-7],
        with_length(FIRST)[:60],
        with_length(FIRST).replace("48.82639", "4.82"),
        with_length(FIRST).rpartition("=")[0] + "=99",
        with_length(FIRST).rpartition("=")[0] + "=many",
        SECOND + ";ml=100",
    ],
)
def test_a_message_that_was_cut_or_changed_is_damaged(text: str) -> None:
    assert read_sms(text).is_damaged


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no AML"),
        ("help me", "no AML"),
        ("A'ML=1;lt=1", "no AML"),
        ('A"ML=3;lo=1,2,3', "version 3 is not known"),
        (an_sms(lt="+107.0000", lg="-6.23830"), "swapped"),
        (an_sms(lt="NaN"), "no number"),
        (an_sms(top="20261350250000"), "no calendar"),
        (an_sms(pm="X"), "none of"),
        (an_sms(lc="250"), "up to 100 %"),
        (an_sms(rd="-5"), "30 m taken"),
        (SECOND.replace("lo=-37.42175,-122.08461,2000.1", "lo=1"), "latitude,longitude"),
        (SECOND.replace("et=1593187189", "et=999999999999999"), "no calendar"),
        (SECOND.replace("lt=-9999", "lt=9e99"), "no calendar"),
    ],
)
def test_what_is_wrong_is_named(text: str, says: str) -> None:
    assert says in " ".join(read_sms(text).problems)
