"""Somebody at the console of a running system, and the junction that they look after."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Locator, Page, expect

from contracts import LonLat
from tests.support.system import RunningSystem, eventually

PLAYS = "(video) => video.currentTime > 0 && video.readyState >= 2"


@dataclass
class Desk:
    """Somebody at the console, and the junction that they look after."""

    page: Page
    system: RunningSystem
    words: dict[str, str]
    gateway: dict[str, str]
    """What shows that positions come from the phones' own network."""
    camera: dict[str, Any]
    """As it is registered."""
    scenario: str

    @property
    def panel(self) -> Locator:
        return self.page.get_by_test_id("incident-panel")

    def see(self, testid: str) -> Locator:
        found = self.page.get_by_test_id(testid)
        expect(found).to_be_visible()
        return found

    def go(self, place: str) -> None:
        self.page.evaluate("place => { location.hash = '#/' + place }", place)

    def is_now(self, state: str) -> None:
        expect(self.panel).to_have_attribute("data-state", state)
        expect(self.page.locator("[data-saving=true]")).to_have_count(0)

    def plays(self, within: Locator) -> None:
        """Wait until video moves there."""
        video = within.locator("video").first
        eventually(lambda: video.count() and video.evaluate(PLAYS), 60, "video that plays")

    def sending(self) -> dict[str, Any]:
        """The camera as it is registered once it sends again: a city that has played an exercise
        begins its own day anew, at other addresses."""
        of_it = f"/api/v1/cameras/{self.camera['id']}"

        def asked() -> dict[str, Any] | None:
            camera: dict[str, Any] = self.system.get(of_it)["camera"]
            probe = self.system.client.post(f"{of_it}/probe")
            return camera if probe.is_success and probe.json()["state"] == "live" else None

        return eventually(asked, 60, "the camera sends pictures")

    def place(self, ahead_m: float) -> LonLat:
        """A spot on the ground in front of the camera."""
        pose = self.camera["pose"]
        bearing = math.radians(pose["bearing_deg"])
        lat = pose["position"]["lat"] + ahead_m * math.cos(bearing) / 110_574
        scale = 111_320 * math.cos(math.radians(lat))
        return LonLat(pose["position"]["lon"] + ahead_m * math.sin(bearing) / scale, lat)

    def call(self, hazard: str, at: LonLat) -> None:
        """A caller whose position is known well."""
        location = {"lon": at.lon, "lat": at.lat, "radius_m": 15, "confidence": 0.9}
        body = {"hazard": hazard, "note": "", "location": location, "exercise": True}
        self.system.client.post("/api/v1/calls", json=body).raise_for_status()

    def incident(self) -> dict[str, Any]:
        """The one that is selected, as the server has it."""
        incident_id = self.panel.get_attribute("data-incident")
        found: dict[str, Any] = self.system.get(f"/api/v1/incidents/{incident_id}")
        return found

    def alarm(self, hazard: str, *places: LonLat) -> str:
        """Callers make an alarm, which is opened from the queue."""
        self.go("")
        self._end_all()
        known = {one["id"] for one in self._of(hazard)}
        for place in places:
            self.call(hazard, place)

        def founded() -> str | None:
            new = [one for one in self._of(hazard) if one["id"] not in known]
            return next((str(one["id"]) for one in new if one["level"] == "alarm"), None)

        incident_id = eventually(founded, 60, f"an alarm about {hazard}")
        card = self.see(f"incident-{incident_id}")
        expect(card).to_have_attribute("data-level", "alarm")
        card.click()
        expect(self.panel).to_have_attribute("data-incident", incident_id)
        return incident_id

    def _end_all(self) -> None:
        """What came before is over, or those who call next would be taken for callers about it."""
        for one in self.system.get("/api/v1/incidents?open=true&limit=200")["incidents"]:
            responding = one["state"] in ("dispatched", "en_route", "on_scene")
            decided = "cancel" if responding else "reject"
            body = {"action": decided, "version": one["version"], "reason": "it is over"}
            self.system.client.post(
                f"/api/v1/incidents/{one['id']}/actions", json=body
            ).raise_for_status()

    def _of(self, hazard: str) -> list[dict[str, Any]]:
        found = self.system.get("/api/v1/incidents?open=true&limit=200")["incidents"]
        return [one for one in found if one["estimate"]["hazard"] == hazard]
