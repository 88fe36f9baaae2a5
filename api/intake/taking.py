"""Storing what came in: first of all the message as it came, and with it what may be believed.

A position that anybody could have sent must not draw operators to where nothing is, nor move a
caller who is somewhere else: it is kept and told of, and neither founds a call nor joins one,
unless ``calls.trust_unsigned_aml`` says so.
"""

from __future__ import annotations

import base64
import hashlib
import uuid
from dataclasses import dataclass
from datetime import timedelta

from fastapi import Request
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response

from api.intake.keys import hashed_key
from api.intake.places import AHEAD, require_in_city
from api.intake.readers import reader_of
from api.intake.readings import Notes, Position, Reading
from api.intake.tracing import trace_received
from api.problems import Problem, unavailable
from api.services import Services
from api.wire import answer, plain
from contracts import CallerFix, CallId, ContractError, ReportId
from incidents.errors import StoreError
from incidents.message_rows import KeptMessage, NewMessage
from plumbing.ids import new_id
from plumbing.logs import get_logger

_log = get_logger(__name__)
_MESSAGES = uuid.UUID("1b7c1c4e-6a53-4d0c-9d5e-0d4c6f2f8f62")
"""Namespace of the ids that messages' contents lead to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """A message at the door.

    Attributes:
        channel: ``aml``, ``sms`` or ``pidf-lo``; also the source of its positions.
        content: its bytes.
        sender: the machine key's name; empty for who had none.
        doubt: why its sender isn't sure; empty where it is.
        is_believed: whether its positions may be used, if the message itself is whole.
        call: the call that it names, ours or the sender's own.
    """

    channel: str
    content: bytes
    sender: str = ""
    doubt: str = ""
    is_believed: bool = True
    call: str | None = None


async def body_of(request: Request, services: Services) -> bytes:
    """The whole body.

    Raises:
        Problem: 413.
    """
    most = services.settings.calls.max_message_bytes
    body = await request.body()
    if len(body) > most:
        raise Problem(413, "too-large", f"A message may have {most} bytes, this has {len(body)}.")
    return body


async def take(services: Services, came: Came) -> KeptMessage:
    """Read a message and store it; it is committed when this returns.

    Raises:
        Problem: 503, it could not be stored; its sender should send it again.
    """
    reading = _read(came, services.settings.calls.country_code)
    is_trusted = came.is_believed and not reading.is_damaged
    sealed = services.sealer.seal(base64.b64encode(came.content).decode())
    message = _message(services, came, reading, _id_of(came, is_trusted), sealed, is_trusted)
    try:
        kept = await services.store.messages.take(message, _window(services))
    except (SQLAlchemyError, StoreError, OSError) as error:
        _log.error("a message could not be stored", channel=came.channel, why=type(error).__name__)
        raise unavailable(
            "database", "The message could not be stored now; send it again in a moment."
        ) from error
    if kept.seen == 1:
        used = [fix for fix in message.fixes if fix.id in kept.fix_ids]
        trace_received(services.clock, used, kept.call_id)
    if message.problems:
        # The sentences quote the message; they stay in the database.
        _log.warning(
            "a message has problems", message=kept.id, channel=came.channel, trusted=is_trusted
        )
    return kept


async def believe(
    services: Services, kept: KeptMessage, call_id: str | None, *, actor: str, reason: str
) -> KeptMessage:
    """Take the positions in of a message that was only kept, because somebody stands for it.

    Raises:
        Problem: 422, it can't be read, or states no position that can be used.
        NotFound, MessageInUse: it is gone, or its positions were taken in before.
    """
    sealed = await services.store.messages.sealed(kept.id)
    came = Came(
        channel=kept.channel,
        content=base64.b64decode(services.sealer.unseal(sealed)),
        sender=kept.sender,
        call=call_id or kept.call_id,
    )
    reading = _read(came, services.settings.calls.country_code)
    message = _message(services, came, reading, kept.id, sealed, is_trusted=True)
    if not message.fixes:
        why = "; ".join(message.problems) or "it states no position"
        raise Problem(422, "still-unusable", f"It still can't be used: {why}.")
    return await services.store.messages.believe(
        message, _window(services), actor=actor, reason=reason
    )


def _message(
    services: Services,
    came: Came,
    reading: Reading,
    message_id: str,
    sealed: str,
    is_trusted: bool,
) -> NewMessage:
    fixes, refused = _fixes(services, came, message_id, reading.positions if is_trusted else ())
    doubt = (came.doubt,) if came.doubt else ()
    return NewMessage(
        id=message_id,
        channel=came.channel,
        sender=came.sender,
        sealed=sealed,
        is_trusted=is_trusted,
        problems=(*doubt, *reading.problems, *refused),
        call_id=CallId(came.call) if came.call else None,
        keys=_keys(services, came, reading),
        fixes=fixes,
    )


def _window(services: Services) -> timedelta:
    return timedelta(minutes=services.settings.calls.match_minutes)


def receipt(kept: KeptMessage) -> Response:
    """201 where it brought a position, 202 where it is only kept.

    Who isn't trusted hears nothing of calls: else anybody could ask whether a number is calling.
    """
    told = {
        "message_id": kept.id,
        "trusted": kept.is_trusted,
        "call_id": kept.call_id if kept.is_trusted else None,
        "fix_ids": list(kept.fix_ids),
        "problems": list(kept.problems),
    }
    return answer(plain(told), 201 if kept.fix_ids else 202)


def _read(came: Came, country_code: str) -> Reading:
    try:
        return reader_of(came.channel, country_code)(came.content)
    except Exception as error:  # noqa: BLE001 - what a reader didn't foresee must not lose a call
        _log.error("a reader failed", channel=came.channel, error=type(error).__name__)
        why = f"(message): could not be read here ({type(error).__name__}); tell the makers"
        return Reading((), (), (why,), is_damaged=True)


def _id_of(came: Came, is_trusted: bool) -> str:
    """From the content, so that a repeat has the same; what was kept in doubt is another message
    when it comes again from a sender who is sure."""
    digest = hashlib.sha256(came.content).hexdigest()
    stem = f"{came.channel}\n{is_trusted}\n{came.call or ''}\n{digest}"
    return f"message-{uuid.uuid5(_MESSAGES, stem).hex}"


def _fixes(
    services: Services, came: Came, message_id: str, positions: tuple[Position, ...]
) -> tuple[tuple[CallerFix, ...], tuple[str, ...]]:
    """The positions as fixes of a call that they would found, and why some are none."""
    now = services.clock.now()
    notes = Notes()
    founding = CallId(new_id("call"))
    fixes = []
    for number, position in enumerate(positions, start=1):
        positioned_at = position.positioned_at
        if positioned_at is not None and positioned_at > now + AHEAD:
            notes.add("time", f"lies in the future: it is {now.isoformat()} now, which is taken")
            positioned_at = None
        try:
            require_in_city(services, position.shape)
            fix = CallerFix(
                id=ReportId(f"fix-{message_id.removeprefix('message-')}-{number}"),
                call_id=founding,
                shape=position.shape,
                confidence=position.confidence,
                method=position.method,
                source=came.channel,
                positioned_at=positioned_at or now,
                received_at=now,
                altitude_m=position.altitude_m,
                exercise=services.settings.exercise,
            )
        except ContractError as error:
            notes.add(error.field, f"{error.why}; the position is kept, and not used")
            continue
        except Exception as error:  # noqa: BLE001 - one odd shape must not lose the message
            _log.error("a position failed", channel=came.channel, error=type(error).__name__)
            notes.add("(position)", f"could not be used here ({type(error).__name__})")
            continue
        fixes.append(fix)
    return tuple(fixes), tuple(notes.problems)


def _keys(services: Services, came: Came, reading: Reading) -> tuple[str, ...]:
    known_by = ([("call", came.call)] if came.call else []) + list(reading.known_by)
    return tuple(hashed_key(services, kind, value) for kind, value in known_by)
