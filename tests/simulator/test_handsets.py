"""What simulated phones send is what the desk reads."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from api.intake.aml_form import read_form
from api.intake.aml_sms import read_sms
from api.intake.readers import reader_of
from api.intake.readings import Reading
from contracts import Disc, FixMethod
from simulator.handsets import Way, aml_form, aml_sms, number_of, way_of

_AT = datetime(2026, 11, 22, 10, 31, 7, tzinfo=UTC)
_PLACES = {
    "lon": st.floats(106.8, 107.2),
    "lat": st.floats(-6.4, -6.1),
    "radius_m": st.floats(1, 900),
    "confidence": st.sampled_from((0.68, 0.9, 0.95)),
    "method": st.sampled_from((FixMethod.GNSS, FixMethod.WIFI, FixMethod.FUSED)),
}


def _agrees(reading: Reading, lon: float, lat: float, radius_m: float, confidence: float) -> None:
    (position,) = reading.positions
    assert not reading.problems
    assert not reading.is_damaged
    assert isinstance(position.shape, Disc)
    assert abs(position.shape.centre.lon - lon) < 1e-5
    assert abs(position.shape.centre.lat - lat) < 1e-5
    assert radius_m - 0.06 <= position.shape.radius_m <= radius_m + 1
    assert position.confidence == confidence
    assert position.positioned_at is not None
    assert abs(position.positioned_at - _AT) <= timedelta(seconds=1)


@given(**_PLACES)
def test_the_desk_reads_the_form_that_an_android_posts(
    lon: float, lat: float, radius_m: float, confidence: float, method: FixMethod
) -> None:
    number = number_of(np.random.default_rng(4))
    reading = read_form(aml_form(lon, lat, radius_m, confidence, method, number, _AT))
    _agrees(reading, lon, lat, radius_m, confidence)
    assert reading.positions[0].method is method
    assert ("number", number[1:]) in reading.known_by


@given(**_PLACES)
def test_the_desk_reads_the_sms_that_an_iphone_sends(
    lon: float, lat: float, radius_m: float, confidence: float, method: FixMethod
) -> None:
    number = number_of(np.random.default_rng(5))
    text = aml_sms(lon, lat, radius_m, confidence, method, _AT)
    assert len(text) <= 160
    reading = read_sms(text, number)
    _agrees(reading, lon, lat, radius_m, confidence)
    assert reading.positions[0].method is method
    # As the gateway hands it over.
    came = json.dumps({"text": text, "from": number}).encode()
    assert reader_of("sms", "62")(came).positions == reading.positions


def test_most_phones_post_some_send_sms_and_a_cell_comes_by_the_network() -> None:
    random = np.random.default_rng(2)
    ways = [way_of(FixMethod.GNSS, random) for _ in range(400)]
    assert 0.6 < ways.count(Way.HTTPS) / 400 < 0.8
    assert ways.count(Way.SMS) + ways.count(Way.HTTPS) == 400
    assert way_of(FixMethod.CELL, random) is Way.NETWORK
