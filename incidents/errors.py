"""What the store refuses, with the facts in attributes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from contracts import IncidentAction, IncidentId, IncidentState


class StoreError(Exception):
    """The store can't do what was asked."""


class StoreUnusable(StoreError):
    """The database can't be opened or isn't one of ours; the message says what to do."""


class NotFound(StoreError):
    """There is no such thing.

    Attributes:
        what: the kind of thing, such as ``incident``.
        key: the id that was asked for.
    """

    def __init__(self, what: str, key: str) -> None:
        super().__init__(f"there is no {what} '{key}'")
        self.what = what
        self.key = key


class Versioned(Protocol):
    """What is changed by version."""

    @property
    def id(self) -> str:
        """Its name."""
        ...

    @property
    def version(self) -> int:
        """Grows by one a change."""
        ...


class VersionConflict(StoreError):
    """Somebody else changed it first; look at the current one and decide again.

    Attributes:
        current: the noun as it is now.
    """

    def __init__(self, current: Versioned, version: int) -> None:
        super().__init__(
            f"'{current.id}' has changed: it is at version {current.version}, "
            f"you decided on version {version}"
        )
        self.current = current
        self.version = version


class IllegalStep(StoreError):
    """The life cycle has no such step from where the incident is.

    Attributes:
        state: where it is.
        action: what was asked for.
        allowed: what would be possible.
    """

    def __init__(
        self, state: IncidentState, action: str, allowed: Iterable[IncidentAction]
    ) -> None:
        self.state = state
        self.action = action
        self.allowed = tuple(allowed)
        super().__init__(
            f"an incident that is {state} can't be given '{action}'; "
            f"possible now: {', '.join(self.allowed)}"
        )


class NothingToPropose(StoreError):
    """No pose can be proposed for a camera; the message says why, and what to do."""


class NothingToUndo(StoreError):
    """A step can't be taken back; the message says why."""


class MessageInUse(StoreError):
    """A message can't be taken in or away (again); the sentence says why.

    Attributes:
        message_id: the message.
    """

    def __init__(self, message_id: str, why: str) -> None:
        super().__init__(f"message '{message_id}' stays as it is: {why}")
        self.message_id = message_id


class FencedOff(StoreError):
    """This fusion writer was replaced by another one and may write no more.

    Attributes:
        fencing: this writer's number.
        current: the number of the writer that has taken over.
    """

    def __init__(self, fencing: int, current: int) -> None:
        super().__init__(f"fusion writer {fencing} was replaced by writer {current}")
        self.fencing = fencing
        self.current = current


class ActedMeanwhile(StoreError):
    """A person acted on an incident that fusion decided about without knowing of it.

    Attributes:
        incident_id: the incident.
    """

    def __init__(self, incident_id: IncidentId) -> None:
        super().__init__(f"a person acted on incident '{incident_id}' meanwhile; decide anew")
        self.incident_id = incident_id


class Exists(StoreError):
    """The name is taken.

    Attributes:
        what: the kind of thing, such as ``account``.
        key: the name.
    """

    def __init__(self, what: str, key: str) -> None:
        super().__init__(f"the {what} '{key}' is there already")
        self.what = what
        self.key = key
