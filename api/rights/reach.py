"""What somebody may see of all there is: an agency's people and machines see what their agency is
told, and some see the cameras of some groups only.

An agency's may use the routes of `AGENCY_ROUTES` and no others; each of them asks here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from api.problems import Problem, invalid
from api.rights.identity import Identity
from api.services import Services
from contracts import (
    AgencyId,
    AlarmLevel,
    Camera,
    CameraId,
    Hazard,
    Incident,
    IncidentId,
    LogKind,
)
from incidents.errors import NotFound
from incidents.log import LogFilter
from incidents.people.accounts import Role

T = TypeVar("T")

AGENCY_ROUTES: frozenset[tuple[str, str]] = frozenset(
    {
        ("GET", "/api/v1/session"),
        ("DELETE", "/api/v1/session"),
        ("PUT", "/api/v1/session/password"),
        ("GET", "/api/v1/config"),
        ("GET", "/api/v1/agencies"),
        ("GET", "/api/v1/incidents"),
        ("GET", "/api/v1/incidents.csv"),
        ("GET", "/api/v1/incidents.geojson"),
        ("GET", "/api/v1/incidents/{incident_id}"),
        ("GET", "/api/v1/incidents/{incident_id}.cap.xml"),
        ("GET", "/api/v1/incidents/{incident_id}.eido.json"),
        ("GET", "/api/v1/incidents/{incident_id}/attachments/{evidence_id}"),
        ("POST", "/api/v1/incidents/{incident_id}/assignments/{assignment_id}"),
        ("GET", "/cap/feed"),
        ("GET", "/ogc"),
        ("GET", "/ogc/"),
        ("GET", "/ogc/conformance"),
        ("GET", "/ogc/collections"),
        ("GET", "/ogc/collections/{collection_id}"),
        ("GET", "/ogc/collections/{collection_id}/items"),
        ("GET", "/ogc/collections/{collection_id}/items/{feature_id}"),
        ("GET", "/api/v1/units"),
        ("GET", "/api/v1/units/{unit_id}"),
        ("POST", "/api/v1/units/{unit_id}/status"),
        ("GET", "/api/v1/log"),
        ("WEBSOCKET", "/ws/v1/feed"),
        ("GET", "/sse/v1/feed"),
    }
)


_OF_THE_WHOLE_CITY = (
    "/api/v1/users",
    "/api/v1/keys",
    "/api/v1/webhooks",
    "/api/v1/audit",
    "/api/v1/reports",
    "/api/v1/learning",
    "/api/v1/dead-letters",
)
"""What tells of all cameras together, or gives out more than who is limited to some has himself."""


def require_reach(identity: Identity, method: str, path: str) -> None:
    """Refuse an agency's what isn't meant for agencies, and who is limited to groups of cameras
    what can't be shown or done for some of them.

    Raises:
        Problem: 403.
    """
    if identity.camera_groups is not None and path.startswith(_OF_THE_WHOLE_CITY):
        raise Problem(
            403,
            "forbidden",
            "This is about the whole city, and this sign-in is limited to groups of cameras.",
        )
    if identity.agency_id is not None and (method, path) not in AGENCY_ROUTES:
        raise Problem(
            403, "forbidden", "This is for the centre itself, and this sign-in is an agency's."
        )


def require_grantable(identity: Identity, role: Role, scopes: Iterable[str] | None) -> None:
    """Refuse a narrowed key what would open more than it may itself: a key with other scopes, or a
    supervisor's account (``scopes`` none), to come in by next.

    Raises:
        Problem: 403.
    """
    if identity.scopes is None:
        return
    is_more = role is Role.SUPERVISOR if scopes is None else not identity.scopes.issuperset(scopes)
    if is_more:
        raise Problem(403, "forbidden", "This key was narrowed, and gives out no more than it has.")


def require_own_group(identity: Identity, group: str) -> None:
    """Who is limited to groups puts no camera elsewhere.

    Raises:
        Problem: 422.
    """
    groups = identity.camera_groups
    if groups is not None and group not in groups:
        raise invalid("group", f"must be one of yours: {', '.join(sorted(groups))}")


def agencies_of(identity: Identity) -> frozenset[AgencyId] | None:
    """The agencies whose business one sees; none: everybody's."""
    return None if identity.agency_id is None else frozenset({identity.agency_id})


