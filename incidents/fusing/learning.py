"""What incidents that people have decided about teach fusion: learnt, kept, frozen, reset.

Only reality teaches, never an exercise. Every figure is a row, with its date and its number of
samples. A frozen one stays as it is; one that was reset learns from what is decided afterwards.
Fusion takes new figures over by rebuilding its memory, which decides nothing anew.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, cast, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts import (
    CallerFix,
    CameraId,
    Disc,
    Incident,
    IncidentState,
    LearntFigure,
    ReportKind,
    Sighting,
    SourceKind,
    from_json,
    to_json,
)
from geo.fusion import FusionParameters
from geo.fusion.learning import distance_factor, gamma_poisson
from geo.regions import sigmas_of
from incidents.database import Database, Writing
from incidents.errors import NotFound
from incidents.fusing.learnt import (
    CLUTTER,
    DISTANCE,
    EXISTENCE,
    FALSE_CALLS,
    Case,
    after_reset,
    calls_by_hazard,
    clutter_name,
    differs,
    existence,
    false_calls,
)
from incidents.tables import IncidentRow, LearntRow, ReportRow

OVER = timedelta(days=90)
CLUTTER_OVER = timedelta(days=14)
CLUTTER_WEIGHT_DAYS = 3.0
"""Days of a camera's own that count as much as what is assumed of all."""
MOST_INCIDENTS = 5_000
MOST_TRACKS = 200_000
PRECISE_SIGMA_M = 60.0
"""Of positions that tell how far off callers stand."""


