"""Rows of incidents: read, added and changed here and nowhere else, with the words that they are
found by."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts import Incident, IncidentId, from_json, to_json
from incidents.tables import IncidentRow
from incidents.words import keep_first_words, keep_words

AT_ONCE = 500
"""Ids that one question names."""


def latest(row: Any) -> Incident:
    """The incident of a row, with what fusion has learnt since it was told; at the same version."""
    return from_json(Incident, row.pending or row.body)


async def read_row(connection: AsyncConnection, incident_id: IncidentId) -> Any | None:
    """One row of `IncidentRow`, or none."""
    found = await connection.execute(select(IncidentRow).where(IncidentRow.id == incident_id))
    return found.one_or_none()


async def read_rows(
    connection: AsyncConnection, incident_ids: Collection[IncidentId]
) -> dict[IncidentId, Any]:
    """The rows of those that there are."""
    wanted = sorted(incident_ids)
    found: dict[IncidentId, Any] = {}
    for start in range(0, len(wanted), AT_ONCE):
        some = wanted[start : start + AT_ONCE]
        rows = await connection.execute(select(IncidentRow).where(IncidentRow.id.in_(some)))
        found.update((IncidentId(row.id), row) for row in rows)
    return found


@dataclass(frozen=True, slots=True)
class NewRow:
    """A new incident; ``values`` are the columns that don't follow from it."""

    incident: Incident
    founded_seq: int
    values: Mapping[str, Any]


async def add_row(
    connection: AsyncConnection, incident: Incident, *, founded_seq: int, **values: Any
) -> None:
    """Keep a new incident; ``values`` are the columns that don't follow from it."""
    await add_rows(connection, [NewRow(incident, founded_seq, values)])


async def add_rows(connection: AsyncConnection, new: Sequence[NewRow]) -> None:
    """Keep new incidents, whose ``values`` name the same columns."""
    if not new:
        return
    rows = [
        {**_columns(one.incident), "id": one.incident.id, "founded_seq": one.founded_seq}
        | dict(one.values)
        for one in new
    ]
    await connection.execute(insert(IncidentRow), rows)
    await keep_first_words(connection, [(one.founded_seq, one.incident) for one in new])


async def change_row(
    connection: AsyncConnection, before: Incident | None, after: Incident, **values: Any
) -> None:
    """Keep what has become of an incident, which was ``before`` as the row's body has it."""
    changed = (
        update(IncidentRow)
        .where(IncidentRow.id == after.id)
        .values({**_columns(after), **values})
        .returning(IncidentRow.founded_seq)
    )
    founded_seq = (await connection.scalars(changed)).one()
    await keep_words(connection, founded_seq, after, before)


def _columns(incident: Incident) -> dict[str, object]:
    """What follows from the incident."""
    return {
        "version": incident.version,
        "is_open": incident.state.is_open,
        "exercise": incident.estimate.exercise,
        "state": incident.state.value,
        "level": incident.level.value,
        "hazard": incident.hazard.value,
        "lon": incident.estimate.location.lon,
        "lat": incident.estimate.location.lat,
        "started_at": incident.estimate.started_at,
        "ended_at": incident.closed_at,
        "created_at": incident.created_at,
        "on_hold": incident.on_hold,
        "body": to_json(incident).decode(),
    }
