"""A worker's evidence: it keeps the clips that it is asked for, and says what became of them.

Each clip is a task: what came before is written at once, what follows when its time is over, and a
store that takes nothing is tried again with growing waits while the pictures are held. When the
worker ends, the running ones are cut and written, and whoever takes the camera over goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from camera_ingest import IngestSupervisor
from camera_ingest.keeping.clips import ClipRecording, KeepBytes, keep_run
from camera_ingest.keeping.parameter_sets import UnsupportedCodec
from camera_ingest.keeping.preroll import PacketRun, PreRoll
from contracts import ClipId, ClipPart, ClipReport, ClipState, KeepClip
from plumbing.clock import Clock
from plumbing.evidence import EvidenceError
from plumbing.logs import get_logger
from plumbing.redact import redact_url

_log = get_logger(__name__)

LATE_S = 2.0
"""Pictures arrive this long after they were taken, at most, on a healthy line."""
WAITS_S = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Between tries to write; the last one is repeated."""
HOLD_S = 600.0
"""Pictures that can't be written are let go after this long."""
ANSWERS_KEPT = 2_000
NOTHING_CAME = "the camera sent no picture in that time"
TOO_MANY = "too many clips at a time (evidence.clips_at_once): only what came before was kept"

Publish = Callable[[ClipReport], Awaitable[None]]


class ClipKeeper:
    """The clips of one worker. For its event loop.

    Args:
        ingest: Whose pictures are kept.
        keep: Puts a file into the evidence store.
        publish: Hands a report on, and may take as long as it needs to.
        clock: Time.
        worker: The worker's name, for the reports.
        most: Clips that are recorded at a time.
    """

    def __init__(
        self,
        ingest: IngestSupervisor,
        keep: KeepBytes,
        publish: Publish,
        clock: Clock,
        worker: str,
        most: int,
    ) -> None:
        self._ingest = ingest
        self._keep = keep
        self._publish = publish
        self._clock = clock
        self._worker = worker
        self._most = most
        self._running: dict[ClipId, asyncio.Task[None]] = {}
        self._recordings = 0
        self._answers: dict[ClipId, ClipReport] = {}
        self._ending = asyncio.Event()

    async def heed(self, command: KeepClip) -> None:
        """Keep this clip if its camera is ours; asked again, say again what became of it."""
        answered = self._answers.get(command.clip_id)
        if answered is not None:
            await self._publish(answered)
            return
        preroll = self._ingest.preroll(command.camera_id)
        if preroll is None or command.clip_id in self._running or self._ending.is_set():
            return
        task = asyncio.create_task(self._keep_clip(command, preroll), name="clip")
        self._running[command.clip_id] = task
        task.add_done_callback(lambda _: self._running.pop(command.clip_id, None))

    async def end(self) -> None:
        """Cut and write what is being recorded; call it while the cameras are still there."""
        self._ending.set()
        results = await asyncio.gather(*self._running.values(), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                _log.error("a clip was lost", why=f"{type(result).__name__}: {result}")

    async def _keep_clip(self, command: KeepClip, preroll: PreRoll) -> None:
        recording = ClipRecording(preroll, command.since, self._clock.now())
        parts: list[ClipPart] = []
        try:
            may_record = self._recordings < self._most
            if not may_record:
                recording.close()
            self._recordings += may_record
            try:
                if recording.before:
                    await self._write(command, recording.before, parts)
                    if may_record:
                        await self._say(command, ClipState.RECORDING, parts)
                if may_record:
                    await self._wait_for_its_end(command)
            finally:
                recording.close()
                self._recordings -= may_record
            await self._write(command, recording.after() if may_record else [], parts)
        except UnsupportedCodec as error:
            await self._say(command, ClipState.EMPTY, parts, str(error))
            return
        except _GivenUp as error:
            await self._say(command, ClipState.FAILED, parts, str(error), is_over=True)
            return
        cut_short = self._ending.is_set() and self._clock.now() < command.until
        if cut_short:
            await self._say(command, ClipState.RECORDING, parts)
        elif parts:
            detail = "" if may_record else TOO_MANY
            await self._say(command, ClipState.KEPT, parts, detail)
        else:
            await self._say(command, ClipState.EMPTY, parts, NOTHING_CAME)

    async def _wait_for_its_end(self, command: KeepClip) -> None:
        left_s = (command.until - self._clock.now()).total_seconds() + LATE_S
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, left_s)):
                await self._ending.wait()

    async def _write(self, command: KeepClip, runs: list[PacketRun], parts: list[ClipPart]) -> None:
        """Write the runs, trying again while the store takes nothing.

        Raises:
            _GivenUp: it took nothing for too long.
        """
        metadata = {"siaga.camera": command.camera_id, "siaga.incident": command.incident_id}
        began_s = self._clock.monotonic_s()
        tries = 0
        for run in runs:
            while True:
                try:
                    parts.append(await asyncio.to_thread(keep_run, run, metadata, self._keep))
                    break
                except (EvidenceError, OSError) as error:
                    why = redact_url(str(error))
                held_s = self._clock.monotonic_s() - began_s
                if held_s > HOLD_S or self._ending.is_set():
                    raise _GivenUp(f"given up after {held_s:.0f} s: {why}")
                _log.error("a clip can't be written", clip=command.clip_id, why=why)
                if tries == 0:
                    await self._say(command, ClipState.FAILED, parts, f"trying again: {why}")
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(WAITS_S[min(tries, len(WAITS_S) - 1)]):
                        await self._ending.wait()
                tries += 1

    async def _say(
        self,
        command: KeepClip,
        state: ClipState,
        parts: list[ClipPart],
        detail: str = "",
        *,
        is_over: bool = False,
    ) -> None:
        report = ClipReport(
            clip_id=command.clip_id,
            camera_id=command.camera_id,
            worker=self._worker,
            state=state,
            reported_at=self._clock.now(),
            parts=tuple(parts),
            detail=detail,
        )
        _log.info("clip", clip=command.clip_id, state=state.value, parts=len(parts), detail=detail)
        if state.is_final or is_over:
            self._answers[command.clip_id] = report
            while len(self._answers) > ANSWERS_KEPT:
                del self._answers[next(iter(self._answers))]
        await self._publish(report)


class _GivenUp(Exception):
    """The store took nothing for so long that the pictures are let go."""
