"""Messages as phones and networks send them, with the facts of the published examples."""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import urlencode

from tests.api.made import LAT, LON

KEY = "a key for tests"

FIRST = (
    'A"ML=1;lt=+48.82639;lg=-2.36619;rd=52;top=20191112112928;lc=68;pm=G;'
    "si=208201771948415;ei=353472104343540;mcc=208;mnc=20"
)
SECOND = (
    'A"ML=2;en=+15555555555;et=1593187189;lo=-37.42175,-122.08461,2000.1;lt=-9999;lc=68;'
    "lz=-100.1,100.1;ls=G;ei=358239059042542;nc=310260;hc=310260;lg=en-US"
)


def with_length(text: str) -> str:
    """The message with its ``ml``."""
    stem = f"{text};ml="
    return f"{stem}{len(stem) + 3 if len(stem) + 2 > 99 else len(stem) + 2}"


def an_sms(lon: float = LON, lat: float = LAT, **changes: str) -> str:
    """A version 1 message from the city's centre."""
    fields = {
        "lt": f"{lat:+.5f}",
        "lg": f"{lon:+.5f}",
        "rd": "30",
        "top": "20261122031500",
        "lc": "68",
        "pm": "G",
        "si": "510109876543210",
        "ei": "353472104343549",
        "mcc": "510",
        "mnc": "10",
    } | changes
    return with_length('A"ML=1;' + ";".join(f"{name}={value}" for name, value in fields.items()))


def a_form(**changes: object) -> bytes:
    """An unsigned form from the city's centre; a field that is None is left out."""
    fields: dict[str, object] = {
        "v": 1,
        "emergency_number": "112",
        "source": "CALL",
        "time": 1_795_317_300_000,
        "location_latitude": LAT,
        "location_longitude": LON,
        "location_time": 1_795_317_310_000,
        "location_accuracy": 20,
        "location_confidence": 68,
        "location_source": "gps",
        "location_altitude": 31.5,
        "location_floor": "2",
        "device_number": "+6281234567890",
        "cell_home_mcc": 510,
    }
    merged = {name: one for name, one in (fields | changes).items() if one is not None}
    return urlencode(merged).encode()


def signed(body: bytes, key: str = KEY) -> bytes:
    """The form with its signature."""
    return body + b"&hmac=" + hmac.new(key.encode(), body, hashlib.sha1).hexdigest().encode()


def a_document(
    *shapes: str,
    entity: str = "pres:caller@example.org",
    method: str = "GPS",
    timestamp: str = "2026-11-22T03:15:00Z",
    confidence: str = "",
) -> bytes:
    """A PIDF-LO document with a location-info a shape."""
    held = f'<con:confidence pdf="normal">{confidence}</con:confidence>' if confidence else ""
    tuples = "".join(
        f"""<tuple id="t{number}"><status><gp:geopriv><gp:location-info>{shape}{held}
        </gp:location-info><gp:usage-rules/><gp:method>{method}</gp:method></gp:geopriv></status>
        <timestamp>{timestamp}</timestamp></tuple>"""
        for number, shape in enumerate(shapes)
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:gp="urn:ietf:params:xml:ns:pidf:geopriv10"
 xmlns:gml="http://www.opengis.net/gml" xmlns:gs="http://www.opengis.net/pidflo/1.0"
 xmlns:con="urn:ietf:params:xml:ns:geopriv:conf" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model"
 entity="{entity}">{tuples}</presence>""".encode()


FLAT = 'srsName="urn:ogc:def:crs:EPSG::4326"'
SOLID = 'srsName="urn:ogc:def:crs:EPSG::4979"'
M = 'uom="urn:ogc:def:uom:EPSG::9001"'
DEG = 'uom="urn:ogc:def:uom:EPSG::9102"'


def point(pos: str, system: str = FLAT) -> str:
    return f"<gml:Point {system}><gml:pos>{pos}</gml:pos></gml:Point>"


def circle(pos: str, radius: str, system: str = FLAT) -> str:
    return (
        f"<gs:Circle {system}><gml:pos>{pos}</gml:pos><gs:radius {M}>{radius}</gs:radius>"
        "</gs:Circle>"
    )
