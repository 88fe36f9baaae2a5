"""The life of an incident: which step leads where, and what each step needs. No I/O.

``detected -> acknowledged -> verified | rejected | duplicate -> dispatched -> en_route -> on_scene
-> closed``, and ``cancelled``. Acknowledging says "I am looking"; verifying says "it is true".
An ended incident can be reopened, and is then acknowledged: somebody looks at it again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from contracts import (
    ContractError,
    Incident,
    IncidentAction,
    IncidentId,
    IncidentState,
    Note,
)
from incidents.errors import IllegalStep

MAX_TEXT = 4_000
"""Longest reason or note, in characters."""

_S = IncidentState
_A = IncidentAction

_UNDECIDED = (_S.DETECTED, _S.ACKNOWLEDGED)
_RESPONDING = (_S.DISPATCHED, _S.EN_ROUTE, _S.ON_SCENE)
_OPEN = (*_UNDECIDED, _S.VERIFIED, *_RESPONDING)
_ENDED = (_S.CLOSED, _S.REJECTED, _S.DUPLICATE, _S.CANCELLED)


def _from(
    states: tuple[IncidentState, ...], action: IncidentAction, to: IncidentState
) -> dict[tuple[IncidentState, IncidentAction], IncidentState]:
    return {(state, action): to for state in states}


TRANSITIONS: Mapping[tuple[IncidentState, IncidentAction], IncidentState] = MappingProxyType(
    {
        **_from((_S.DETECTED,), _A.ACKNOWLEDGE, _S.ACKNOWLEDGED),
        **_from(_UNDECIDED, _A.VERIFY, _S.VERIFIED),
        # Once units are on their way an incident is cancelled, not rejected: they must be recalled.
        **_from((*_UNDECIDED, _S.VERIFIED), _A.REJECT, _S.REJECTED),
        **_from(_OPEN, _A.MARK_DUPLICATE, _S.DUPLICATE),
        **_from((_S.VERIFIED,), _A.DISPATCH, _S.DISPATCHED),
        **_from((_S.DISPATCHED,), _A.EN_ROUTE, _S.EN_ROUTE),
        # A unit may be there already when it reports for the first time.
        **_from((_S.DISPATCHED, _S.EN_ROUTE), _A.ON_SCENE, _S.ON_SCENE),
        **_from((_S.VERIFIED, *_RESPONDING), _A.CLOSE, _S.CLOSED),
        **_from(_OPEN, _A.CANCEL, _S.CANCELLED),
        **_from(_ENDED, _A.REOPEN, _S.ACKNOWLEDGED),
        **{(state, _A.NOTE): state for state in IncidentState},
    }
)
"""Every lawful step: (state, action) to the state it leads to."""

NEEDS_REASON = frozenset({_A.REJECT, _A.CANCEL, _A.REOPEN})


def allowed_actions(state: IncidentState) -> tuple[IncidentAction, ...]:
    """What may be done to an incident in this state, in the order of `IncidentAction`."""
    return tuple(action for action in IncidentAction if (state, action) in TRANSITIONS)


def step(
    incident: Incident,
    action: IncidentAction,
    *,
    actor: str,
    at: datetime,
    reason: str = "",
    note: str = "",
    duplicate_of: IncidentId | None = None,
) -> Incident:
    """The incident after a person's action, one version on.

    Clocks keep the first time: acknowledging is taken as done by any action but a note. Reopening
    takes the end back (``closed_at``, ``duplicate_of``) and nothing else.

    Raises:
        IllegalStep: the life cycle has no such step.
        ContractError: a reason, note or ``duplicate_of`` is missing, too long, or out of place.
    """
    to = TRANSITIONS.get((incident.state, action))
    if to is None:
        raise IllegalStep(incident.state, action, allowed_actions(incident.state))
    reason, note = reason.strip(), note.strip()
    _check_words(incident, action, reason, note, duplicate_of)
    notes = (*incident.notes, Note(at=at, actor=actor, text=note)) if note else incident.notes
    after = replace(
        incident,
        version=incident.version + 1,
        state=to,
        updated_at=at,
        last_actor=actor,
        notes=notes,
    )
    if action is _A.NOTE:
        return after
    return replace(
        after,
        reason=reason,
        duplicate_of=duplicate_of,
        acknowledged_at=incident.acknowledged_at or at,
        verified_at=_first(incident.verified_at, at, to is _S.VERIFIED),
        dispatched_at=_first(incident.dispatched_at, at, to is _S.DISPATCHED),
        en_route_at=_first(incident.en_route_at, at, to is _S.EN_ROUTE),
        on_scene_at=_first(incident.on_scene_at, at, to is _S.ON_SCENE),
        closed_at=None if to.is_open else at,
    )


def _first(known: datetime | None, at: datetime, reached: bool) -> datetime | None:
    return known or (at if reached else None)


def _check_words(
    incident: Incident,
    action: IncidentAction,
    reason: str,
    note: str,
    duplicate_of: IncidentId | None,
) -> None:
    if action in NEEDS_REASON and not reason:
        raise ContractError("reason", f"say why: '{action}' needs a reason")
    if action is _A.NOTE and not note:
        raise ContractError("note", "a note needs text")
    for field, text in (("reason", reason), ("note", note)):
        if len(text) > MAX_TEXT:
            raise ContractError(field, f"must have at most {MAX_TEXT} characters, got {len(text)}")
    if action is _A.MARK_DUPLICATE:
        if duplicate_of is None:
            raise ContractError("duplicate_of", "say which incident this one repeats")
        if duplicate_of == incident.id:
            raise ContractError("duplicate_of", "an incident can't repeat itself")
    elif duplicate_of is not None:
        raise ContractError("duplicate_of", f"belongs to 'mark_duplicate', not to '{action}'")
