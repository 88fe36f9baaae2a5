"""Writing down who changed what is neither in the log nor an account's or key's own affair."""

from __future__ import annotations

from fastapi import Request

from api.rights.security import identity_of
from api.services import services_of
from incidents.people.audit_chain import AuditEvent


async def note(request: Request, action: str, subject: str) -> None:
    """Add to the audit log what the sender of a request has done; on disk when this returns."""
    event = AuditEvent(action=action, actor=identity_of(request).name, subject=subject)
    await services_of(request).store.audit.record(event)
