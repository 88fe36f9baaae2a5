"""Which CAP messages an incident has been told by: decided by its history and the clock alone.

Whoever asks at a moment gets the same message under the same identifier, from any process and
after any restart, and each message names those that it replaces. Fusion refines a live incident
about once a second; a receiver of alerts must not get one a second. So what matters (founding,
people's steps, another hazard or level) makes a message at once, a mere refinement at most one a
minute, and while an incident is open its message is renewed before it expires.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from contracts import Incident, IncidentAction, LogKind
from contracts import Sequence as SequenceNumber
from incidents.keeping.archive import Told

SHORTEST_GAP = timedelta(seconds=60)
"""Between messages that tell of nothing but a refined estimate."""

_ENDING = frozenset(
    {
        IncidentAction.REJECT.value,
        IncidentAction.MARK_DUPLICATE.value,
        IncidentAction.CLOSE.value,
        IncidentAction.CANCEL.value,
    }
)
UNDONE = "undo"
"""What the log says of a step that was taken back."""


class MessageType(StrEnum):
    """CAP's ``msgType``."""

    ALERT = "Alert"
    UPDATE = "Update"
    CANCEL = "Cancel"


@dataclass(frozen=True, slots=True)
class MessageName:
    """What tells a message from the incident's others."""

    seq: int
    """The log entry whose incident it tells."""
    repeat: int
    """0, or which renewal of that entry's message it is."""
    sent: datetime
    """UTC, whole seconds."""


@dataclass(frozen=True, slots=True)
class Issue:
    """A message and those that it replaces, which are the ones not expired when it was sent."""

    name: MessageName
    type: MessageType
    replaces: tuple[MessageName, ...]


def newest_issue(history: Sequence[Told], valid_for: timedelta, now: datetime) -> Issue:
    """The message that holds at ``now``.

    Args:
        history: what the log has told, at least one entry, in order.
        valid_for: how long a message lasts.
        now: not before the history's end.
    """
    teller = _Teller(valid_for)
    for told in history:
        teller.hear(told)
    return teller.at(now)


def beyond_the_log(incident: Incident) -> list[Told]:
    """A history for what the log has no entry of any more: it was founded, and ended, when it was
    last changed."""
    founded = Told(
        seq=SequenceNumber(0),
        recorded_at=incident.updated_at,
        kind=LogKind.INCIDENT_FOUNDED,
        detail="",
        hazard=incident.hazard,
        level=incident.level,
    )
    ended = replace(founded, kind=LogKind.INCIDENT_ACTED, detail=IncidentAction.CLOSE.value)
    return [founded] if incident.state.is_open else [founded, ended]


@dataclass(slots=True)
class _Teller:
    valid_for: timedelta
    is_open: bool = True
    last: Issue | None = None
    live: list[MessageName] = field(default_factory=list)
    heard_seq: int = 0
    """The newest entry heard, told or not."""
    before: Told | None = None
    open_before_step: bool = True
    """Whether it was before the last step of a person, which that person may take back."""

    def hear(self, told: Told) -> None:
        at = told.recorded_at.replace(microsecond=0)
        self._catch_up(at, inclusive=False)
        was_open = self.is_open and self.last is not None
        if told.kind is LogKind.INCIDENT_ACTED:
            is_undone = told.detail == UNDONE
            after = self.open_before_step if is_undone else _open_after(self.is_open, told)
            self.open_before_step, self.is_open = self.is_open, after
        else:
            self.is_open = _open_after(self.is_open, told)
        matters = self.last is None or was_open != self.is_open or self._matters(told)
        self.before, self.heard_seq = told, told.seq
        if not self.is_open and not was_open and self.last is not None:
            return
        if matters or (self.last is not None and at - self.last.name.sent >= SHORTEST_GAP):
            self._issue(at, was_open)

    def at(self, now: datetime) -> Issue:
        self._catch_up(now, inclusive=True)
        if self.last is None:
            raise ValueError("an incident's history has at least one entry")
        return self.last

    def _matters(self, told: Told) -> bool:
        if told.kind is LogKind.INCIDENT_UPDATED or told.detail == IncidentAction.NOTE.value:
            return self.before is None or (told.hazard, told.level) != (
                self.before.hazard,
                self.before.level,
            )
        return True

    def _catch_up(self, until: datetime, *, inclusive: bool) -> None:
        while self.is_open and self.last is not None:
            withheld = self.heard_seq != self.last.name.seq
            due = self.last.name.sent + (SHORTEST_GAP if withheld else self.valid_for / 2)
            if due > until or (due == until and not inclusive):
                return
            self._issue(due, was_open=True)

    def _issue(self, at: datetime, was_open: bool) -> None:
        # The clock of a machine may have been set back; messages never go back.
        sent = at if self.last is None else max(at, self.last.name.sent)
        repeats = self.last is not None and self.last.name.seq == self.heard_seq
        name = MessageName(
            self.heard_seq, self.last.name.repeat + 1 if self.last and repeats else 0, sent
        )
        # One that was reopened, or its ending undone, has nothing to replace: its messages were
        # cancelled.
        live = [one for one in self.live if one.sent + self.valid_for > sent] if was_open else []
        kind = MessageType.UPDATE if live else MessageType.ALERT
        if not self.is_open:
            kind = MessageType.CANCEL
        self.last = Issue(name, kind, tuple(live))
        self.live = [*live, name]


def _open_after(before: bool, told: Told) -> bool:
    if told.kind is LogKind.INCIDENT_ACTED:
        if told.detail == IncidentAction.REOPEN.value:
            return True
        return before and told.detail not in _ENDING
    if told.kind is LogKind.INCIDENT_MERGED:
        return before and not told.detail.startswith("into ")
    if told.kind is LogKind.INCIDENT_UPDATED:
        return before
    return True
