"""Somebody who is signed in."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from contracts import AgencyId
from incidents.people.accounts import Groups, Role


class Kind(StrEnum):
    """What kind of client it is."""

    PERSON = "person"
    MACHINE = "machine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A person by a session, or a machine by a key."""

    name: str
    display_name: str
    role: Role
    kind: Kind
    secret: str = field(repr=False)
    """The session's token or the key, to ask again whether it still holds."""
    scopes: frozenset[str] | None = None
    """What a key was narrowed to; none: all that its role may."""
    camera_groups: Groups = None
    """The groups whose cameras it may see; none: all cameras."""
    agency_id: AgencyId | None = None
    """The agency that it belongs to, and sees the business of; none: the centre."""
