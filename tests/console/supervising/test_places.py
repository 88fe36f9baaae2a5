"""The reports' map."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.console.supervising.conftest import go
from tests.support.api import ApiThread
from tests.support.system import eventually

pytestmark = pytest.mark.timeout(300)


def test_the_reports_map_draws_what_no_camera_sees(page: Page, api: ApiThread) -> None:
    with api.client() as client:
        camera = {
            "name": "Seeing", "url": "rtsp://127.0.0.1/seeing",
            "position": {"lon": 106.992, "lat": -6.2383},
            "pose": {
                "position": {"lon": 106.992, "lat": -6.2383}, "height_m": 8, "bearing_deg": 30,
                "tilt_deg": -12, "hfov_deg": 60, "width_px": 1280, "height_px": 720,
            },
        }  # fmt: skip
        client.post("/api/v1/cameras", json=camera).raise_for_status()
    go(page, "reports")
    page.get_by_test_id("report-places").scroll_into_view_if_needed()
    eventually(lambda: page.evaluate("window.siagaPlaces?.idle() || null"), 60, "the map is drawn")
    expect(page.get_by_test_id("alarms-average")).to_have_attribute("data-met", "true")
    expect(page.get_by_test_id("report-coverage")).to_contain_text("of the city is seen")
