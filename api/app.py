"""The application: its parts, its routes, and what runs as long as it does."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api import problems, translation
from api.body_limit import BodyLimit
from api.camera_view import CameraView
from api.configuration import note_configuration
from api.console import Console, MapFiles, console_folder
from api.correlation import Correlation
from api.coverage import CoverageView
from api.desk_figures import DeskFigures
from api.feed.hub import Feed
from api.feed.readers import FeedReaders
from api.feed.snapshots import Snapshots
from api.feed.starting import encoded_snapshot
from api.feed.waking import Waker
from api.headers import SecurityHeaders, content_security_policy
from api.intake.citizens import CitizenLimits
from api.metrics import Metrics, RequestMetrics
from api.oidc import Oidc
from api.outgoing.cot_sender import CotSender
from api.outgoing.webhook_sender import WebhookSender
from api.places import Places
from api.problems import ProblemBody
from api.rate_limit import RateLimit
from api.rights.access import ACCESS
from api.rights.lockout import Lockout
from api.rights.scopes import scope_of
from api.rights.security import COOKIE, still_holds
from api.rights.views import Views
from api.routes import ROUTERS
from api.routes.config import program_version
from api.services import Services
from contracts import LonLat
from geo.projection import LocalProjection
from incidents.fusing.configured import load_areas, load_buildings
from incidents.log import LogFilter
from incidents.store import Store
from plumbing.address_guard import AddressGuard
from plumbing.bus import Bus
from plumbing.clock import Clock, SystemClock
from plumbing.evidence import EvidenceStore, open_evidence
from plumbing.sealing import Sealer
from plumbing.settings import Settings

_DESCRIPTION = (
    "Cameras, calls, incidents and the feed of their changes. People sign in at /api/v1/session, "
    "machines send Authorization: Bearer KEY. Every error is a problem document (RFC 9457)."
)

_SIGN_IN = {
    "key": {"type": "http", "scheme": "bearer", "description": "A machine's key"},
    "session": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "A person's"},
}
"""Either of them lets in, where an address has roles."""


def create_app(
    settings: Settings,
    store: Store,
    bus: Bus,
    *,
    clock: Clock | None = None,
    sealer: Sealer | None = None,
    evidence: EvidenceStore | None = None,
    guard: AddressGuard | None = None,
) -> FastAPI:
    """Put the application together; it is for `api.server`, whose websocket protocol it needs.

    Args:
        settings: the whole configuration.
        store: opened; the caller closes it after the application has stopped.
        bus: likewise.
        clock: the system's where none is given, as the following come from the settings.
        sealer: seals cameras' passwords.
        evidence: where pictures are.
        guard: judges cameras' addresses.
    """
    services, waker = _services(
        settings,
        store,
        bus,
        clock or SystemClock(),
        sealer or Sealer(settings.key_file),
        evidence
        or open_evidence(
            settings.evidence_folder, settings.evidence.min_free_bytes, settings.evidence.url
        ),
        guard or AddressGuard(settings.ingest.allow_private),
    )
    tak = CotSender(
        store,
        services.feed,
        bus,
        services.clock,
        services.metrics,
        settings.cot,
        exercise=settings.exercise,
    )
    figures = DeskFigures(services.metrics, store.desk_loads.last)
    services.feed.listen(figures.on_entries)
    store.listen(waker.committed)
    store.listen(lambda _seq: services.feed.wake())

    @contextlib.asynccontextmanager
    async def while_running(_app: FastAPI) -> AsyncIterator[None]:
        await note_configuration(store.audit, settings, services.sealer)
        running = [
            asyncio.create_task(part.run(), name=type(part).__name__)
            for part in (
                services.feed,
                services.readers,
                services.cameras,
                services.webhooks,
                figures,
                tak,
                waker,
            )
        ]
        try:
            yield
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    app = FastAPI(
        title="Siaga",
        version=program_version() or "0",
        description=_DESCRIPTION,
        lifespan=while_running,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.state.services = services
    problems.install(app)
    translation.install(app)
    # The last one added is the outermost: what goes wrong inside is counted and dressed outside.
    app.add_middleware(
        BodyLimit,
        max_bytes=settings.api.max_body_bytes,
        max_attachment_bytes=settings.api.max_attachment_bytes,
    )
    app.add_middleware(
        RateLimit,
        clock=services.clock,
        cookie=COOKIE,
        known_per_s=settings.api.requests_per_s,
        strangers_per_s=settings.api.strangers_per_s,
    )
    app.add_middleware(Correlation)
    app.add_middleware(SecurityHeaders, policy=content_security_policy(settings.map))
    app.add_middleware(RequestMetrics, metrics=services.metrics)
    for router in ROUTERS:
        app.include_router(router)
    app.openapi = lambda: _description(app)  # type: ignore[method-assign]
    return app


def _services(
    settings: Settings,
    store: Store,
    bus: Bus,
    clock: Clock,
    sealer: Sealer,
    evidence: EvidenceStore,
    guard: AddressGuard,
) -> tuple[Services, Waker]:
    metrics = Metrics()
    metrics.describe("siaga_live_watched_total", "counter", "Times somebody began to watch live")
    projection = LocalProjection(LonLat(settings.city.lon, settings.city.lat))
    buildings = load_buildings(settings.city.buildings, projection)
    camera_view = CameraView(store.cameras.all, projection, buildings)
    feed_of_log = Feed(store.log, bus.wakes, clock, metrics, settings.api.feed_queue)
    feed_of_log.listen(camera_view.on_entries)

    async def make_snapshot(only: LogFilter) -> tuple[int, bytes]:
        found = await store.snapshot()
        await camera_view.fields.work_out(found.cameras)
        # Megabytes in a large city; meanwhile the feed must go on telling the others.
        return found.seq, await asyncio.to_thread(
            encoded_snapshot, found, only, camera_view.fields.of
        )

    services = Services(
        settings=settings,
        store=store,
        bus=bus,
        clock=clock,
        sealer=sealer,
        evidence=evidence,
        guard=guard,
        projection=projection,
        metrics=metrics,
        feed=feed_of_log,
        readers=FeedReaders(lambda identity: still_holds(store, settings.api, identity)),
        snapshots=Snapshots(make_snapshot, clock),
        cameras=camera_view,
        coverage=CoverageView(
            camera_view, projection, settings.city.radius_m, load_areas(settings.city.areas)
        ),
        console=Console(console_folder()),
        map_files=MapFiles.of(settings),
        places=Places(MapFiles.of(settings).files.values(), projection),
        citizens=CitizenLimits(settings.calls, clock),
        lockout=Lockout(clock),
        views=Views(store.audit, clock),
        oidc=Oidc(settings.oidc, sealer, clock),
        webhooks=WebhookSender(
            store.webhooks,
            bus,
            clock,
            sealer,
            metrics,
            settings.webhooks,
            settings.publishing.public_url or f"urn:siaga:{settings.publishing.agency_id}",
        ),
    )
    return services, Waker(bus)


def _description(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, with the roles of the access table and the problems' shape."""
    if app.openapi_schema is None:
        made = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
        )
        schemas = made.setdefault("components", {}).setdefault("schemas", {})
        shape = ProblemBody.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= shape.pop("$defs", {})
        schemas["ProblemBody"] = shape
        made["components"]["securitySchemes"] = _SIGN_IN
        for path, operations_there in made["paths"].items():
            for method, operation in operations_there.items():
                _annotate(operation, method.upper(), path)
        app.openapi_schema = made
    return app.openapi_schema


def _annotate(operation: dict[str, Any], method: str, path: str) -> None:
    roles = ACCESS.get((method, path)) or ACCESS.get((method, path.replace("}", ":path}")))
    responses = operation.setdefault("responses", {})
    usual = [400, 413, 429] if "requestBody" in operation else [429]
    if roles:
        operation["x-roles"] = sorted(roles)
        operation["x-scope"] = scope_of(method, path)
        operation["security"] = [{name: []} for name in _SIGN_IN]
        usual += [401, 403, 503]
    for status, described in problems.documented(*usual).items():
        responses.setdefault(str(status), described)
    # The framework describes its own form of 422, which is never sent.
    answer = operation.get("responses", {}).get("422")
    if answer is not None:
        content = answer.get("content", {})
        if "application/json" in content:
            content.pop("application/json")
            content.update(problems.documented(422)[422]["content"])
