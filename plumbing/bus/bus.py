"""`Bus`: everything that the roles say to one another, in one place."""

from __future__ import annotations

from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Mapping,
    Sequence,
)
from types import TracebackType
from typing import Any, Self, TypeVar

from contracts import (
    CameraId,
    Cue,
    HeadReport,
    ProbeAnswer,
    ProbeCamera,
    ScenarioReport,
    StartScenario,
    StreamSource,
    from_plain,
    to_plain,
)
from contracts.models import ModelsReport
from contracts.verdicts import Verdict
from plumbing.bus.exercises import ExerciseState
from plumbing.bus.figures import Notices
from plumbing.bus.heads import Heads
from plumbing.bus.hints import Hints
from plumbing.bus.leases import HeldLease, Lease, Leases
from plumbing.bus.link import Link
from plumbing.bus.questions import Questions
from plumbing.bus.register import Register
from plumbing.bus.streams import Delivery, Streams, Topic
from plumbing.bus.verdicts import VerdictBook

T = TypeVar("T")

MODELS_KEPT_S = 300.0
"""A worker that says nothing for longer has no models any more."""
PROBES_AT_ONCE = 4
"""Cameras that one worker opens on request together."""


class Bus:
    """One process's connection to the bus, for one event loop. Connects at the first use.

    Args:
        url: ``redis://[:password@]host:port/db`` (Valkey, or Redis 7 and later).
        namespace: starts every key, so that installations can share a server.
        max_backlog: entries a topic holds at most; then `publish` raises `BusFull` and the
            publisher keeps its own (nothing confirmed is ever dropped to make room).

    Raises:
        ValueError: the URL is none.
    """

    def __init__(self, url: str, namespace: str = "siaga", max_backlog: int = 100_000) -> None:
        self._link = Link(url, namespace)
        self._streams = Streams(self._link, max_backlog)
        self._leases = Leases(self._link)
        self._probes = Questions(
            self._link,
            "probe",
            ProbeCamera,
            ProbeAnswer,
            answerer="worker",
            at_once=PROBES_AT_ONCE,
        )
        self._hints = Hints(self._link)
        self._scenarios = Questions(
            self._link,
            "exercise",
            StartScenario,
            ScenarioReport,
            answerer="simulated city",
            at_once=1,
        )
        self._exercise = ExerciseState(self._link)
        self._register = Register(self._link)
        self._heads = Heads(self._link)
        self._verdicts = VerdictBook(self._link)
        self._figures = Notices(self._link, "figures")
        self._models = Notices(self._link, "models", MODELS_KEPT_S)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections; leases that are still held lapse by themselves."""
        await self._link.close()

    async def ping(self) -> None:
        """Raise `BusUnavailable` unless the server answers."""
        async with self._link.reached():
            await self._link.quick.echo("ping")

    async def publish(self, topic: Topic[T], value: T) -> None:
        """Append one value; returns once the server has it on disk (with ``appendfsync always``).

        Raises:
            BusUnavailable: it may or may not have arrived; publish it again.
            BusFull: the topic's backlog is full.
        """
        await self._streams.publish(topic, [value])

    async def publish_all(self, topic: Topic[T], values: Sequence[T]) -> None:
        """Append all values or none, for the price of one write to disk; errors as `publish`."""
        await self._streams.publish(topic, values)

    def begin(self, topic: Topic[Any], group: str, consumer: str) -> None:
        """Begin a consumer's life anew: what it, or another process under its name, was given
        meanwhile and never acknowledged comes first again. A process's first life begins by itself.
        """
        self._streams.begin(topic, group, consumer)

    async def receive(
        self,
        topic: Topic[T],
        group: str,
        consumer: str,
        *,
        count: int = 256,
        block_s: float = 1.0,
        reclaim_after_s: float = 15.0,
    ) -> list[Delivery[T]]:
        """Up to ``count`` entries for one consumer of a group; none after ``block_s`` of quiet.

        First comes what this consumer was given before it restarted, then what others (or itself)
        were given ``reclaim_after_s`` ago and never acknowledged, then what is new. A group that
        is asked for the first time starts with everything that is still there.
        """
        return await self._streams.receive(
            topic,
            group,
            consumer,
            count=count,
            block_s=block_s,
            reclaim_after_s=reclaim_after_s,
        )

    async def acknowledge(self, topic: Topic[Any], group: str, entry_ids: Iterable[str]) -> None:
        """Say that these are safe elsewhere; trims what every group of the topic is done with."""
        await self._streams.acknowledge(topic, group, entry_ids)

    async def wake(self, seq: int) -> None:
        """Hint to readers that the log has come to ``seq``."""
        await self._hints.wake(seq)

    def wakes(self) -> AsyncIterator[int]:
        """Hints, without end, across reconnects.

        Hints can be missed while the bus is away. So the last number seen (0 before the first) is
        yielded again after each connection, the first one included: look at the log then too.
        """
        return self._hints.wakes()

    async def publish_register(self, sources: Sequence[StreamSource]) -> None:
        """Replace the register of streams that workers watch."""
        await self._register.publish(sources)

    async def read_register(self) -> list[StreamSource]:
        """The register, by camera id. Cheap while nothing changes: poll it every second or two.

        Raises:
            RegisterMissing: nobody has published one since the server started empty; a worker
                keeps the cameras it has (`BusUnavailable` says the same).
        """
        return await self._register.read()

    async def note_head(self, camera_id: CameraId, report: HeadReport) -> None:
        """Tell what a turning camera's head reports; kept for a minute."""
        await self._heads.note(camera_id, report)

    async def recent_heads(
        self, camera_ids: Collection[CameraId]
    ) -> dict[CameraId, tuple[HeadReport, ...]]:
        """What heads reported within the last minute, the newest first."""
        return await self._heads.recent(camera_ids)

    async def publish_verdicts(self, verdicts: Mapping[CameraId, Sequence[Verdict]]) -> None:
        """Replace what workers know of people's decisions about their cameras' sightings."""
        await self._verdicts.publish(verdicts)

    async def verdicts_are_published(self) -> bool:
        """Whether the server still holds what this process published last."""
        return await self._verdicts.is_published()

    async def read_verdicts(
        self, camera_ids: Collection[CameraId]
    ) -> dict[CameraId, tuple[Verdict, ...]] | None:
        """The decisions about some cameras' sightings, oldest first.

        None while nothing has changed since the last call, in them or in ``camera_ids``, and
        where none were ever published. Cheap then: ask every second or two.
        """
        return await self._verdicts.read(camera_ids)

    async def publish_figures(self, worker: str, figures: Mapping[str, float]) -> None:
        """Say what a worker has counted; forgotten when it says nothing for a minute."""
        await self._figures.publish(worker, dict(figures))

    async def read_figures(self) -> dict[str, dict[str, float]]:
        """What the workers have counted, by worker and name."""
        told = await self._figures.read()
        return {
            worker: {name: float(value) for name, value in figures.items()}
            for worker, figures in told.items()
        }

    async def publish_models(self, worker: str, report: ModelsReport) -> None:
        """Tell of a worker's models; forgotten when it isn't repeated for some minutes."""
        await self._models.publish(worker, to_plain(report))

    async def read_models(self) -> dict[str, ModelsReport]:
        """What the workers tell of their models, by worker."""
        told = await self._models.read()
        return {worker: from_plain(ModelsReport, plain) for worker, plain in told.items()}

    async def ask(self, command: ProbeCamera, timeout_s: float) -> ProbeAnswer:
        """Have a worker open a stream once.

        Raises:
            NoAnswer: no worker took it or finished within ``timeout_s``, or it failed at it.
        """
        return await self._probes.ask(command, timeout_s)

    async def answer_probes(self, answer: Callable[[ProbeCamera], Awaitable[ProbeAnswer]]) -> None:
        """Answer probes until cancelled, a few at a time; one that is too late is not begun."""
        await self._probes.answer(answer)

    async def tell(self, command: Cue) -> None:
        """Cue all workers."""
        await self._hints.tell(command)

    def told(self, since_s: float = 60.0) -> AsyncIterator[Cue]:
        """Cues, without end and across reconnects, from ``since_s`` seconds before the first step.

        A worker that has just restarted so learns what is still to be watched; cues whose
        ``until`` has passed come too, and are its to ignore.
        """
        return self._hints.told(since_s)

    async def ask_city(self, command: StartScenario, timeout_s: float) -> ScenarioReport:
        """Have the simulated city play a scenario.

        Raises:
            NoAnswer: no city took it within ``timeout_s``.
        """
        return await self._scenarios.ask(command, timeout_s)

    async def answer_city(
        self, answer: Callable[[StartScenario], Awaitable[ScenarioReport]]
    ) -> None:
        """Answer what the city is asked, until cancelled, across reconnects."""
        await self._scenarios.answer(answer)

    async def publish_exercise(self, report: ScenarioReport) -> None:
        """Tell what the city plays, or how the system did in what it has played."""
        await self._exercise.publish(report)

    async def read_exercise(self) -> ScenarioReport | None:
        """What the city told last; None where there has been none."""
        return await self._exercise.read()

    async def take_lease(
        self, name: str, holder: str, ttl_s: float, *, above: int = 0, note: str = ""
    ) -> Lease | None:
        """Take a lease for ``ttl_s`` unless another holds it (then None).

        The fencing number grows by one with each new holding, and exceeds ``above``: pass the
        highest one that the guarded resource has seen, so that a server that lost its memory
        can't lock everybody out. Taking one's own lease again prolongs it. ``note`` is what others
        are to know of the holder (`look_at_leases`).
        """
        return await self._leases.take(name, holder, ttl_s, above, note)

    async def renew_lease(self, lease: Lease, ttl_s: float) -> bool:
        """Prolong a lease; False when it is no longer ours, and so must be taken anew."""
        return await self._leases.renew(lease, ttl_s)

    async def renew_leases(
        self, leases: Sequence[Lease], ttl_s: float, notes: Sequence[str] = ()
    ) -> list[bool]:
        """As `renew_lease`, for many in one go; notes, one a lease, replace theirs."""
        return await self._leases.renew_all(leases, ttl_s, notes)

    async def look_at_leases(self, names: Sequence[str]) -> list[HeldLease | None]:
        """Who holds these leases, and their notes; none for those that are free."""
        return await self._leases.look(names)

    async def release_lease(self, lease: Lease) -> None:
        """Give a lease back; harmless where it is no longer ours."""
        await self._leases.release(lease)

    async def leases(self, prefix: str) -> dict[str, str]:
        """Who holds what, by name, among the leases whose names start with ``prefix``."""
        return await self._leases.held(prefix)
