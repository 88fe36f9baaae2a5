"""From a request to the reports that are stored: ids, checks, and repeats of the same request.

A repeat under the same Idempotency-Key makes the same ids, and the store keeps a report of an id
once; so a caller that never heard our answer sends its request again and gets the same call.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from api.camera_view import on_plane
from api.intake.keys import hashed_key
from api.intake.readings import number_key
from api.problems import Problem, invalid
from api.rights.identity import Identity, Kind
from api.schemas.bodies import CitizenReport, Location, NewCall, NewFix
from api.services import Services
from contracts import (
    Call,
    CallChannel,
    CallerFix,
    CallId,
    CallReport,
    ContractError,
    Disc,
    FixMethod,
    FixShape,
    LonLat,
    Outline,
    Polygon,
    ReportBody,
    ReportId,
    Sector,
)
from geo.projection import distance_m, require_inside
from incidents.errors import NotFound
from plumbing.ids import new_id

_KEYS = uuid.UUID("5b0f3f1e-53e5-4d06-9c46-0f4f3a1d7c11")
"""Namespace of the ids that idempotency keys lead to."""
PLANE_M = 5_000_000.0
"""Farther off, the city's plane is no plane: an outline about the antipode would surround it."""
AHEAD = timedelta(minutes=5)
"""Clocks of phones and switchboards are off by less."""


@dataclass(frozen=True, slots=True)
class _Ids:
    """The ids of one request."""

    stem: str
    kept: bool
    """Whether a repeat of the request makes the same."""

    def call(self) -> CallId:
        return CallId(f"call-{self.stem}")

    def report(self, kind: str) -> ReportId:
        return ReportId(f"{kind}-{self.stem}")


def ids_for(identity: Identity, route: str, key: str | None) -> _Ids:
    """Fresh ids, or the ones that this client's key leads to."""
    if key is None:
        return _Ids(new_id("x").removeprefix("x-"), kept=False)
    return _Ids(
        uuid.uuid5(_KEYS, f"{identity.kind}\n{identity.name}\n{route}\n{key}").hex, kept=True
    )


async def take_call(services: Services, identity: Identity, body: NewCall, key: str | None) -> Call:
    """Check and store a call; it is committed when this returns.

    Raises:
        ContractError, Problem: what is wrong with it; nothing is stored then.
    """
    ids = ids_for(identity, "calls", key)
    now = services.clock.now()
    caller = _caller_key(services, body.caller_number)
    # A training installation takes nothing for real, whatever its clients say.
    exercise = body.exercise or services.settings.exercise
    report = CallReport(
        id=ids.report("report"),
        call_id=ids.call(),
        hazard=body.hazard,
        note=body.note,
        received_at=now,
        exercise=exercise,
    )
    bodies: list[ReportBody] = [report]
    if body.location is not None:
        bodies.append(
            _fix(
                services,
                identity,
                ids.report("fix"),
                ids.call(),
                body.location,
                body.method,
                body.positioned_at,
                now,
                exercise=exercise,
            )
        )
    call_id = await _accept(
        services,
        ids,
        bodies,
        states_time=body.positioned_at is not None,
        caller=caller,
        actor=identity.name,
    )
    return await services.store.calls.get(call_id)


async def take_citizen_report(
    services: Services, identity: Identity, body: CitizenReport, key: str | None
) -> Call:
    """Check and store what a citizen reports by an app; committed when this returns.

    Raises:
        ContractError, Problem: what is wrong with it; nothing is stored then.
    """
    ids = ids_for(identity, "citizen-reports", key)
    now = services.clock.now()
    exercise = body.exercise or services.settings.exercise
    report = CallReport(
        id=ids.report("report"),
        call_id=ids.call(),
        hazard=body.hazard,
        note=body.note,
        received_at=now,
        channel=CallChannel.APP,
        exercise=exercise,
    )
    fix = _fix(
        services,
        identity,
        ids.report("fix"),
        ids.call(),
        body.location,
        body.method,
        body.positioned_at,
        now,
        exercise=exercise,
    )
    reporter = None
    if body.reporter is not None:
        reporter = hashed_key(
            services, "reporter", f"{identity.name}\n{body.hazard}\n{exercise}\n{body.reporter}"
        )
    stored = await _stored(services, ids) if ids.kept else []
    if not stored:
        accepted = await services.store.messages.take_report(
            [report, fix],
            key=reporter,
            window=timedelta(minutes=services.settings.calls.match_minutes),
            actor=identity.name,
        )
        stored = [one.report.body for one in accepted]
    if not _is_repeat([report, fix], stored, body.positioned_at is not None):
        raise _key_reused()
    call_id = next(one.call_id for one in stored if isinstance(one, CallReport))
    return await services.store.calls.get(call_id)


async def take_fix(
    services: Services, identity: Identity, call_id: CallId, body: NewFix, key: str | None
) -> Call:
    """Check and store one more position of a known call.

    Raises:
        NotFound: no such call.
        ContractError, Problem: what is wrong with it.
    """
    call = await services.store.calls.get(call_id)
    ids = ids_for(identity, f"calls/{call_id}/fixes", key)
    fix = _fix(
        services,
        identity,
        ids.report("fix"),
        call_id,
        body.location,
        body.method,
        body.positioned_at,
        services.clock.now(),
        exercise=call.exercise,
    )
    await _accept(
        services,
        ids,
        [fix],
        states_time=body.positioned_at is not None,
        actor=identity.name,
    )
    return await services.store.calls.get(call_id)


