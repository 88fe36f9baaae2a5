"""The worker role: owns its cameras end to end.

Life cycle: open the models and the spool, take leases, watch; on SIGTERM stop the cameras, send
what the spool still holds, hand the leases over, end. The event loop does the talking (leases,
spool to bus, health, commands); `WatchThread` and ingest's threads do the work. If the watching
thread dies, the process ends with its error and the supervisor starts a fresh one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path

from camera_ingest import IngestSupervisor, Quarantine, ReferencesInFolder, StreamOpener
from contracts import KeepClip, ProbeAnswer, ProbeCamera, WatchClosely
from detection.crash_model import CrashJudge, open_crash_judge
from detection.model_card import MODELS
from detection.runtime import Backend, open_detector, open_flood_classifier
from plumbing.address_guard import AddressGuard
from plumbing.bus import Bus, BusUnavailable
from plumbing.clock import Clock
from plumbing.evidence import open_evidence
from plumbing.logs import get_logger
from plumbing.sealing import Sealer
from plumbing.settings import DetectionSettings, Settings
from plumbing.spool import Spool
from siaga.watching.budget import CpuBudget
from siaga.watching.clip_keeper import ClipKeeper
from siaga.watching.clutter_maps import ClutterMaps, VerdictReader
from siaga.watching.head_polling import HeadPolling
from siaga.watching.heads import HeadWatch
from siaga.watching.leases import CameraLeases, OwnCameras
from siaga.watching.live_server import LiveServer
from siaga.watching.model_facts import tell_models
from siaga.watching.pipeline import Watch
from siaga.watching.probing import answer_probe
from siaga.watching.shadow import Shadow
from siaga.watching.telling import Telling
from siaga.watching.thread import WatchThread

_log = get_logger(__name__)

REGISTER_EVERY_S = 1.0
VERDICTS_EVERY_S = 0.5


def open_watch(settings: DetectionSettings, learnt: Path, worker: str) -> Watch:
    """The configured models, ready to look, with what was learnt of the cameras under `learnt`.

    Raises:
        DetectionError: a model is missing or damaged, or its back end isn't installed.
    """
    backend = Backend(settings.backend)
    detector = open_detector(backend, model_folder(settings.detector), settings.streams)
    flood = open_flood_classifier(backend, model_folder(settings.flood)) if settings.flood else None
    crash = open_crash(model_folder(settings.crash)) if settings.crash else None
    shadow = None
    if settings.shadow:
        shadow = Shadow(
            detector.card,
            open_detector(backend, model_folder(settings.shadow)),
            settings.shadow_share,
            learnt / "shadow" / f"{worker}.json",
        )
    return Watch(detector, flood, ClutterMaps(learnt / "clutter" / worker), crash, shadow)


def open_crash(folder: Path) -> CrashJudge | None:
    """The crash model, if the installation has one: without it the detector's boxes decide."""
    return open_crash_judge(folder) if folder.is_dir() else None


def model_folder(name: str) -> Path:
    """A committed model's folder by its name, or the path itself."""
    committed = MODELS / name
    return committed if committed.is_dir() else Path(name)


