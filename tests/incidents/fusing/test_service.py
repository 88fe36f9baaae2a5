import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from contracts import (
    AlarmLevel,
    CallId,
    CameraId,
    CameraPose,
    CameraState,
    Hazard,
    IncidentAction,
    LogKind,
    LonLat,
    Report,
    ReportId,
    TrackId,
    WatchClosely,
)
from geo.fusion import Fusion
from incidents.fusing import work
from incidents.fusing.cueing import Cueing
from incidents.log import LogFilter
from incidents.store import Store
from plumbing.bus import DETECTIONS, HEALTH, Bus
from plumbing.clock import SystemClock
from plumbing.embedded_bus import EmbeddedBus
from plumbing.settings import Settings, SettingsError
from tests.incidents.live import call_bodies, detection
from tests.incidents.make import CENTRE, camera, health, picture
from tests.incidents.running import decided, leading, now, running, until

FAR = LonLat(CENTRE.lon + 0.02, CENTRE.lat)


async def test_a_detection_on_the_bus_becomes_an_incident(live_store: Store, bus: Bus) -> None:
    async with running(live_store, bus) as service:
        await leading(service)
        await bus.publish(DETECTIONS, detection(picture_id=picture(1)))
        await decided(service, 1)
    (one,) = (await live_store.snapshot()).incidents
    assert (one.hazard, one.level) == (Hazard.FIRE, AlarmLevel.ALARM)
    assert one.key_picture is not None
    assert one.key_picture.camera_id == "camera-1"
    assert set(one.best_camera_ids) == {"camera-1", "camera-2"}
    assert service.intake.counts.accepted == 1


async def test_a_detection_can_be_followed_to_its_incident_in_the_log_lines(
    live_store: Store, bus: Bus
) -> None:
    seen = detection(picture_id=picture(1))
    with capture_logs() as lines:
        async with running(live_store, bus) as service:
            await leading(service)
            await bus.publish(DETECTIONS, seen)
            await decided(service, 1)
    (one,) = (await live_store.snapshot()).incidents
    told = [line for line in lines if line["event"] == "decided" and line["report_id"] == seen.id]
    assert told[0]["incident_ids"] == [one.id]


async def test_camera_and_caller_meet_in_one_incident_and_far_ones_do_not(
    live_store: Store, bus: Bus
) -> None:
    async with running(live_store, bus) as service:
        await leading(service)
        await bus.publish(DETECTIONS, detection())
        await decided(service, 1)
        await live_store.reports.accept(call_bodies(1))  # type: ignore[arg-type]
        await live_store.reports.accept(call_bodies(2, FAR))  # type: ignore[arg-type]
        await decided(service, 5)
    near, far = (await live_store.snapshot()).incidents
    assert (near.estimate.camera_ids, near.estimate.call_ids) == (("camera-1",), ("call-1",))
    assert (far.estimate.camera_ids, far.estimate.call_ids) == ((), ("call-2",))


