"""From a request of a desk or of a citizens' app to the reports that are stored."""

from __future__ import annotations

from datetime import datetime, timedelta

from api.intake.keys import hashed_key
from api.intake.places import AHEAD, require_in_city
from api.intake.readings import number_key
from api.intake.repeats import RequestIds, ids_for, require_repeat, stored_before
from api.intake.tracing import trace_received
from api.problems import invalid
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
    ReportBody,
)


async def take_call(services: Services, identity: Identity, body: NewCall, key: str | None) -> Call:
    """Check and store a call; it is committed when this returns.

    Raises:
        ContractError, Problem: what is wrong with it; nothing is stored then.
    """
    ids = ids_for(identity, "calls", key)
    caller = _caller_key(services, body.caller_number)
    report = _report(services, ids, body, CallChannel.PHONE)
    bodies: list[ReportBody] = [report]
    if body.location is not None:
        bodies.append(_fix(services, identity, ids, body, body.location, report))
    stored = await stored_before(services, ids)
    if not stored:
        accepted = await services.store.messages.take_call(
            bodies, key=caller, window=_window(services), actor=identity.name
        )
        stored = [one.report.body for one in accepted]
    return await _taken(services, bodies, stored, body.positioned_at)


async def take_citizen_report(
    services: Services, identity: Identity, body: CitizenReport, key: str | None
) -> Call:
    """Check and store what a citizen reports by an app; committed when this returns.

    Raises:
        ContractError, Problem: what is wrong with it, or 429 where the app or its user reports
            too often; nothing is stored then.
    """
    ids = ids_for(identity, "citizen-reports", key)
    report = _report(services, ids, body, CallChannel.APP)
    bodies: list[ReportBody] = [report, _fix(services, identity, ids, body, body.location, report)]
    stored = await stored_before(services, ids)
    if not stored:
        services.citizens.require_patience(identity.name, body.reporter)
        reporter = None
        if body.reporter is not None:
            # What one reports of a hazard is one call, however often it is repeated.
            words = (identity.name, body.hazard, report.exercise, body.reporter)
            reporter = hashed_key(services, "reporter", "\n".join(map(str, words)))
        accepted = await services.store.messages.take_report(
            bodies, key=reporter, window=_window(services), actor=identity.name
        )
        stored = [one.report.body for one in accepted]
    return await _taken(services, bodies, stored, body.positioned_at)


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
    bodies: list[ReportBody] = [_fix(services, identity, ids, body, body.location, call)]
    stored = await stored_before(services, ids)
    if not stored:
        accepted = await services.store.reports.accept(bodies, actor=identity.name)
        stored = [one.report.body for one in accepted]
    return await _taken(services, bodies, stored, body.positioned_at)


async def _taken(
    services: Services,
    sent: list[ReportBody],
    stored: list[ReportBody],
    positioned_at: datetime | None,
) -> Call:
    """The call that the reports are of, once they are stored."""
    require_repeat(sent, stored, states_time=positioned_at is not None)
    call_id = next(one.call_id for one in stored if isinstance(one, CallReport | CallerFix))
    trace_received(services.clock, sent, call_id)
    return await services.store.calls.get(call_id)


def _report(
    services: Services, ids: RequestIds, body: NewCall | CitizenReport, channel: CallChannel
) -> CallReport:
    return CallReport(
        id=ids.report("report"),
        call_id=ids.call(),
        hazard=body.hazard,
        note=body.note,
        received_at=services.clock.now(),
        channel=channel,
        # A training installation takes nothing for real, whatever its clients say.
        exercise=body.exercise or services.settings.exercise,
    )


def _fix(
    services: Services,
    identity: Identity,
    ids: RequestIds,
    body: NewCall | CitizenReport | NewFix,
    location: Location,
    of: CallReport | Call,
) -> CallerFix:
    """The position that a body states, for the call it is ``of``."""
    now = services.clock.now()
    if body.positioned_at is not None and body.positioned_at > now + AHEAD:
        raise invalid("positioned_at", f"lies in the future: it is {now.isoformat()} now")
    try:
        fix = CallerFix(
            id=ids.report("fix"),
            call_id=of.id if isinstance(of, Call) else of.call_id,
            shape=location.shape(),
            confidence=location.confidence,
            method=body.method,
            source="console" if identity.kind is Kind.PERSON else identity.name,
            positioned_at=body.positioned_at or now,
            received_at=now,
            exercise=of.exercise,
        )
        require_in_city(services, fix.shape)
    except ContractError as error:
        field = "" if error.field == "position" else f".{error.field}"
        raise invalid(f"location{field}", error.why) from error
    return fix


def _caller_key(services: Services, number: str | None) -> str | None:
    """What the call is known by to messages of the same caller."""
    if number is None:
        return None
    found = number_key(number, services.settings.calls.country_code)
    if not found:
        raise invalid("caller_number", "must be a telephone number of 5 to 15 digits")
    return hashed_key(services, *found[0])


def _window(services: Services) -> timedelta:
    return timedelta(minutes=services.settings.calls.match_minutes)
