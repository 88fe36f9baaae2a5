"""Who may do what: every route with the roles that may use it, in one table.

`GuardedRoute` looks the route up before anything of the request is read, and a route that isn't in
the table can't be made at all.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from api.rights.reach import require_reach, require_seen
from api.rights.scopes import scope_of
from api.rights.security import address_of, authorise
from api.services import services_of
from incidents.people.accounts import Role

Roles = frozenset[Role] | None
"""The roles that may; none means everybody, signed in or not."""

PUBLIC: Roles = None
ANYONE_SIGNED_IN = frozenset(Role)
DESK = frozenset({Role.OPERATOR, Role.SUPERVISOR, Role.DISPATCH})
"""Who takes calls and decides about incidents."""
INSPECTORS = frozenset({Role.SUPERVISOR, Role.AUDITOR})
"""Who looks into messages as they came, with the numbers of persons and devices in them."""
LETTER_DESK = frozenset({Role.SUPERVISOR})
"""Who decides about what was kept because it could not be used or believed."""
EXPORTERS = frozenset({Role.SUPERVISOR, Role.DISPATCH, Role.AUDITOR})
"""Who takes many incidents out of the system at once."""
OTHER_CENTRES = frozenset({Role.OPERATOR, *EXPORTERS})
"""Who hands one incident on with operators' notes."""
ACCOUNT_DESK = frozenset({Role.SUPERVISOR})
"""Who gives accounts, keys and webhooks out."""
WATCHERS = ANYONE_SIGNED_IN - {Role.AUDITOR}
"""Who looks through the cameras."""
CAMERA_DESK = frozenset({Role.CAMERA_ADMIN, Role.SUPERVISOR})
UNIT_DESK = frozenset({Role.DISPATCH, Role.SUPERVISOR})
"""Who registers units."""
TRAINERS = frozenset({Role.SUPERVISOR})
"""Who starts and stops exercises."""
SHELF_DESK = frozenset({Role.OPERATOR, Role.SUPERVISOR})
"""Who keeps a camera or hazard from sounding."""