class Learning:
    """The ``learnt`` table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def figures(self) -> list[LearntFigure]:
        """All of them, by name."""
        statement = select(LearntRow.body).order_by(LearntRow.name)
        async with self._database.reading() as connection:
            return [from_json(LearntFigure, body) for body in await connection.scalars(statement)]

    async def freeze(self, name: str, *, frozen: bool) -> LearntFigure:
        """Keep a figure as it is, or let it learn again.

        Raises:
            NotFound: nothing of this name has been learnt.
        """
        async with self._database.writing() as writing:
            return await _store(writing, replace(await _read(writing, name), frozen=frozen))

    async def reset(self, name: str) -> LearntFigure:
        """Go back to what is assumed, and learn only from what is decided from now on.

        Raises:
            NotFound: nothing of this name has been learnt.
        """
        async with self._database.writing() as writing:
            known = await _read(writing, name)
            now = writing.now
            return await _store(
                writing, replace(known, value=(), samples=0, learnt_at=now, since=now)
            )

    async def learn(self, parameters: FusionParameters, now: datetime) -> bool:
        """Reckon all figures anew from what was decided; true where one has changed.

        ``parameters`` are those that are assumed, not those that were learnt.
        """
        known = {figure.name: figure for figure in await self.figures()}
        cases = await self._cases(now - OVER)
        found = [
            existence(after_reset(cases, known.get(EXISTENCE)), now),
            await self._distance(after_reset(cases, known.get(DISTANCE)), parameters, now),
            false_calls(after_reset(cases, known.get(FALSE_CALLS)), parameters, now),
            *calls_by_hazard(cases, known, parameters, now),
            *await self._clutter(cases, known, parameters, now),
        ]
        # A camera that has been quiet since goes back to what is assumed of all.
        names = {figure.name for figure in found}
        gone = [
            name
            for name, figure in known.items()
            if name.startswith(CLUTTER) and name not in names and not figure.frozen
        ]
        changed = [figure for figure in found if differs(known.get(figure.name), figure)]
        if not changed and not gone:
            return False
        async with self._database.writing() as writing:
            for figure in changed:
                before = known.get(figure.name)
                since = before.since if before is not None else None
                await _store(writing, replace(figure, since=since))
            if gone:
                await writing.connection.execute(delete(LearntRow).where(LearntRow.name.in_(gone)))
        return True

    async def _cases(self, since: datetime) -> list[Case]:
        """Incidents that people called real or not, newest first."""
        statement = (
            select(IncidentRow.body)
            .where(
                IncidentRow.exercise.is_(False),
                IncidentRow.acted_seq > 0,
                IncidentRow.told_at >= since,
            )
            .order_by(IncidentRow.founded_seq.desc())
            .limit(MOST_INCIDENTS)
        )
        async with self._database.reading(is_long=True) as connection:
            incidents = [from_json(Incident, body) for body in await connection.scalars(statement)]
        cases = []
        for incident in incidents:
            if incident.state is IncidentState.REJECTED:
                cases.append(Case(incident, incident.closed_at or incident.updated_at, real=False))
            elif incident.verified_at is not None:
                cases.append(Case(incident, incident.verified_at, real=True))
        return cases

    async def _distance(
        self, cases: Sequence[Case], parameters: FusionParameters, now: datetime
    ) -> LearntFigure:
        """From real incidents that a camera places, the callers that a phone places."""
        placed = [
            case.incident
            for case in cases
            if case.real and case.incident.estimate.camera_ids and case.incident.estimate.call_ids
        ]
        keys = [f"call:{call_id}" for one in placed for call_id in one.estimate.call_ids]
        sigmas: dict[str, float] = {}
        async with self._database.reading(is_long=True) as connection:
            for start in range(0, len(keys), 500):
                rows = await connection.scalars(
                    select(ReportRow.body)
                    .where(
                        ReportRow.evidence_key.in_(keys[start : start + 500]),
                        ReportRow.kind == ReportKind.FIX.value,
                    )
                    .order_by(ReportRow.seq)
                )
                for body in rows:
                    fix = from_json(CallerFix, body)
                    if isinstance(fix.shape, Disc):
                        sigmas[fix.call_id] = fix.shape.radius_m / sigmas_of(fix.confidence)
        distances = [
            (one.hazard, each.distance_m, sigmas[each.source_id])
            for one in placed
            for each in one.estimate.contributions
            if each.source is SourceKind.CALLER
            and each.distance_m is not None
            and sigmas.get(each.source_id, math.inf) <= PRECISE_SIGMA_M
        ]
        factor = distance_factor(distances)
        value = () if factor is None else (round(factor, 3),)
        return LearntFigure(
            name=DISTANCE,
            value=value,
            assumed=(parameters.standoff_factor,),
            samples=len(distances),
            learnt_at=now,
        )

    async def _clutter(
        self,
        cases: list[Case],
        known: Mapping[str, LearntFigure],
        parameters: FusionParameters,
        now: datetime,
    ) -> list[LearntFigure]:
        """Tracks a day that belong to nothing real, a camera and kind of sighting."""
        real = {case.incident.id for case in cases if case.real}
        async with self._database.reading(is_long=True) as connection:
            statement = (
                select(
                    ReportRow.evidence_key,
                    _sighting(connection),
                    ReportRow.incident_id,
                    ReportRow.recorded_at,
                )
                .where(
                    ReportRow.kind == ReportKind.DETECTION.value,
                    ReportRow.exercise.is_(False),
                    ReportRow.recorded_at >= now - CLUTTER_OVER,
                )
                .order_by(ReportRow.seq.desc())
                .limit(MOST_TRACKS)
            )
            tracks: dict[tuple[str, str], datetime] = {
                (key, sighting): recorded_at
                for key, sighting, incident_id, recorded_at in await connection.execute(statement)
                if incident_id not in real
            }
        if not tracks:
            return []
        first = min(tracks.values())
        counts: Counter[tuple[CameraId, Sighting]] = Counter()
        for (key, sighting), recorded_at in tracks.items():
            camera_id = CameraId(key.removeprefix("track:").rsplit("/", 1)[0])
            of = camera_id, Sighting(sighting)
            figure = known.get(clutter_name(*of))
            if figure is None or figure.since is None or recorded_at > figure.since:
                counts[of] += 1
        found = []
        for of, count in sorted(counts.items()):
            figure = known.get(clutter_name(*of))
            since = max(first, figure.since) if figure and figure.since else first
            days = max((now - since) / timedelta(days=1), 0.04)
            mean = parameters.assumed_clutter(of[1])
            rate = gamma_poisson(count, days, mean, CLUTTER_WEIGHT_DAYS)
            found.append(
                LearntFigure(
                    name=clutter_name(*of),
                    value=(round(rate, 3),),
                    assumed=(mean,),
                    samples=count,
                    learnt_at=now,
                )
            )
        return found


def _sighting(connection: AsyncConnection) -> ColumnElement[str]:
    """What a detection's report says that was seen; reading all bodies for it would be slow."""
    if connection.dialect.name == "sqlite":
        return func.json_extract(ReportRow.body, "$.sighting")
    return func.json_extract_path_text(cast(ReportRow.body, postgresql.JSON), "sighting")


async def _read(writing: Writing, name: str) -> LearntFigure:
    body = await writing.connection.scalar(select(LearntRow.body).where(LearntRow.name == name))
    if body is None:
        raise NotFound("learnt figure", name)
    return from_json(LearntFigure, body)


async def _store(writing: Writing, figure: LearntFigure) -> LearntFigure:
    values = {"frozen": figure.frozen, "body": to_json(figure).decode()}
    done = await writing.connection.execute(
        update(LearntRow).where(LearntRow.name == figure.name).values(**values)
    )
    if done.rowcount == 0:
        await writing.connection.execute(insert(LearntRow).values(name=figure.name, **values))
    return figure
