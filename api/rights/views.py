"""Which routes show what must be written down before it is shown: callers' places, messages with
their numbers, pictures, live video, many incidents at once, and the audit log itself.

Who looks at the same thing again within `PAUSE_S` is written down once: a console that polls would
otherwise bury what matters.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

from api.rights.identity import Identity
from incidents.people.audit import Audit
from incidents.people.audit_chain import AuditEvent
from plumbing.clock import Clock

VIEWS: dict[tuple[str, str], str] = {
    ("GET", "/api/v1/calls"): "view.calls",
    ("GET", "/api/v1/calls/{call_id}"): "view.call",
    ("GET", "/api/v1/calls/{call_id}/cameras"): "view.call",
    ("GET", "/api/v1/calls/{call_id}/photos/{evidence_id}"): "view.call",
    ("GET", "/api/v1/log"): "view.feed",
    ("GET", "/api/v1/messages"): "view.messages",
    ("GET", "/api/v1/messages/{message_id}"): "view.message",
    ("GET", "/api/v1/dead-letters/{topic}/{entry_id}"): "view.dead-letter",
    ("GET", "/api/v1/incidents.csv"): "view.export",
    ("GET", "/api/v1/incidents.geojson"): "view.export",
    ("GET", "/api/v1/incidents/{incident_id}.eido.json"): "view.eido",
    ("GET", "/api/v1/evidence/{evidence_id}"): "view.evidence",
    ("GET", "/api/v1/incidents/{incident_id}/attachments/{evidence_id}"): "view.evidence",
    ("GET", "/api/v1/audit"): "view.audit",
    ("WEBSOCKET", "/ws/v1/feed"): "view.feed",
    ("WEBSOCKET", "/live/v1/{camera_id}"): "view.live",
    ("GET", "/api/v1/cameras/{camera_id}/picture.jpg"): "view.live",
    ("GET", "/sse/v1/feed"): "view.feed",
}
PAUSE_S = 600.0
MAX_KEPT = 50_000


class Views:
    """Writes views down."""

    def __init__(self, audit: Audit, clock: Clock) -> None:
        self._audit = audit
        self._clock = clock
        self._lately: OrderedDict[tuple[str, str, str], float] = OrderedDict()

    async def seen(
        self, identity: Identity, method: str, path: str, params: Mapping[str, object], address: str
    ) -> None:
        """Somebody is about to be shown what a route shows; on disk when this returns."""
        action = VIEWS.get((method, path))
        if action is not None:
            subject = "/".join(map(str, params.values()))
            await self.record(identity, action, subject, address)

    async def record(self, identity: Identity, action: str, subject: str, address: str) -> None:
        """The same for what no path tells."""
        key = (identity.name, action, subject)
        now_s = self._clock.monotonic_s()
        before_s = self._lately.get(key)
        if before_s is not None and now_s - before_s < PAUSE_S:
            return
        event = AuditEvent(
            action=action,
            actor=identity.name,
            subject=subject,
            details={"address": address, "kind": identity.kind.value},
        )
        await self._audit.record(event)
        self._lately.pop(key, None)
        self._lately[key] = now_s
        while len(self._lately) > MAX_KEPT:
            self._lately.popitem(last=False)
