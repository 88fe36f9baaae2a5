"""Taking one's own last step back.

The log holds what an incident was before; undoing puts the step's part of it back and leaves what
fusion and the clock have added since. Only the newest decision can be undone, by the person who
made it, for a little while, and only where nobody outside was sent or called off by it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select

from contracts import (
    AssignmentState,
    Incident,
    IncidentAction,
    IncidentId,
    IncidentState,
    LogKind,
    from_json,
)
from incidents.actions import decided_on, done_before, settle
from incidents.database import Database, Writing
from incidents.errors import NothingToUndo
from incidents.fusing.verdicts import note_verdicts, speaks_of_truth
from incidents.tables import IncidentRow, LogRow

UNDO_WITHIN = timedelta(minutes=10)
"""Later others have built on it: it is reopened or corrected in the open, with a reason."""

UNDOABLE = frozenset(
    {
        IncidentAction.ACKNOWLEDGE,
        IncidentAction.VERIFY,
        IncidentAction.REJECT,
        IncidentAction.MARK_DUPLICATE,
        IncidentAction.CLOSE,
        IncidentAction.CANCEL,
        IncidentAction.REOPEN,
    }
)
"""Steps of the desk itself. What units were told can't be untold: it is recalled."""


class Undoing:
    """Undoes steps of the life cycle."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def undo(
        self,
        incident_id: IncidentId,
        *,
        actor: str,
        version: int,
        request_id: str | None = None,
    ) -> Incident:
        """The incident as it was before the actor's last step, and all that came by itself since.

        Raises:
            NotFound: no such incident.
            VersionConflict: somebody decided something since ``version``.
            NothingToUndo: the last decision isn't the actor's, is too old, or can't be taken back.
        """
        key = None if request_id is None else f"{incident_id}/undo/{actor}/{request_id}"
        async with self._database.writing() as writing:
            if key is not None and (done := await done_before(writing, key)):
                return done
            told, now = await decided_on(writing, incident_id, version)
            action, before = await _last_step(writing, incident_id, actor)
            if _freed(now, before):
                raise NothingToUndo("its units were called off with it; reopen it instead")
            after = replace(
                now,
                version=now.version + 1,
                updated_at=writing.now,
                last_actor=actor,
                state=before.state,
                reason=before.reason,
                duplicate_of=before.duplicate_of,
                acknowledged_at=before.acknowledged_at,
                verified_at=before.verified_at,
                closed_at=before.closed_at,
            )
            after = await settle(writing, told, after, actor=actor, detail="undo", key=key)
            if speaks_of_truth(action):
                await note_verdicts(writing, after, _what_holds(before))
        return after


async def _last_step(
    writing: Writing, incident_id: IncidentId, actor: str
) -> tuple[IncidentAction, Incident]:
    acted_seq = select(IncidentRow.acted_seq).where(IncidentRow.id == incident_id)
    entries = (
        await writing.connection.execute(
            select(LogRow)
            .where(LogRow.subject_id == incident_id, LogRow.seq <= acted_seq.scalar_subquery())
            .order_by(LogRow.seq.desc())
            .limit(2)
        )
    ).all()
    if len(entries) < 2 or entries[0].kind != LogKind.INCIDENT_ACTED:
        raise NothingToUndo("nobody has taken a step that could be undone")
    last, earlier = entries
    if last.actor != actor:
        raise NothingToUndo(f"the last step was {last.actor}'s, not yours")
    if last.detail not in UNDOABLE:
        raise NothingToUndo(f"'{last.detail}' can't be undone")
    if writing.now - last.recorded_at > UNDO_WITHIN:
        raise NothingToUndo(
            f"it is more than {UNDO_WITHIN.seconds // 60} minutes ago; reopen it instead"
        )
    return IncidentAction(last.detail), from_json(Incident, earlier.subject)


def _freed(now: Incident, before: Incident) -> bool:
    open_before = {one.id for one in before.assignments if one.state.is_open}
    ended = {AssignmentState.CLOSED, AssignmentState.RECALLED}
    return any(one.id in open_before and one.state in ended for one in now.assignments)


def _what_holds(before: Incident) -> IncidentAction:
    """The action whose verdict held before: verified, rejected, or none."""
    if before.state is IncidentState.REJECTED:
        return IncidentAction.REJECT
    if before.verified_at is not None and before.state.is_open:
        return IncidentAction.VERIFY
    return IncidentAction.REOPEN
