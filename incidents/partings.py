"""Incidents that people have put together or taken apart, until fusion has looked at them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from contracts import (
    CallId,
    CameraId,
    ContractError,
    Estimate,
    Incident,
    IncidentState,
    ReportId,
    SourceKind,
)
from incidents.fusing.enrichment import better_picture

MOST_NAMED = 200
"""Reports that a new incident names until fusion has looked at it."""

_PROGRESS = (
    IncidentState.DETECTED,
    IncidentState.ACKNOWLEDGED,
    IncidentState.VERIFIED,
    IncidentState.DISPATCHED,
    IncidentState.EN_ROUTE,
    IncidentState.ON_SCENE,
)


def united(kept: Incident, other: Incident, actor: str, reason: str, at: datetime) -> Incident:
    """The first of two open incidents, with all that was the second's; it is as far as the farther
    of the two was."""

    def first(name: str) -> datetime | None:
        times = [time for one in (kept, other) if (time := getattr(one, name)) is not None]
        return min(times) if times else None

    return replace(
        kept,
        version=kept.version + 1,
        state=max((kept.state, other.state), key=_PROGRESS.index),
        priority=min(kept.priority, other.priority),
        estimate=_together(kept.estimate, other.estimate),
        updated_at=at,
        last_actor=actor,
        reason=reason,
        key_picture=better_picture(kept.key_picture, other.key_picture),
        acknowledged_at=first("acknowledged_at") or at,
        verified_at=first("verified_at"),
        dispatched_at=first("dispatched_at"),
        en_route_at=first("en_route_at"),
        on_scene_at=first("on_scene_at"),
        notes=tuple(sorted((*kept.notes, *other.notes), key=lambda note: note.at)),
        attachments=(*kept.attachments, *other.attachments),
        assignments=(*kept.assignments, *other.assignments),
        agency_ids=tuple(dict.fromkeys((*kept.agency_ids, *other.agency_ids))),
        camera_groups=tuple(sorted({*kept.camera_groups, *other.camera_groups})),
        on_hold=kept.on_hold or other.on_hold,
    )


def _together(one: Estimate, other: Estimate) -> Estimate:
    """What is known of both, at the place of the surer one; fusion will know better."""
    surer = max((one, other), key=lambda estimate: estimate.probability)
    return replace(
        surer,
        contributions=(*one.contributions, *other.contributions),
        report_ids=(*one.report_ids, *other.report_ids),
        camera_ids=tuple(dict.fromkeys((*one.camera_ids, *other.camera_ids))),
        call_ids=tuple(dict.fromkeys((*one.call_ids, *other.call_ids))),
        started_at=min(one.started_at, other.started_at),
        last_report_at=max(one.last_report_at, other.last_report_at),
    )


def check_sources(
    estimate: Estimate, camera_ids: Collection[CameraId], call_ids: Collection[CallId]
) -> None:
    """Whether an incident can be taken apart so.

    Raises:
        ContractError: a source that isn't its own, none at all, or all that there are.
    """
    for field, given, known in (
        ("camera_ids", camera_ids, estimate.camera_ids),
        ("call_ids", call_ids, estimate.call_ids),
    ):
        strange = sorted(set(given) - set(known))
        if strange:
            raise ContractError(field, f"'{strange[0]}' has reported nothing of this incident")
    if not camera_ids and not call_ids:
        raise ContractError("call_ids", "say which calls or cameras belong to the new incident")
    if set(camera_ids) >= set(estimate.camera_ids) and set(call_ids) >= set(estimate.call_ids):
        raise ContractError("call_ids", "nothing would be left of the old incident")


def only(
    estimate: Estimate,
    camera_ids: Collection[CameraId],
    call_ids: Collection[CallId],
    moved: list[ReportId],
) -> Estimate:
    """What these sources say of an estimate."""
    sources = {*camera_ids, *call_ids}
    return replace(
        estimate,
        contributions=tuple(
            one
            for one in estimate.contributions
            if one.source_id in sources or one.source is SourceKind.PRIOR
        ),
        report_ids=tuple(moved[:MOST_NAMED]),
        camera_ids=tuple(one for one in estimate.camera_ids if one in camera_ids),
        call_ids=tuple(one for one in estimate.call_ids if one in call_ids),
    )


def without(
    estimate: Estimate,
    camera_ids: Collection[CameraId],
    call_ids: Collection[CallId],
    moved: list[ReportId],
) -> Estimate:
    """What the other sources say of it."""
    sources, gone = {*camera_ids, *call_ids}, set(moved)
    return replace(
        estimate,
        contributions=tuple(one for one in estimate.contributions if one.source_id not in sources),
        report_ids=tuple(one for one in estimate.report_ids if one not in gone),
        camera_ids=tuple(one for one in estimate.camera_ids if one not in camera_ids),
        call_ids=tuple(one for one in estimate.call_ids if one not in call_ids),
    )