def _fix(
    services: Services,
    identity: Identity,
    report_id: ReportId,
    call_id: CallId,
    location: Location,
    method: FixMethod,
    positioned_at: datetime | None,
    now: datetime,
    *,
    exercise: bool,
) -> CallerFix:
    if positioned_at is not None and positioned_at > now + AHEAD:
        raise invalid("positioned_at", f"lies in the future: it is {now.isoformat()} now")
    try:
        shape = location.shape()
        fix = CallerFix(
            id=report_id,
            call_id=call_id,
            shape=shape,
            confidence=location.confidence,
            method=method,
            source="console" if identity.kind is Kind.PERSON else identity.name,
            positioned_at=positioned_at or now,
            received_at=now,
            exercise=exercise,
        )
        require_in_city(services, fix.shape)
    except ContractError as error:
        field = "" if error.field == "position" else f".{error.field}"
        raise invalid(f"location{field}", error.why) from error
    return fix


def require_in_city(services: Services, shape: FixShape) -> None:
    """Refuse a shape that lies wholly farther off than the city's radius.

    Raises:
        ContractError: says how far off it is.
    """
    radius_m = services.settings.city.radius_m
    if isinstance(shape, Disc):
        require_inside(shape.centre, services.projection.centre, radius_m)
        return
    some = _some_place(shape)
    far_m = distance_m(some, services.projection.centre)
    if far_m > PLANE_M:
        raise _outside(far_m, radius_m)
    plane = on_plane(shape, services.projection)
    if plane.area <= 0:
        raise ContractError("polygon", "has no area")
    away_m = float(plane.distance(on_plane(_centre(services), services.projection)))
    if away_m > radius_m:
        raise _outside(away_m, radius_m)


def _outside(away_m: float, radius_m: float) -> ContractError:
    return ContractError(
        "polygon",
        f"lies {away_m / 1000:.1f} km from the city's centre, farther than {radius_m / 1000:g} km",
    )


def _some_place(shape: Sector | Outline) -> LonLat:
    if isinstance(shape, Sector):
        return shape.antenna
    area = shape.area
    ring = area.coordinates[0] if isinstance(area, Polygon) else area.coordinates[0][0]
    return LonLat(*ring[0])


def _centre(services: Services) -> Disc:
    return Disc(centre=services.projection.centre, radius_m=0)


def _caller_key(services: Services, number: str | None) -> str | None:
    """What the call is known by to messages of the same caller."""
    if number is None:
        return None
    found = number_key(number, services.settings.calls.country_code)
    if not found:
        raise invalid("caller_number", "must be a telephone number of 5 to 15 digits")
    return hashed_key(services, *found[0])


async def _accept(
    services: Services,
    ids: _Ids,
    bodies: list[ReportBody],
    *,
    states_time: bool,
    actor: str,
    caller: str | None = None,
) -> CallId:
    """Store the reports, or find that this very request was stored before; the call they are of."""
    stored = await _stored(services, ids) if ids.kept else []
    if not stored:
        window = timedelta(minutes=services.settings.calls.match_minutes)
        accepted = await services.store.messages.take_call(
            bodies, key=caller, window=window, actor=actor
        )
        stored = [one.report.body for one in accepted]
    # Else two different requests have come under one key, one after the other or at one moment.
    if not _is_repeat(bodies, stored, states_time):
        raise _key_reused()
    return next(body.call_id for body in stored if isinstance(body, CallReport | CallerFix))


async def _stored(services: Services, ids: _Ids) -> list[ReportBody]:
    found: list[ReportBody] = []
    for kind in ("report", "fix"):
        with contextlib.suppress(NotFound):
            found.append((await services.store.reports.by_id(ids.report(kind))).body)
    return found


def _key_reused() -> Problem:
    return Problem(
        409,
        "key-reused",
        "This Idempotency-Key was used for another request; make a new key for each.",
    )


def _is_repeat(sent: Sequence[ReportBody], stored: Sequence[ReportBody], states_time: bool) -> bool:
    """Whether they differ in nothing but the time they came and the call they were put to."""
    return len(sent) == len(stored) and all(
        _says_the_same(one, other, states_time) for one, other in zip(sent, stored, strict=True)
    )


def _says_the_same(sent: ReportBody, stored: ReportBody, states_time: bool) -> bool:
    if isinstance(sent, CallReport) and isinstance(stored, CallReport):
        return replace(sent, received_at=stored.received_at, call_id=stored.call_id) == stored
    if isinstance(sent, CallerFix) and isinstance(stored, CallerFix):
        positioned_at = sent.positioned_at if states_time else stored.positioned_at
        return (
            replace(
                sent,
                received_at=stored.received_at,
                positioned_at=positioned_at,
                call_id=stored.call_id,
            )
            == stored
        )
    return False
