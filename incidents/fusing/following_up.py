"""What follows from incidents that were told: cameras look, clips are kept, alarms are counted, and
what is not told yet is told when its pause has passed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from contracts import Incident, IncidentId, WatchClosely
from incidents.fusing.alarms import AlarmPolicy
from incidents.fusing.clipping import Clipping
from incidents.fusing.counts import FusionCounts
from incidents.fusing.cueing import Cueing
from incidents.fusing.drafts import Applied
from incidents.fusing.telling import PAUSE
from incidents.store import Store
from plumbing.bus import Bus, BusUnavailable
from plumbing.clock import Clock
from plumbing.logs import get_logger

_log = get_logger(__name__)


class FollowingUp:
    """For the process that leads; `follow_up` comes after each commit."""

    def __init__(
        self,
        store: Store,
        bus: Bus,
        clock: Clock,
        alarms: AlarmPolicy,
        cueing: Cueing,
        clipping: Clipping,
        counts: FusionCounts,
    ) -> None:
        self._store = store
        self._bus = bus
        self._clock = clock
        self._alarms = alarms
        self._cueing = cueing
        self._clipping = clipping
        self._counts = counts
        self._waiting: dict[IncidentId, float] = {}
        """Incidents with news to tell, and when, by the monotonic clock."""

    def wait_for(self, pending: Iterable[IncidentId]) -> None:
        """Forget what waited, and let these wait no longer; for a memory that was rebuilt."""
        self._waiting = dict.fromkeys(pending, 0.0)

    async def follow_up(self, applied: Applied) -> None:
        """Do what follows from a commit."""
        told = [incident for _, incident in applied.told]
        self._counts.told += len(told)
        for incident in told:
            self._waiting.pop(incident.id, None)
            self._alarms.note(incident, self._clock.now())
        due = self._clock.monotonic_s() + PAUSE.total_seconds()
        for incident_id in applied.waiting:
            self._waiting.setdefault(incident_id, due)
        await self.cue(lambda: self._cueing.for_incidents(told, self._clock.now()))
        await self._clipping.keep_for(told)

    async def catch_up(self, told: Sequence[Incident]) -> None:
        """Do what follows from incidents that were told by who may not have lived to do it. What
        is done already is left as it is."""
        await self.cue(lambda: self._cueing.for_incidents(told, self._clock.now()))
        await self._clipping.keep_for(told)

    async def tell_waiting(self, fencing: int) -> None:
        """Tell what has waited long enough.

        Raises:
            FencedOff: another writer has taken over.
        """
        now = self._clock.monotonic_s()
        due = [incident_id for incident_id, at in self._waiting.items() if at <= now]
        if not due:
            return
        for incident_id in due:
            del self._waiting[incident_id]
        await self.follow_up(await self._store.fusion.publish_pending(fencing=fencing, only=due))

    async def cue(self, reckon: Callable[[], Iterable[WatchClosely]]) -> None:
        """Make cameras look. What they can't be reckoned for is told of all the same."""
        try:
            cues = list(reckon())
        except Exception:  # noqa: BLE001 - a report would else stop all that follow it, for good
            _log.exception("no cameras can be found to look")
            return
        for cue in cues:
            try:
                await self._bus.tell(cue)
                self._counts.cues += 1
            except BusUnavailable:
                # A late cue is worth nothing: what it was for has passed.
                _log.warning("cameras can't be cued: the bus is away", why=cue.why)
