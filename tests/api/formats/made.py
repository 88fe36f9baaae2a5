"""Publishers and messages as these tests need them."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from api.formats.cap_issues import Issue, MessageName, MessageType
from api.formats.publisher import Publisher
from tests.support.store import START

PUBLISHER = Publisher(
    agency_id="112.bekasikota.go.id",
    agency_name="112 Kota Bekasi",
    city="Kota Bekasi",
    zone=ZoneInfo("Asia/Jakarta"),
    base_url="https://siaga.example",
    cap_valid_for=timedelta(hours=1),
)
FIRST = Issue(MessageName(1, 0, START), MessageType.ALERT, ())
