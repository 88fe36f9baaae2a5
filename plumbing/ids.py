"""Fresh identifiers: time-ordered (UUID version 7), so that indexes grow at one end."""

from __future__ import annotations

from uuid_utils import uuid7


def new_id(prefix: str) -> str:
    """A fresh identifier such as ``call-0199...``; the prefix tells people what it is."""
    return f"{prefix}-{uuid7().hex}"