def sees(identity: Identity, incident: Incident) -> bool:
    """Whether somebody is told of an incident: an agency's of its own, who is limited to groups of
    cameras of those that one of theirs has to do with, or none."""
    if identity.agency_id is not None and identity.agency_id not in incident.told_agencies:
        return False
    groups = identity.camera_groups
    return (
        groups is None
        or not incident.camera_groups
        or not groups.isdisjoint(incident.camera_groups)
    )


def sees_camera(identity: Identity, camera: Camera) -> bool:
    """Whether somebody may see a camera, and what it sees."""
    return identity.camera_groups is None or camera.group in identity.camera_groups


async def seen_camera(services: Services, identity: Identity, camera_id: str) -> Camera:
    """One camera, for those who may see its group.

    Raises:
        NotFound: there is none, or it isn't theirs, which they can't tell apart.
    """
    camera = await services.store.cameras.get(CameraId(camera_id))
    if not sees_camera(identity, camera):
        raise NotFound("camera", camera_id)
    return camera


async def require_seen(
    services: Services, identity: Identity, params: Mapping[str, object]
) -> None:
    """For who is limited: that a route's camera and incident are among what they see.

    Raises:
        NotFound: they aren't, or there are none.
    """
    if identity.camera_groups is None:
        return
    if (camera_id := params.get("camera_id")) is not None:
        await seen_camera(services, identity, str(camera_id))
    if (incident_id := params.get("incident_id")) is not None:
        await seen_incident(services, identity, str(incident_id))


async def seen_incident(services: Services, identity: Identity, incident_id: str) -> Incident:
    """One incident, for those who are told of it.

    Raises:
        NotFound: there is none, or it isn't theirs, which they can't tell apart.
    """
    incident = await services.store.incidents.get(IncidentId(incident_id))
    if not sees(identity, incident):
        raise NotFound("incident", incident_id)
    return incident


def filter_of(
    identity: Identity,
    *,
    kinds: Iterable[LogKind] | None = None,
    hazards: Iterable[Hazard] | None = None,
    levels: Iterable[AlarmLevel] | None = None,
    areas: Iterable[str] | None = None,
    agencies: Iterable[str] | None = None,
    groups: Iterable[str] | None = None,
    subject: str | None = None,
    exercise: bool | None = None,
) -> LogFilter:
    """What somebody asked for, as far as they may see it; an empty wish is no wish."""
    wished = LogFilter(
        kinds=_set(kinds),
        hazards=_set(hazards),
        levels=_set(levels),
        areas=_set(areas),
        agencies=_set(AgencyId(agency) for agency in agencies or ()),
        groups=_set(groups),
        subject_ids=None if subject is None else frozenset({subject}),
        exercise=exercise,
    )
    own = agencies_of(identity)
    if own is not None:
        wished = replace(wished, agencies=own if wished.agencies is None else own & wished.agencies)
    if identity.camera_groups is not None:
        allowed = frozenset(identity.camera_groups)
        wished = replace(
            wished, groups=allowed if wished.groups is None else allowed & wished.groups
        )
    return wished


def known_agency(services: Services, agency_id: str | None) -> str | None:
    """An agency's id as it was given, if it is configured.

    Raises:
        Problem: 422.
    """
    known = [agency.id for agency in services.settings.routing.agencies]
    if agency_id is not None and agency_id not in known:
        raise invalid("agency_id", f"no agency of this id is configured; known: {', '.join(known)}")
    return agency_id


def _set(values: Iterable[T] | None) -> frozenset[T] | None:
    found = frozenset(values or ())
    return found or None
