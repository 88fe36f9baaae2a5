"""What the routes work with: one set a process, made by `api.app.create_app`."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import HTTPConnection

from api.camera_view import CameraView
from api.console import Console, MapFiles
from api.coverage import CoverageView
from api.feed.hub import Feed
from api.feed.readers import FeedReaders
from api.feed.snapshots import Snapshots
from api.intake.citizens import CitizenLimits
from api.metrics import Metrics
from api.oidc import Oidc
from api.outgoing.webhook_sender import WebhookSender
from api.places import Places
from api.rights.lockout import Lockout
from api.rights.views import Views
from geo.projection import LocalProjection
from incidents.store import Store
from plumbing.address_guard import AddressGuard
from plumbing.bus import Bus
from plumbing.clock import Clock
from plumbing.evidence import EvidenceStore
from plumbing.sealing import Sealer
from plumbing.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything that a route may use."""

    settings: Settings
    store: Store
    bus: Bus
    clock: Clock
    sealer: Sealer
    evidence: EvidenceStore
    guard: AddressGuard
    projection: LocalProjection
    metrics: Metrics
    feed: Feed
    readers: FeedReaders
    snapshots: Snapshots
    cameras: CameraView
    coverage: CoverageView
    console: Console
    map_files: MapFiles
    places: Places
    citizens: CitizenLimits
    lockout: Lockout
    views: Views
    oidc: Oidc
    webhooks: WebhookSender


def services_of(connection: HTTPConnection) -> Services:
    """The services of the application that a request or websocket came to."""
    services: Services = connection.app.state.services
    return services
