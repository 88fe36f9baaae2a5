"""Which files of evidence are still wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts import Call, Detection, EvidenceClip, Incident, ReportKind, from_json
from contracts.verdicts import Verdict
from incidents.database import Database
from incidents.finding import Asked, find_page
from incidents.tables import CallRow, ClipRow, ReportRow, VerdictRow

AT_ONCE = 200


async def wanted_files(
    database: Database, ended_since: datetime, held: Sequence[Incident]
) -> set[str]:
    """Files of incidents that are open, held, or were verified and have ended since; and what
    people's verdicts rest on, from which detection learns.

    A year of incidents is looked at page by page, so that nobody waits for it.
    """
    async with database.reading(is_long=True) as connection:
        bodies = await connection.scalars(
            select(VerdictRow.body).where(VerdictRow.decided_at >= ended_since)
        )
        wanted = _pictures(bodies, Verdict) | await _of_incidents(connection, held)
    before: int | None = None
    while True:
        async with database.reading(is_long=True) as connection:
            page = await find_page(
                connection, Asked(since=ended_since), before=before, limit=AT_ONCE
            )
            worth = [one for one in page.incidents if one.state.is_open or one.verified_at]
            wanted |= await _of_incidents(connection, worth)
        before = page.next
        if before is None:
            return wanted
        await asyncio.sleep(0)


async def _of_incidents(connection: AsyncConnection, incidents: Sequence[Incident]) -> set[str]:
    wanted: set[str] = {
        attached.evidence_id for incident in incidents for attached in incident.attachments
    }
    wanted |= {one.key_picture.picture_id for one in incidents if one.key_picture is not None}
    calls = sorted({call for one in incidents for call in one.estimate.call_ids})
    for start in range(0, len(calls), AT_ONCE):
        of_some = CallRow.id.in_(calls[start : start + AT_ONCE])
        bodies = await connection.scalars(select(CallRow.body).where(of_some))
        photos = (photo for body in bodies for photo in from_json(Call, body).photos)
        wanted.update(photo.evidence_id for photo in photos)
    for start in range(0, len(incidents), AT_ONCE):
        ids = [one.id for one in incidents[start : start + AT_ONCE]]
        wanted |= _pictures(
            await connection.scalars(
                select(ReportRow.body).where(
                    ReportRow.incident_id.in_(ids), ReportRow.kind == ReportKind.DETECTION.value
                )
            )
        )
        clips = await connection.scalars(select(ClipRow.body).where(ClipRow.incident_id.in_(ids)))
        for clip in clips:
            wanted |= {part.evidence_id for part in from_json(EvidenceClip, clip).parts}
    return wanted


def _pictures(bodies: Iterable[str], kind: type[Detection] | type[Verdict] = Detection) -> set[str]:
    found = (from_json(kind, body).picture_id for body in bodies)
    return {one for one in found if one is not None}
