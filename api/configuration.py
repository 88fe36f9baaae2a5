"""Writes down that the configuration is another than at the last start: which keys, never values.

Of each value a salted fingerprint is kept with the entry, to be compared with at the next start.
"""

from __future__ import annotations

from incidents.database import SYSTEM
from incidents.people.audit import Audit, AuditAction
from incidents.people.audit_chain import AuditEvent, DetailValue
from plumbing.sealing import Sealer
from plumbing.settings import ENVIRONMENT_PREFIX, Settings, as_environment


async def note_configuration(audit: Audit, settings: Settings, sealer: Sealer) -> None:
    """Add an entry if something was changed since the last one."""
    now = _fingerprints(settings, sealer)
    action = AuditAction.CONFIGURATION_CHANGED
    page = await audit.page(action=action, limit=1)
    details = page.entries[0].details if page.entries else None
    before = {} if details is None else details["fingerprints"]
    changed = sorted(key for key in now.keys() | before.keys() if now.get(key) != before.get(key))
    if not changed:
        return
    told: dict[str, DetailValue] = {
        "changed": changed if before else [],
        "first": not before,
        "fingerprints": now,
    }
    await audit.record(AuditEvent(action=action, actor=SYSTEM, details=told))


def _fingerprints(settings: Settings, sealer: Sealer) -> dict[str, str]:
    flat = as_environment(settings)
    return {
        key.removeprefix(ENVIRONMENT_PREFIX).lower().replace("__", "."): sealer.fingerprint(value)[
            :16
        ]
        for key, value in flat.items()
    }
