"""How each person at a desk did in an exercise: how fast, and whether the verdicts were right."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median
from typing import Any

from contracts import IncidentState

_CLOCKS = {
    IncidentState.ACKNOWLEDGED: "acknowledged_s",
    IncidentState.VERIFIED: "verified_s",
    IncidentState.DISPATCHED: "dispatched_s",
}
_SAYS_REAL = {IncidentState.VERIFIED: True, IncidentState.REJECTED: False}
_NOT_A_DECISION = frozenset({IncidentState.CANCELLED, IncidentState.DETECTED})
"""What ends an exercise, and what takes a mistake back, is nobody's score."""


@dataclass(frozen=True, slots=True)
class Act:
    """Somebody moved an incident on."""

    actor: str
    state: IncidentState
    """What it became by that."""
    at: datetime


@dataclass(frozen=True, slots=True)
class Case:
    """A shown incident beside the truth."""

    shown_at: datetime
    is_real: bool | None
    """Whether it is about something that happened; None where nobody can say."""
    acts: tuple[Act, ...]


@dataclass(slots=True)
class TraineeScore:
    """One person's; waits are in seconds from when an incident was shown."""

    name: str
    waits: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    right: int = 0
    """Real incidents verified, and others rejected."""
    believed: int = 0
    """Verified, though nothing had happened."""
    dismissed: int = 0
    """Rejected, though it had happened."""

    def to_plain(self) -> dict[str, Any]:
        """JSON form: counts, and median waits, None where there were none."""
        found: dict[str, Any] = {"name": self.name}
        for clock in _CLOCKS.values():
            waits = self.waits.get(clock, [])
            found[clock] = round(median(waits), 1) if waits else None
            found[clock.removesuffix("_s")] = len(waits)
        return found | {
            "right": self.right,
            "believed": self.believed,
            "dismissed": self.dismissed,
        }


def trainee_scores(cases: Iterable[Case]) -> list[TraineeScore]:
    """Everybody who decided something, by name.

    A step counts for who took it first; of several verdicts about one incident each one's last.
    """
    found: dict[str, TraineeScore] = {}
    for case in cases:
        taken: set[IncidentState] = set()
        verdicts: dict[str, bool] = {}
        for act in case.acts:
            if act.state in _NOT_A_DECISION:
                continue
            person = found.setdefault(act.actor, TraineeScore(act.actor))
            if act.state in _CLOCKS and act.state not in taken:
                taken.add(act.state)
                person.waits[_CLOCKS[act.state]].append((act.at - case.shown_at).total_seconds())
            if act.state in _SAYS_REAL:
                verdicts[act.actor] = _SAYS_REAL[act.state]
        for actor, says_real in verdicts.items():
            _judge(found[actor], says_real=says_real, is_real=case.is_real)
    return sorted(found.values(), key=lambda person: person.name)


def _judge(person: TraineeScore, *, says_real: bool, is_real: bool | None) -> None:
    if is_real is None:
        return
    if says_real == is_real:
        person.right += 1
    elif says_real:
        person.believed += 1
    else:
        person.dismissed += 1
