"""Words that incidents are found by (`incidents.finding`): a row a word, with place and times,
kept in the transaction that changes the incident.

A word is a tag (`incidents.tags`), a cell of the map that the incident lies in, or that it was long
in coming or ending.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts import Incident
from incidents.tables import IncidentWordRow
from incidents.tags import tags_of

Word = str
Box = tuple[float, float, float, float]
"""West, south, east, north; its west above its east is one across the 180th meridian."""

LASTING = "lasting:"
EXERCISE = "exercise:"
UNGROUPED = "group:"
"""What no camera has to do with: whoever is limited to some groups sees it all the same."""
SOON = timedelta(days=1)
CELLS_DEG = (0.005, 0.03, 0.25)
"""Half a kilometre, three, and twenty-eight."""
MOST_CELLS = 25
"""A box is looked up in the smallest cells of which it takes no more; a larger one is no help."""


def words_of(incident: Incident) -> frozenset[Word]:
    """What an incident can be found by."""
    place = incident.estimate.location
    words = {*tags_of(incident), *_cells_at(place.lon, place.lat)}
    if not incident.camera_groups:
        words.add(UNGROUPED)
    if incident.estimate.exercise:
        words.add(EXERCISE)
    started_at, ended_at = incident.estimate.started_at, incident.closed_at
    at = incident.created_at
    if ended_at is None or ended_at > at + SOON or not at - SOON <= started_at <= at + SOON:
        words.add(LASTING)
    return frozenset(words)


async def keep_first_words(
    connection: AsyncConnection, incidents: Sequence[tuple[int, Incident]]
) -> None:
    """Let new incidents be found; each with its ``founded_seq``."""
    rows = [
        {"word": word, "founded_seq": founded_seq, **beside}
        for founded_seq, incident in incidents
        for beside in [_beside(incident)]
        for word in sorted(words_of(incident))
    ]
    await connection.execute(insert(IncidentWordRow), rows)


async def keep_words(
    connection: AsyncConnection, founded_seq: int, incident: Incident, before: Incident | None
) -> None:
    """Let an incident be found as it is now; ``before`` is as it was stored until now."""
    now, then = words_of(incident), words_of(before) if before is not None else frozenset()
    beside = _beside(incident)
    new, gone = now - then, then - now
    if before is not None and beside != _beside(before):
        new, gone = now, then
    if gone:
        await connection.execute(
            delete(IncidentWordRow).where(
                IncidentWordRow.founded_seq == founded_seq, IncidentWordRow.word.in_(sorted(gone))
            )
        )
    if new:
        rows = [{"word": word, "founded_seq": founded_seq, **beside} for word in sorted(new)]
        await connection.execute(insert(IncidentWordRow), rows)


def _beside(incident: Incident) -> dict[str, Any]:
    """What stands beside each word."""
    return {
        "is_open": incident.state.is_open,
        "exercise": incident.estimate.exercise,
        "lon": incident.estimate.location.lon,
        "lat": incident.estimate.location.lat,
        "started_at": incident.estimate.started_at,
        "ended_at": incident.closed_at,
    }


def _cells_at(lon: float, lat: float) -> Iterator[Word]:
    for number, size_deg in enumerate(CELLS_DEG):
        yield f"cell:{number}:{math.floor(lon / size_deg)}:{math.floor(lat / size_deg)}"


def cells_of(box: Box) -> list[Word]:
    """The cells that hold a box; none where they would be too many to be a help."""
    west, south, east, north = box
    if west > east:
        return []
    for number, size_deg in enumerate(CELLS_DEG):
        columns = range(math.floor(west / size_deg), math.floor(east / size_deg) + 1)
        rows = range(math.floor(south / size_deg), math.floor(north / size_deg) + 1)
        if len(columns) * len(rows) <= MOST_CELLS:
            return [f"cell:{number}:{x}:{y}" for x in columns for y in rows]
    return []
