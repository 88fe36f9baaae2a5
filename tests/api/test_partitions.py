"""An exercise and reality at one place and one time: nothing of the one reaches the other, by any
way out, whatever is reported in whichever order."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts import Decision, Hazard, LonLat, Report, ReportBody
from contracts import Sequence as SequenceNumber
from incidents.fusing.mind import Mind
from plumbing.bus import Bus
from plumbing.settings import CitySettings, FusionSettings
from tests.api.made import a_call, a_camera
from tests.api.receivers import Receiver, receiving
from tests.api.test_cot import tak_server
from tests.incidents import make
from tests.incidents.running import decided, leading, running, until
from tests.support.api import api_settings, running_api
from tests.support.store import START

HAZARDS = (Hazard.FIRE, Hazard.CRASH, Hazard.FLOOD)


@st.composite
def stories(draw: st.DrawFn) -> list[ReportBody]:
    """Calls with positions near one another, some of them played."""
    bodies: list[ReportBody] = []
    for number in range(1, draw(st.integers(2, 9))):
        exercise = draw(st.booleans())
        at = START + timedelta(seconds=20 * number)
        away_deg = draw(st.sampled_from([0.0, 0.0004, 0.004]))
        place = LonLat(make.CENTRE.lon + away_deg, make.CENTRE.lat)
        hazard = draw(st.sampled_from(HAZARDS))
        bodies += [
            make.call(number, hazard=hazard, received_at=at, exercise=exercise),
            make.fix(
                number,
                call_number=number,
                place=place,
                positioned_at=at,
                received_at=at,
                exercise=exercise,
            ),
        ]
    return bodies


def decisions(bodies: list[ReportBody]) -> list[Decision]:
    """What fusion makes of them, in their order."""
    mind = Mind(CitySettings(), FusionSettings())
    reports = [
        Report(seq=SequenceNumber(seq), recorded_at=START, body=body)
        for seq, body in enumerate(bodies, 1)
    ]
    return [one for outcome in mind.decide(reports, 60) for one in outcome.decisions]


@given(stories())
@settings(max_examples=25)
def test_what_is_played_changes_no_thought_about_what_is_real(bodies: list[ReportBody]) -> None:
    together = decisions(bodies)
    for partition in (False, True):
        alone = decisions([one for one in bodies if one.exercise is partition])
        theirs = [one for one in together if one.estimate and one.estimate.exercise is partition]
        assert [one.incident_id for one in theirs] == [one.incident_id for one in alone]
        assert [one.estimate for one in theirs] == [one.estimate for one in alone]


async def test_nothing_played_leaves_by_a_real_way_out(tmp_path: Path, bus: Bus) -> None:
    async with tak_server() as tak, receiving(Receiver()) as real, receiving(Receiver()) as drill:
        changes = {
            "webhooks__allow_private": "[127.0.0.0/8]",
            "cot__url": f"tcp://127.0.0.1:{tak.port}",
            "cot__from_level": "signal",
        }
        api_and_more = running_api(api_settings(tmp_path, **changes), bus)
        async with (
            api_and_more as api,
            api.client() as desk,
            running(api.store, bus, api.settings) as fusion,
        ):
            await leading(fusion)
            for receiver, exercise in ((real, False), (drill, True)):
                body = {"name": "x", "url": receiver.url, "exercise": exercise}
                (await desk.post("/api/v1/webhooks", json=body)).raise_for_status()
            for exercise in (True, False):
                camera = a_camera(id=f"camera-{exercise}".lower(), exercise=exercise)
                (await desk.post("/api/v1/cameras", json=camera)).raise_for_status()
            # The same fire at the same place, first played, then real, then both again.
            calls: dict[bool, list[dict[str, Any]]] = {True: [], False: []}
            for exercise in (True, False, True, False):
                answer = await desk.post("/api/v1/calls", json=a_call(exercise=exercise))
                calls[exercise].append(answer.json())
            await decided(fusion, 8)

            listed = (await desk.get("/api/v1/incidents?open=true&limit=50")).json()["incidents"]
            drills = [one for one in listed if one["estimate"]["exercise"]]
            reals = [one for one in listed if not one["estimate"]["exercise"]]
            assert (len(drills), len(reals)) == (1, 1)
            (played,), (happened,) = drills, reals
            for exercise, incident in ((True, played), (False, happened)):
                own = {one["call"]["id"] for one in calls[exercise]}
                assert set(incident["estimate"]["call_ids"]) == own
            for exercise, accepted in calls.items():
                seen = {one["camera_id"] for call in accepted for one in call["cameras"]}
                assert seen == {f"camera-{exercise}".lower()}, "each is shown its own cameras"

            for incident in (played, happened):
                for action in ("acknowledge", "verify"):
                    now = (await desk.get(f"/api/v1/incidents/{incident['id']}")).json()
                    step = {"action": action, "version": now["version"]}
                    done = await desk.post(f"/api/v1/incidents/{incident['id']}/actions", json=step)
                    assert done.status_code == 200, done.text

            hidden = [played["id"], *(one["call"]["id"] for one in calls[True]), "camera-true"]
            await _tells_nothing_of(desk, hidden, happened["id"])
            mixed = f"/api/v1/incidents/{happened['id']}/merge"
            merge = {"other_id": played["id"], "version": 99, "other_version": 99, "reason": "r"}
            assert (await desk.post(mixed, json=merge)).status_code in (409, 422)

            async def delivered() -> bool:
                told = [json.loads(one.body) for one in real.taken]
                return any("verified" in one["type"] for one in told)

            await until(delivered)
            for receiver, partition in ((real, False), (drill, True)):
                events = [json.loads(one.body) for one in receiver.taken]
                assert events
                assert {one["data"]["exercise"] for one in events} == {partition}
            learnt = await api.store.verdicts.by_camera(START - timedelta(days=3650))
            assert all(not one.exercise for some in learnt.values() for one in some)
        told_tak: list[str] = []
        while not tak.events.empty():
            told_tak.append(tak.events.get_nowait().decode())
        assert any(happened["id"] in one for one in told_tak)
        assert not any(played["id"] in one or "LATIHAN" in one for one in told_tak)


async def _tells_nothing_of(desk: Any, hidden: list[str], happened: str) -> None:
    """Every way out that isn't asked for exercises."""
    for address in (
        "/cap/feed?level=alarm&level=candidate&level=signal",
        "/ogc/collections/incidents/items?limit=100",
        "/ogc/collections/cameras/items?limit=100",
        "/api/v1/incidents.csv",
        "/api/v1/incidents.geojson",
        "/api/v1/reports/kinds",
        "/api/v1/reports/clocks",
        "/api/v1/reports/false-alarms",
        "/api/v1/reports/alarms",
        "/api/v1/reports/heat",
        "/api/v1/coverage",
        "/api/v1/log?exercise=false&limit=500",
    ):
        answer = await desk.get(address)
        assert answer.status_code == 200, address
        assert not [one for one in hidden if one in answer.text], address
    table = (await desk.get("/api/v1/reports/kinds")).json()
    drills = (await desk.get("/api/v1/reports/kinds?exercise=true")).json()
    for found in (table, drills):
        assert found["incidents"] == 1
    exported = (await desk.get("/api/v1/incidents.csv")).text
    assert happened in exported