class Worker:
    """One worker process."""

    def __init__(
        self,
        settings: Settings,
        bus: Bus,
        clock: Clock,
        name: str,
        watch: Watch | None = None,
    ) -> None:
        """`watch` looks at the pictures, by default what the settings name (`open_watch`)."""
        self._settings = settings
        self._bus = bus
        self._name = name
        self._loop = asyncio.get_running_loop()
        guard = AddressGuard(settings.ingest.allow_private)
        sealer = Sealer(settings.key_file)
        # Probes open streams beside the watched ones, with a gate of their own.
        self._opener = StreamOpener(settings.ingest, clock, guard, sealer)
        self._evidence = open_evidence(
            settings.evidence_folder, settings.evidence.min_free_bytes, settings.evidence.url
        )
        self._spool = Spool(settings.data_dir / "spool" / f"{name}.sqlite3")
        self._telling = Telling(
            bus,
            self._spool,
            clock,
            name,
            is_sound=lambda: self._leases.is_sound,
            holds=lambda camera_id: self._leases.holds(camera_id),
            watches=lambda camera_id: self._leases.watches(camera_id),
            figures=self._figures,
        )
        self._quarantine = Quarantine(settings.data_dir / "quarantine" / name, clock)
        self._quarantine.begin()
        self._ingest = IngestSupervisor(
            settings.ingest,
            clock,
            guard,
            sealer,
            self._telling.health,
            worker=name,
            references=ReferencesInFolder(settings.data_dir / "views"),
            quarantine=self._quarantine,
        )
        self._live = LiveServer(self._ingest, sealer, clock, settings.worker)
        own = OwnCameras(
            costs=self._ingest.costs,
            has_pictures=self._ingest.has_pictures,
            address=lambda: self._live.address,
            budget=CpuBudget(settings.worker, clock, self._ingest.costs).cameras_ms,
        )
        self._leases = CameraLeases(bus, name, settings.worker, own, clock)
        self._heads = HeadWatch(
            bus, lambda: [source.camera_id for source in self._leases.sources if source.turns]
        )
        self._head_polling = HeadPolling(
            bus, lambda: self._leases.sources, guard, sealer, settings.ingest, clock
        )
        self._watch_thread = WatchThread(
            watch or open_watch(settings.detection, settings.data_dir, name),
            self._ingest,
            self._evidence,
            self._spool,
            clock,
            batch=2 * settings.detection.streams,
            look_back_share=settings.detection.look_back_share,
            frame_width_px=settings.ingest.frame_width_px,
            heads=self._heads,
            on_detection=self._telling.detected,
            on_failure=self._on_watch_failure,
        )
        self._verdicts = VerdictReader(self._evidence)
        self._clips = ClipKeeper(
            self._ingest,
            self._evidence.put,
            self._telling.clip,
            clock,
            name,
            settings.evidence.clips_at_once,
        )
        self._failure: asyncio.Future[object] = self._loop.create_future()

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until ``stopping`` is set; raises what broke the watching thread."""
        self._watch_thread.start()
        await self._live.start()
        jobs: tuple[Coroutine[None, None, object], ...] = (
            stopping.wait(),
            self._keep_leases(),
            *self._telling.jobs(),
            tell_models(self._bus, self._settings, self._name),
            self._follow_commands(),
            self._follow_verdicts(),
            self._heads.follow(),
            self._head_polling.run(),
            self._bus.answer_probes(self._probe),
        )
        tasks = [asyncio.create_task(job) for job in jobs]
        ends: set[asyncio.Future[object]] = {*tasks, self._failure}
        try:
            done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            for finished in done:
                finished.result()
            # The others take the cameras over while everything here still runs.
            await self._leases.drain(self._cameras_left)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._end()

    async def _end(self) -> None:
        await self._clips.end()
        await self._live.close()
        self._watch_thread.stop()
        await asyncio.to_thread(self._ingest.stop)
        await asyncio.to_thread(self._watch_thread.join, 5.0)
        await self._telling.flush()
        await self._leases.release_all()
        self._spool.close()
        self._quarantine.close()

    async def _keep_leases(self) -> None:
        while True:
            if await self._leases.refresh():
                self._cameras_left()
            await asyncio.sleep(min(REGISTER_EVERY_S, self._settings.worker.lease_s / 3))

    def _cameras_left(self) -> None:
        """Watch what is ours to watch now; what has gone to others ends."""
        sources = self._leases.sources
        self._watch_thread.set_sources(sources)
        self._ingest.set_sources(sources)
        self._telling.look_again()

    async def _follow_commands(self) -> None:
        async for command in self._bus.told():
            match command:
                case WatchClosely():
                    self._ingest.watch_closely(list(command.camera_ids), command.until)
                    self._watch_thread.cue(command.camera_ids, command.until)
                case KeepClip():
                    await self._clips.heed(command)

    def _figures(self) -> dict[str, float]:
        pace = self._ingest.pace
        return {
            **self._watch_thread.figures(),
            **self._leases.figures(),
            "cold_rates_share": pace.share,
            "hot_rates_share": pace.hot_share,
        }

    async def _follow_verdicts(self) -> None:
        """What people decided about our cameras' sightings, within a second."""
        while True:
            cameras = {source.camera_id: source for source in self._leases.sources}
            try:
                told = await self._bus.read_verdicts(cameras.keys())
            except BusUnavailable:
                told = None
            if told is not None:
                # An exercise teaches nothing about a real camera, and the other way round.
                fitting = {
                    camera_id: [v for v in some if v.exercise is cameras[camera_id].exercise]
                    for camera_id, some in told.items()
                }
                self._watch_thread.learn(await asyncio.to_thread(self._verdicts.read, fitting))
            await asyncio.sleep(VERDICTS_EVERY_S)

    async def _probe(self, command: ProbeCamera) -> ProbeAnswer:
        return await asyncio.to_thread(
            answer_probe, command.source, self._opener, command.timeout_s, self._evidence
        )

    def _on_watch_failure(self, error: BaseException) -> None:
        def fail() -> None:
            if not self._failure.done():
                self._failure.set_exception(error)

        self._loop.call_soon_threadsafe(fail)
