"""What requests about accounts and keys may hold."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from api.schemas.bodies import Body, Moment, Text
from incidents.people.accounts import Role

MAX_PASSWORD = 1_000
"""Characters that are read at all; what is taken is shorter (`incidents.people.passwords`)."""


def _addressable(name: str) -> str:
    """A name stands in addresses: with a slash in it, what has it could never be revoked there."""
    if "/" in name or name in (".", "..") or name != name.strip():
        raise ValueError("must hold no slash, and no blank at its ends")
    return name


Name = Annotated[Text, Field(min_length=1, max_length=80), AfterValidator(_addressable)]
Password = Annotated[str, Field(min_length=1, max_length=MAX_PASSWORD, repr=False)]
Groups = Annotated[
    list[Annotated[Text, Field(min_length=1, max_length=200)]] | None,
    Field(max_length=500, description="Groups whose cameras may be seen; null: all cameras"),
]
Agency = Annotated[
    str | None,
    Field(max_length=40, description="Sees what this agency is told, and nothing else"),
]


class NewUser(Body):
    """An account to make."""

    username: Name
    password: Password
    role: Role
    display_name: Text | None = Field(None, min_length=1, max_length=200)
    camera_groups: Groups = None
    agency_id: Agency = None


class ChangedUser(Body):
    """What to change of an account; the rest stays. Ends its sessions."""

    role: Role | None = None
    display_name: Text | None = Field(None, min_length=1, max_length=200)
    enabled: bool | None = None
    camera_groups: Groups = None


class NewPassword(Body):
    """Another password for an account."""

    password: Password


class OwnPassword(Body):
    """Another password for oneself."""

    current: Password
    password: Password


class NewKey(Body):
    """A machine's key to issue."""

    name: Name
    role: Role
    expires_at: Moment | None = Field(None, description="None: it doesn't expire")
    scopes: list[str] | None = Field(
        None, min_length=1, max_length=100, description="Of what its role may; null: all of it"
    )
    camera_groups: Groups = None
    agency_id: Agency = None


class Rotation(Body):
    """How a key is replaced."""

    overlap_hours: float = Field(
        24, ge=0, le=720, strict=True, description="The old key is let in for so long beside it"
    )
    expires_at: Moment | None = Field(None, description="Of the new key; none: it doesn't expire")

    @property
    def overlap(self) -> timedelta:
        """The overlap as a duration."""
        return timedelta(hours=self.overlap_hours)


def shown(moment: datetime | None) -> str | None:
    """A time as an answer tells it."""
    return None if moment is None else moment.isoformat()