ACCESS: dict[tuple[str, str], Roles] = {
    ("POST", "/api/v1/session"): PUBLIC,
    ("GET", "/api/v1/session/ways"): PUBLIC,
    ("GET", "/api/v1/session/oidc"): PUBLIC,
    ("GET", "/api/v1/session/oidc/callback"): PUBLIC,
    ("GET", "/api/v1/session"): ANYONE_SIGNED_IN,
    ("DELETE", "/api/v1/session"): ANYONE_SIGNED_IN,
    ("PUT", "/api/v1/session/password"): ANYONE_SIGNED_IN,
    ("GET", "/api/v1/users"): INSPECTORS,
    ("POST", "/api/v1/users"): ACCOUNT_DESK,
    ("GET", "/api/v1/users/{username}"): INSPECTORS,
    ("PATCH", "/api/v1/users/{username}"): ACCOUNT_DESK,
    ("PUT", "/api/v1/users/{username}/password"): ACCOUNT_DESK,
    ("GET", "/api/v1/users/{username}/sessions"): INSPECTORS,
    ("DELETE", "/api/v1/users/{username}/sessions"): ACCOUNT_DESK,
    ("GET", "/api/v1/keys"): INSPECTORS,
    ("POST", "/api/v1/keys"): ACCOUNT_DESK,
    ("POST", "/api/v1/keys/{name}/rotate"): ACCOUNT_DESK,
    ("DELETE", "/api/v1/keys/{name}"): ACCOUNT_DESK,
    ("GET", "/api/v1/audit"): INSPECTORS,
    ("GET", "/api/v1/reports/kinds"): EXPORTERS,
    ("GET", "/api/v1/reports/clocks"): EXPORTERS,
    ("GET", "/api/v1/reports/false-alarms"): EXPORTERS,
    ("GET", "/api/v1/reports/alarms"): EXPORTERS,
    ("GET", "/api/v1/reports/heat"): EXPORTERS,
    ("GET", "/api/v1/exercises"): EXPORTERS,
    ("POST", "/api/v1/exercises"): TRAINERS,
    ("GET", "/api/v1/exercises/current"): ANYONE_SIGNED_IN,
    ("DELETE", "/api/v1/exercises/current"): TRAINERS,
    ("POST", "/api/v1/exercises/records"): TRAINERS,
    ("GET", "/api/v1/exercises/{exercise_id}"): EXPORTERS,
    ("GET", "/api/v1/config"): ANYONE_SIGNED_IN,
    ("GET", "/api/v1/places"): ANYONE_SIGNED_IN,
    ("GET", "/api/v1/cameras"): ANYONE_SIGNED_IN,
    ("POST", "/api/v1/cameras"): CAMERA_DESK,
    ("POST", "/api/v1/cameras/probe"): CAMERA_DESK,
    ("POST", "/api/v1/cameras/import"): CAMERA_DESK,
    ("POST", "/api/v1/cameras/bulk"): CAMERA_DESK,
    ("GET", "/api/v1/camera-groups"): ANYONE_SIGNED_IN,
    ("GET", "/api/v1/camera-outages"): ANYONE_SIGNED_IN,
    ("GET", "/api/v1/cameras/{camera_id}/health-history"): ANYONE_SIGNED_IN,
    ("POST", "/api/v1/cameras/{camera_id}/probe"): CAMERA_DESK,
    ("GET", "/api/v1/cameras/{camera_id}"): ANYONE_SIGNED_IN,
    ("PUT", "/api/v1/cameras/{camera_id}"): CAMERA_DESK,
    ("DELETE", "/api/v1/cameras/{camera_id}"): CAMERA_DESK,
    ("POST", "/api/v1/cameras/{camera_id}/calibration/preview"): CAMERA_DESK,
    ("GET", "/api/v1/cameras/{camera_id}/calibration"): CAMERA_DESK,
    ("PUT", "/api/v1/cameras/{camera_id}/calibration"): CAMERA_DESK,
    ("POST", "/api/v1/cameras/{camera_id}/calibration/{calibration_id}/restore"): CAMERA_DESK,
    ("GET", "/api/v1/cameras/{camera_id}/calibration/proposal"): CAMERA_DESK,
    ("POST", "/api/v1/cameras/{camera_id}/calibration/proposal/accept"): CAMERA_DESK,
    ("GET", "/api/v1/coverage"): ANYONE_SIGNED_IN,
    ("GET", "/api/v1/calls"): ANYONE_SIGNED_IN,
    ("POST", "/api/v1/calls"): DESK,
    ("POST", "/api/v1/citizen-reports"): DESK,
    ("POST", "/api/v1/citizen-reports/{call_id}/photos"): DESK,
    ("GET", "/api/v1/calls/{call_id}/photos/{evidence_id}"): ANYONE_SIGNED_IN,
    ("POST", "/api/v1/calls/outlook"): DESK,
    ("GET", "/api/v1/calls/{call_id}"): ANYONE_SIGNED_IN,
    ("PUT", "/api/v1/calls/{call_id}"): DESK,
    ("GET", "/api/v1/calls/{call_id}/cameras"): ANYONE_SIGNED_IN,
    ("POST", "/api/v1/calls/{call_id}/fixes"): DESK,
    # Phones sign what they send, and what isn't signed is kept all the same (`api.intake.taking`).
    ("POST", "/aml"): PUBLIC,
    ("POST", "/api/v1/sms"): DESK,
    ("POST", "/pidf-lo"): DESK,
    ("GET", "/api/v1/messages"): INSPECTORS,
    ("GET", "/api/v1/messages/{message_id}"): INSPECTORS,
    ("POST", "/api/v1/messages/{message_id}/believe"): LETTER_DESK,
    ("POST", "/api/v1/messages/{message_id}/discard"): LETTER_DESK,
    ("GET", "/api/v1/dead-letters"): INSPECTORS,
    ("GET", "/api/v1/dead-letters/{topic}/{entry_id}"): INSPECTORS,
    ("POST", "/api/v1/dead-letters/{topic}/{entry_id}/process"): LETTER_DESK,
    ("POST", "/api/v1/dead-letters/{topic}/{entry_id}/discard"): LETTER_DESK,
    ("GET", "/api/v1/incidents"): ANYONE_SIGNED_IN,
    ("GET", "/api/v1/incidents.csv"): EXPORTERS,
    ("GET", "/api/v1/incidents.geojson"): EXPORTERS,
    ("GET", "/api/v1/incidents/{incident_id}.cap.xml"): ANYONE_SIGNED_IN,
    ("GET", "/api/v1/incidents/{incident_id}.eido.json"): OTHER_CENTRES,
    ("GET", "/cap/feed"): ANYONE_SIGNED_IN,
    ("GET", "/ogc"): ANYONE_SIGNED_IN,
    ("GET", "/ogc/"): ANYONE_SIGNED_IN,
    ("GET", "/ogc/conformance"): ANYONE_SIGNED_IN,
    ("GET", "/ogc/collections"): ANYONE_SIGNED_IN,
    ("GET", "/ogc/collections/{collection_id}"): ANYONE_SIGNED_IN,
    ("GET", "/ogc/collections/{collection_id}/items"): ANYONE_SIGNED_IN,
    ("GET", "/ogc/collections/{collection_id}/items/{feature_id}"): ANYONE_SIGNED_IN,
    ("GET", "/api/v1/incidents/{incident_id}"): ANYONE_SIGNED_IN,
    ("GET", "/api/v1/incidents/{incident_id}/evidence"): ANYONE_SIGNED_IN,
    ("POST", "/api/v1/incidents/{incident_id}/actions"): DESK,
    ("GET", "/api/v1/incidents/{incident_id}/similar"): ANYONE_SIGNED_IN,
    ("POST", "/api/v1/incidents/{incident_id}/undo"): DESK,
    ("GET", "/api/v1/incidents/{incident_id}/responders"): ANYONE_SIGNED_IN,
    ("POST", "/api/v1/incidents/{incident_id}/assignments"): DESK,
    ("POST", "/api/v1/incidents/{incident_id}/assignments/{assignment_id}"): DESK,
    ("POST", "/api/v1/incidents/{incident_id}/merge"): DESK,
    ("POST", "/api/v1/incidents/{incident_id}/split"): DESK,
    ("POST", "/api/v1/incidents/{incident_id}/hold"): INSPECTORS,
    ("POST", "/api/v1/incidents/{incident_id}/attachments"): DESK,
    ("GET", "/api/v1/incidents/{incident_id}/attachments/{evidence_id}"): ANYONE_SIGNED_IN,
    ("GET", "/api/v1/agencies"): ANYONE_SIGNED_IN,
    ("GET", "/api/v1/units"): ANYONE_SIGNED_IN,
    ("POST", "/api/v1/units"): UNIT_DESK,
    ("GET", "/api/v1/units/{unit_id}"): ANYONE_SIGNED_IN,
    ("PUT", "/api/v1/units/{unit_id}"): UNIT_DESK,
    ("DELETE", "/api/v1/units/{unit_id}"): UNIT_DESK,
    ("POST", "/api/v1/units/{unit_id}/status"): DESK,
    ("GET", "/api/v1/learning"): EXPORTERS,
    ("PUT", "/api/v1/learning"): ACCOUNT_DESK,
    ("GET", "/api/v1/models"): EXPORTERS,
    ("GET", "/api/v1/shelves"): ANYONE_SIGNED_IN,
    ("POST", "/api/v1/shelves"): SHELF_DESK,
    ("DELETE", "/api/v1/shelves/{shelf_id}"): SHELF_DESK,
    ("GET", "/api/v1/webhooks"): INSPECTORS,
    ("POST", "/api/v1/webhooks"): ACCOUNT_DESK,
    ("GET", "/api/v1/webhooks/{webhook_id}"): INSPECTORS,
    ("PUT", "/api/v1/webhooks/{webhook_id}"): ACCOUNT_DESK,
    ("DELETE", "/api/v1/webhooks/{webhook_id}"): ACCOUNT_DESK,
    ("POST", "/api/v1/webhooks/{webhook_id}/secret"): ACCOUNT_DESK,
    ("GET", "/api/v1/webhooks/{webhook_id}/dead-letters"): INSPECTORS,
    ("POST", "/api/v1/webhooks/{webhook_id}/dead-letters/send"): ACCOUNT_DESK,
    ("GET", "/api/v1/handovers"): ANYONE_SIGNED_IN,
    ("POST", "/api/v1/handovers"): DESK,
    ("POST", "/api/v1/handovers/{handover_id}/take"): DESK,
    ("POST", "/api/v1/detections"): CAMERA_DESK,
    ("POST", "/api/v1/cameras/{camera_id}/head"): CAMERA_DESK,
    ("GET", "/api/v1/log"): ANYONE_SIGNED_IN,
    ("GET", "/api/v1/evidence/{evidence_id}"): ANYONE_SIGNED_IN,
    ("GET", "/map/{name:path}"): ANYONE_SIGNED_IN,
    ("WEBSOCKET", "/ws/v1/feed"): ANYONE_SIGNED_IN,
    ("WEBSOCKET", "/live/v1/{camera_id}"): WATCHERS,
    ("GET", "/api/v1/cameras/{camera_id}/live"): WATCHERS,
    ("GET", "/api/v1/cameras/{camera_id}/picture.jpg"): WATCHERS,
    ("GET", "/sse/v1/feed"): ANYONE_SIGNED_IN,
    ("GET", "/healthz"): PUBLIC,
    ("GET", "/readyz"): PUBLIC,
    ("GET", "/metrics"): PUBLIC,
    ("GET", "/docs"): PUBLIC,
    ("GET", "/openapi.json"): PUBLIC,
    ("GET", "/asyncapi.json"): PUBLIC,
    # The console's own files hold nothing of the city's; what it shows comes from the above.
    ("GET", "/"): PUBLIC,
    ("GET", "/{path:path}"): PUBLIC,
}


def roles_for(method: str, path: str) -> Roles:
    """The table's entry.

    Raises:
        LookupError: the route isn't in the table.
    """
    try:
        return ACCESS[method, path]
    except KeyError:
        raise LookupError(f"{method} {path} has no line in api.rights.access.ACCESS") from None


class GuardedRoute(APIRoute):
    """A route that asks the table first, before it reads the body."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        for method in self.methods or ():
            roles_for(method, path)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, guarded."""
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            roles = roles_for(request.method, self.path)
            await authorise(request, roles, scope_of(request.method, self.path))
            if request.state.identity is not None:
                require_reach(request.state.identity, request.method, self.path)
                await require_seen(
                    services_of(request), request.state.identity, request.path_params
                )
                await services_of(request).views.seen(
                    request.state.identity,
                    request.method,
                    self.path,
                    request.path_params,
                    address_of(request),
                )
            return await handle(request)

        return guarded
