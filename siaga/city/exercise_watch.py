"""Look over the system's shoulder while it is exercised: what its feed tells of every incident."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from contracts import (
    AlarmLevel,
    ContractError,
    Hazard,
    Incident,
    IncidentState,
    LogKind,
    from_plain,
)
from plumbing.logs import get_logger
from siaga.feed_client import Change, FeedBroken, Gap, Snapshot, follow_feed
from simulator.scoring import Reported
from simulator.trainees import Act

_log = get_logger(__name__)


@dataclass(slots=True)
class _Known:
    incident: Incident
    shown_as: dict[Hazard, datetime] = field(default_factory=dict)
    alarmed_as: dict[Hazard, datetime] = field(default_factory=dict)
    acts: tuple[Act, ...] = ()


class ExerciseWatch:
    """Follows the feed until cancelled; `reported` gives the incidents since a time."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url
        self._key = key
        self._known: dict[str, _Known] = {}

    async def run(self) -> None:
        """Follow.

        Raises:
            FeedRefused: the key may not read the feed.
        """
        after: int | None = None
        while True:
            try:
                async for item in follow_feed(self._url, key=self._key, after=after):
                    match item:
                        case Snapshot():
                            for plain in item.incidents:
                                self._take(plain, None)
                        case Change(kind=kind) if kind.startswith("incident."):
                            acted = item.actor if kind == LogKind.INCIDENT_ACTED else None
                            self._take(item.subject, item.recorded_at, acted)
                        case Change() | Gap():
                            pass
                    after = None if isinstance(item, Gap) else item.seq
            except FeedBroken as error:
                _log.warning("the feed is read anew", why=str(error))
                after = None

    def reported(self, since: datetime) -> list[Reported]:
        """Everything that was founded since a time."""
        return [
            _reported(known) for known in self._known.values() if known.incident.created_at >= since
        ]

    def untouched(self) -> list[Incident]:
        """Exercise incidents that are open and that nobody has dealt with."""
        return [
            known.incident
            for known in self._known.values()
            if known.incident.state is IncidentState.DETECTED and known.incident.estimate.exercise
        ]

    def _take(self, plain: object, recorded_at: str | None, actor: str | None = None) -> None:
        try:
            incident = from_plain(Incident, plain)
        except ContractError as error:
            _log.error("an incident can't be read", why=str(error))
            return
        known = self._known.setdefault(incident.id, _Known(incident))
        at = incident.updated_at if recorded_at is None else datetime.fromisoformat(recorded_at)
        if actor is not None and incident.state is not known.incident.state:
            known.acts = (*known.acts, Act(actor, incident.state, at))
        known.incident = incident
        if incident.level is not AlarmLevel.SIGNAL:
            known.shown_as.setdefault(incident.estimate.hazard, at)
        if incident.level is AlarmLevel.ALARM:
            known.alarmed_as.setdefault(incident.estimate.hazard, at)


def _reported(known: _Known) -> Reported:
    incident, estimate = known.incident, known.incident.estimate
    return Reported(
        id=incident.id,
        hazard=estimate.hazard,
        probability=estimate.probability,
        location=estimate.location,
        region50=estimate.region50.area,
        region90=estimate.region90.area,
        shown_as=dict(known.shown_as),
        alarmed_as=dict(known.alarmed_as),
        call_ids=tuple(estimate.call_ids),
        camera_ids=tuple(estimate.camera_ids),
        is_absorbed=incident.state is IncidentState.DUPLICATE,
        acknowledged_at=incident.acknowledged_at,
        verified_at=incident.verified_at,
        dispatched_at=incident.dispatched_at,
        acts=known.acts,
    )
