"""What requests about units, assignments, shelves, handovers and regrouping may hold."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StrictBool

from api.schemas.bodies import MAX_NOTE, Body, Moment, Place, Text, Version
from contracts import AssignmentState, Hazard

Key = Annotated[Text, Field(min_length=1, max_length=80)]
Why = Annotated[Text, Field(min_length=1, max_length=MAX_NOTE)]


class UnitFields(Body):
    """A unit as its agency describes it."""

    agency_id: Text = Field(min_length=1, max_length=40)
    name: Text = Field(min_length=1, max_length=200)
    kind: Text = Field("", max_length=40, description="Such as engine or ambulance")
    on_duty: StrictBool = True
    exercise: StrictBool = False


class NewUnit(UnitFields):
    """A unit to register; its id is made where none is given."""

    id: str | None = Field(None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$")


class ChangedUnit(UnitFields):
    """A registered unit with every field as it shall be."""

    version: Version


class UnitStatus(Body):
    """What a unit reports of itself; what is absent stays."""

    position: Place | None = None
    on_duty: StrictBool | None = None


class NewAssignment(Body):
    """Whom to send."""

    agency_id: Text = Field(min_length=1, max_length=40)
    unit_id: Key | None = None
    version: Version
    note: Text = Field("", max_length=MAX_NOTE)


class AssignmentStep(Body):
    """How far an assignment has come."""

    state: AssignmentState
    note: Text = Field("", max_length=MAX_NOTE)


class Merge(Body):
    """Which other incident this one takes in, both as they were looked at."""

    other_id: Key
    version: Version
    other_version: Version
    reason: Why


class Split(Body):
    """Whose reports become an incident of their own."""

    camera_ids: list[Key] = Field([], max_length=500)
    call_ids: list[Key] = Field([], max_length=500)
    version: Version
    reason: Why


class Undo(Body):
    """The incident as it was looked at."""

    version: Version


class Hold(Body):
    """Whether an incident is under legal hold."""

    on_hold: StrictBool
    version: Version
    reason: Why


class NewShelf(Body):
    """What shall not sound for a while."""

    camera_id: Key | None = None
    hazard: Hazard | None = None
    reason: Why
    until: Moment
    exercise: StrictBool = False


class NewHandover(Body):
    """What the next shift must know."""

    text: Text = Field(min_length=1, max_length=MAX_NOTE)
    incident_ids: list[Key] = Field([], max_length=100)
    exercise: StrictBool = False