async def test_a_call_is_decided_on_when_its_wake_up_comes(
    live_store: Store,
    bus: Bus,
    sqlite_url: str,
    shared_server: EmbeddedBus,
    namespace: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Without a poll, nothing but the wake-up can bring the decision.
    monkeypatch.setattr(work, "POLL_S", 3600.0)
    # The API has a store and a bus of its own.
    api_store = await Store.open(sqlite_url, SystemClock())
    async with running(live_store, bus) as service, Bus(shared_server.url, namespace) as api_bus:
        await leading(service)
        await asyncio.sleep(0.3)
        for number in range(1, 8):
            await api_store.reports.accept(call_bodies(number))  # type: ignore[arg-type]
            await api_bus.wake(await api_store.log.last_seq())
            await decided(service, 2 * number, seconds=5)
    await api_store.close()


async def test_without_a_wake_up_the_poll_finds_it(
    live_store: Store, bus: Bus, sqlite_url: str
) -> None:
    api_store = await Store.open(sqlite_url, SystemClock())
    async with running(live_store, bus) as service:
        await leading(service)
        await api_store.reports.accept(call_bodies(1))  # type: ignore[arg-type]
        await decided(service, 2, seconds=2)
    await api_store.close()


async def test_exercise_and_reality_never_meet(live_store: Store, bus: Bus) -> None:
    async with running(live_store, bus) as service:
        await leading(service)
        await live_store.reports.accept(call_bodies(1))  # type: ignore[arg-type]
        await live_store.reports.accept(call_bodies(2, exercise=True))  # type: ignore[arg-type]
        drill = detection(1, camera=3, exercise=True)
        await bus.publish(DETECTIONS, drill)
        await decided(service, 5)
    incidents = (await live_store.snapshot()).incidents
    assert {(one.estimate.exercise, one.estimate.call_ids) for one in incidents} == {
        (False, ("call-1",)),
        (True, ("call-2",)),
    }
    (exercise,) = (one for one in incidents if one.estimate.exercise)
    assert exercise.estimate.camera_ids == ("camera-3",)
    assert exercise.best_camera_ids == ("camera-3",)


async def test_what_a_person_ended_takes_no_more_reports(live_store: Store, bus: Bus) -> None:
    async with running(live_store, bus) as service:
        await leading(service)
        await bus.publish(DETECTIONS, detection(1))
        await decided(service, 1)
        (one,) = (await live_store.snapshot()).incidents
        rejected = await live_store.incidents.act(
            one.id, IncidentAction.REJECT, actor="sari", version=one.version, reason="lampu"
        )
        for number in range(2, 6):
            await bus.publish(DETECTIONS, detection(number))
        await decided(service, 5)
    assert await live_store.incidents.get(one.id) == rejected
    assert (await live_store.snapshot()).incidents == ()


async def test_a_new_place_of_a_camera_counts_from_then_on(live_store: Store, bus: Bus) -> None:
    async with running(live_store, bus) as service:
        await leading(service)
        moved = camera(1, position=FAR, pose=None)
        await live_store.cameras.save(moved, actor="budi", version=1)
        await bus.publish(DETECTIONS, detection())
        await decided(service, 1)
    (one,) = (await live_store.snapshot()).incidents
    assert abs(one.estimate.location.lon - FAR.lon) < 0.001


async def test_cameras_are_cued_by_calls_and_incidents(live_store: Store, bus: Bus) -> None:
    cues: asyncio.Queue[WatchClosely] = asyncio.Queue()

    async def collect() -> None:
        async for cue in bus.told():
            if isinstance(cue, WatchClosely):
                cues.put_nowait(cue)

    collector = asyncio.create_task(collect())
    async with running(live_store, bus) as service:
        await leading(service)
        await live_store.reports.accept(call_bodies(1))  # type: ignore[arg-type]
        cue = await asyncio.wait_for(cues.get(), 5)
        assert set(cue.camera_ids) == {"camera-1", "camera-2"}
        assert cue.why == "call call-1"
        assert timedelta() < cue.until - now() <= timedelta(minutes=2)
        await bus.publish(DETECTIONS, detection())
        cue = await asyncio.wait_for(cues.get(), 5)
        assert cue.why.startswith("incident ")
        # Nobody looks where no camera does, and an old call is caught up with only.
        await live_store.reports.accept(call_bodies(2, FAR))  # type: ignore[arg-type]
        old = [
            replace(body, received_at=now() - timedelta(hours=1))  # type: ignore[type-var]
            for body in call_bodies(3)
        ]
        await live_store.reports.accept(old)  # type: ignore[arg-type]
        await decided(service, 7)
        assert "call call-3" not in {cues.get_nowait().why for _ in range(cues.qsize())}
    collector.cancel()


async def test_health_reaches_the_log_and_the_register_follows_the_cameras(
    live_store: Store, bus: Bus
) -> None:
    async with running(live_store, bus) as service:
        await leading(service)
        await bus.publish(HEALTH, health(1, since=now()))
        await bus.publish(HEALTH, health(9, since=now()))
        await bus.publish(HEALTH, health(1, state=CameraState.FROZEN, since=now()))

        async def frozen() -> bool:
            known = (await live_store.cameras.healths()).get(CameraId("camera-1"))
            return known is not None and known.state is CameraState.FROZEN

        await until(frozen)
        healths = LogFilter(kinds=frozenset({LogKind.CAMERA_HEALTH}))
        logged = await live_store.log.after(0, only=healths)
        assert [entry.detail for entry in logged] == ["live", "frozen"]

        async def registered() -> list[str]:
            return [source.camera_id for source in await bus.read_register()]

        assert await registered() == ["camera-1", "camera-2", "camera-3"]
        await live_store.cameras.remove(CameraId("camera-2"), actor="budi")

        async def gone() -> bool:
            return await registered() == ["camera-1", "camera-3"]

        await until(gone, 2)


async def test_what_can_not_be_read_is_kept_and_blocks_nothing(
    live_store: Store, bus: Bus, shared_server: EmbeddedBus, namespace: str
) -> None:
    import redis.asyncio

    raw = redis.asyncio.Redis.from_url(shared_server.url)
    await raw.xadd(f"{namespace}:stream:detections", {"v": b"no JSON"})
    await raw.xadd(f"{namespace}:stream:detections", {"v": b'{"id": "half a detection"}'})
    await raw.aclose()
    async with running(live_store, bus) as service:
        await leading(service)
        await bus.publish(DETECTIONS, detection())
        await decided(service, 1)

        async def kept() -> bool:
            return service.intake.counts.dead_letters == 2

        await until(kept)
    letters = await live_store.dead_letters.newest()
    assert len(letters) == 2
    assert all(one.id.startswith("detections/") and one.is_whole for one in letters)


async def test_a_report_that_breaks_fusion_is_set_aside_and_the_next_one_counts(
    live_store: Store, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Fusion.add

    def breaks(self: Fusion, report: Report) -> list[object]:
        if report.id == "report-detection-2":
            raise ZeroDivisionError("nobody thought of this")
        return whole(self, report)  # type: ignore[return-value]

    monkeypatch.setattr(Fusion, "add", breaks)
    async with running(live_store, bus) as service:
        await leading(service)
        for number in (1, 2, 3):
            await bus.publish(DETECTIONS, detection(number))
        await decided(service, 3)
        assert (service.counts.decided, service.counts.set_aside) == (3, 1)
    assert await live_store.reports.set_aside() == [
        (ReportId("report-detection-2"), "ZeroDivisionError: nobody thought of this")
    ]
    memory = await live_store.fusion.remember(now() - timedelta(hours=1))
    assert set(memory.assignment) == {"report-detection-1", "report-detection-3"}
    assert len(set(memory.assignment.values())) == 1


async def test_a_report_that_no_camera_can_be_found_for_is_decided_on_all_the_same(
    live_store: Store, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object) -> list[object]:
        raise ZeroDivisionError("nobody thought of this")

    monkeypatch.setattr(Cueing, "for_reports", breaks)
    monkeypatch.setattr(Cueing, "for_incidents", breaks)
    async with running(live_store, bus) as service:
        await leading(service)
        await live_store.reports.accept(call_bodies(1))  # type: ignore[arg-type]
        await decided(service, 2)
        (one,) = (await live_store.snapshot()).incidents
    assert one.estimate.call_ids == ("call-1",)


async def test_a_pose_that_geometry_refuses_leaves_the_camera_its_place(
    live_store: Store, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Fusion.set_camera

    def refuses(self: Fusion, camera_id: CameraId, pose: object) -> None:
        if camera_id == "camera-1" and isinstance(pose, CameraPose):
            raise ValueError("a singular matrix")
        whole(self, camera_id, pose)  # type: ignore[arg-type]

    monkeypatch.setattr(Fusion, "set_camera", refuses)
    async with running(live_store, bus) as service:
        await leading(service)
        await bus.publish(DETECTIONS, detection())
        await decided(service, 1)
    (one,) = (await live_store.snapshot()).incidents
    assert one.estimate.camera_ids == ("camera-1",)
    assert one.best_camera_ids == ("camera-2",)


async def test_settings_that_can_not_be_used_are_refused(
    live_store: Store, bus: Bus, tmp_path: Path
) -> None:
    async def refused(**sections: object) -> str:
        with pytest.raises(SettingsError) as error:
            async with running(live_store, bus, Settings.model_validate(sections)):
                pass
        return str(error.value)

    assert "fusion.false_calls_per_km2_day: must be" in await refused(
        fusion={"false_calls_per_km2_day": 0}
    )
    assert "can't read" in await refused(city={"areas": tmp_path / "none.geojson"})
    broken = tmp_path / "areas.geojson"
    broken.write_text(json.dumps({"type": "Feature"}))
    assert "FeatureCollection" in await refused(city={"areas": broken})


async def test_places_are_named_by_the_configured_areas(
    live_store: Store, bus: Bus, tmp_path: Path
) -> None:
    ring = [[106.9, -6.3], [107.1, -6.3], [107.1, -6.2], [106.9, -6.2], [106.9, -6.3]]
    areas = tmp_path / "areas.geojson"
    areas.write_text(
        json.dumps(
            {
                "type": "FeatureCollection",
                "features": [
                    {
                        "type": "Feature",
                        "properties": {"name": "Bekasi Selatan"},
                        "geometry": {"type": "Polygon", "coordinates": [ring]},
                    }
                ],
            }
        )
    )
    settings = Settings.model_validate({"city": {"areas": areas}})
    async with running(live_store, bus, settings) as service:
        await leading(service)
        await bus.publish(DETECTIONS, detection())
        await decided(service, 1)
    (one,) = (await live_store.snapshot()).incidents
    assert one.place_name == "Bekasi Selatan"


async def test_the_log_and_the_snapshot_agree(live_store: Store, bus: Bus) -> None:
    async with running(live_store, bus) as service:
        await leading(service)
        for number in range(1, 31):
            track = TrackId(f"track-{number % 3}")
            await bus.publish(DETECTIONS, detection(number, track_id=track, llr=number / 3))
            if number % 7 == 0:
                await live_store.reports.accept(call_bodies(number))  # type: ignore[arg-type]
        await decided(service, 38)
        await asyncio.sleep(1.5)
    snapshot = await live_store.snapshot()
    told: dict[str, object] = {}
    for entry in await live_store.log.after(0, limit=10_000):
        assert entry.seq <= snapshot.seq
        if entry.kind.startswith("incident."):
            told[entry.subject_id] = entry.subject
    still_open = {key: one for key, one in told.items() if one.state.is_open}  # type: ignore[attr-defined]
    assert still_open == {one.id: one for one in snapshot.incidents}
    assert (await live_store.calls.get(CallId("call-7"))) in snapshot.calls
