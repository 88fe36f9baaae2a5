"""The same request again: under the same Idempotency-Key it makes the same ids, and the store keeps
a report of an id once, so that a caller who never heard our answer gets the same call.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

from api.problems import Problem
from api.rights.identity import Identity
from api.services import Services
from contracts import CallChannel, CallerFix, CallId, CallReport, ReportBody, ReportId
from incidents.errors import NotFound
from plumbing.ids import new_id

_KEYS = uuid.UUID("5b0f3f1e-53e5-4d06-9c46-0f4f3a1d7c11")
"""Namespace of the ids that idempotency keys lead to."""


@dataclass(frozen=True, slots=True)
class RequestIds:
    """The ids of what one request makes."""

    stem: str
    kept: bool
    """Whether a repeat of the request makes the same."""

    def call(self) -> CallId:
        """Of the call that it founds."""
        return CallId(f"call-{self.stem}")

    def report(self, kind: str) -> ReportId:
        """Of its report of a kind."""
        return ReportId(f"{kind}-{self.stem}")


def ids_for(identity: Identity, route: str, key: str | None) -> RequestIds:
    """Fresh ids, or the ones that this client's key leads to."""
    if key is None:
        return RequestIds(new_id("x").removeprefix("x-"), kept=False)
    return RequestIds(
        uuid.uuid5(_KEYS, f"{identity.kind}\n{identity.name}\n{route}\n{key}").hex, kept=True
    )


async def stored_before(services: Services, ids: RequestIds) -> list[ReportBody]:
    """What this very request has stored already; nothing where it comes for the first time."""
    found: list[ReportBody] = []
    for kind in ("report", "fix") if ids.kept else ():
        with contextlib.suppress(NotFound):
            found.append((await services.store.reports.by_id(ids.report(kind))).body)
    return found


def require_repeat(
    sent: Sequence[ReportBody], stored: Sequence[ReportBody], *, states_time: bool
) -> None:
    """Refuse a request whose key has led to another one's reports: what was sent and what is stored
    may differ in nothing but the time they came and the call they were put to.

    Raises:
        Problem: 409, one after the other or at one moment, two have come under one key.
    """
    if len(sent) != len(stored) or not all(
        _says_the_same(one, other, states_time) for one, other in zip(sent, stored, strict=True)
    ):
        raise Problem(
            409,
            "key-reused",
            "This Idempotency-Key was used for another request; make a new key for each.",
        )


def _says_the_same(sent: ReportBody, stored: ReportBody, states_time: bool) -> bool:
    if isinstance(sent, CallReport) and isinstance(stored, CallReport):
        # What a reporter tells again is stored with what was told before.
        added = stored.channel is CallChannel.APP and sent.note.strip() in stored.note
        note = stored.note if added else sent.note
        same = replace(sent, received_at=stored.received_at, call_id=stored.call_id, note=note)
        return same == stored
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
