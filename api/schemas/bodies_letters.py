"""What requests about kept messages and dead letters may hold."""

from __future__ import annotations

from pydantic import Field

from api.schemas.bodies import Body
from api.schemas.bodies_desk import Key, Why


class Reason(Body):
    """Why it is done; it stands in the audit log."""

    reason: Why


class Belief(Reason):
    """Why a kept message may be believed, and which call it is of."""

    call_id: Key | None = Field(
        None, description="Else the one that its caller is heard of in, or a new one"
    )
