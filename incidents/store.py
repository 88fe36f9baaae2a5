"""The store: the one truth, and the doors to it. See the package's docstring for the names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select, update

from contracts import (
    Call,
    Camera,
    CameraHealth,
    CameraId,
    DeskLoad,
    Incident,
    Sequence,
    Shelf,
    Unit,
    from_json,
)
from incidents.actions import Incidents
from incidents.calls import Calls
from incidents.database import Database, Listener
from incidents.dead_letters import DeadLetters
from incidents.desk import Handovers, Shelves, read_shelves
from incidents.fusing.decisions import FusionDoor
from incidents.fusing.learning import Learning
from incidents.fusing.loads import DeskLoads, read_load
from incidents.fusing.verdicts import Verdicts
from incidents.keeping.archive import Archive
from incidents.keeping.retention import Retention
from incidents.log import Log, read_last_seq
from incidents.messages import Messages
from incidents.people.accounts import Accounts
from incidents.people.audit import Audit
from incidents.people.keys import Keys
from incidents.people.sessions import Sessions
from incidents.register.calibrations import Calibrations
from incidents.register.camera_rows import read_cameras, read_healths
from incidents.register.cameras import Cameras
from incidents.register.clips import Clips
from incidents.regrouping import Regrouping
from incidents.reporting.exercises import Exercises
from incidents.reporting.facts import Facts
from incidents.reports import Reports
from incidents.routing import Dispatching, Units
from incidents.tables import CallRow, CounterRow, IncidentRow, UnitRow
from incidents.undoing import Undoing
from incidents.webhooks import Webhooks
from plumbing.clock import Clock
from plumbing.evidence import EvidenceStore
from plumbing.settings import Settings

RECENT_CALLS = timedelta(hours=12)
"""A shift: calls older than this are not in a snapshot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What a reader starts from: the world as the log tells it up to ``seq``."""

    seq: Sequence
    incidents: tuple[Incident, ...]
    """The open ones, oldest first."""
    cameras: tuple[Camera, ...]
    healths: dict[CameraId, CameraHealth]
    calls: tuple[Call, ...]
    """The recent ones, oldest first."""
    units: tuple[Unit, ...]
    shelves: tuple[Shelf, ...]
    """Those that have not ended."""
    desk_load: DeskLoad | None
    """As it was told last; none where it never was."""


class Store:
    """The opened database with its repositories."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.reports = Reports(database)
        self.calls = Calls(database)
        self.messages = Messages(database)
        self.dead_letters = DeadLetters(database)
        self.incidents = Incidents(database)
        self.verdicts = Verdicts(database)
        self.learning = Learning(database)
        self.regrouping = Regrouping(database)
        self.dispatching = Dispatching(database)
        self.undoing = Undoing(database)
        self.units = Units(database)
        self.shelves = Shelves(database)
        self.handovers = Handovers(database)
        self.webhooks = Webhooks(database)
        self.archive = Archive(database)
        self.clips = Clips(database)
        self.log = Log(database)
        self.cameras = Cameras(database)
        self.calibrations = Calibrations(database)
        self.accounts = Accounts(database)
        self.sessions = Sessions(database)
        self.keys = Keys(database)
        self.audit = Audit(database)
        self.facts = Facts(database)
        self.exercises = Exercises(database)
        self.fusion = FusionDoor(database)
        self.desk_loads = DeskLoads(database)

    def retention(self, settings: Settings, evidence: EvidenceStore | None) -> Retention:
        """What forgets by these settings; ``evidence`` none leaves files alone."""
        return Retention(self._database, self._database.clock, settings, evidence)

    @classmethod
    async def open(cls, url: str, clock: Clock) -> Store:
        """Open a database and bring its tables up to date; several processes may at once.

        Raises:
            StoreUnusable: the database can't be used; the message says why and what to do.
        """
        return cls(await Database.open(url, clock))

    async def close(self) -> None:
        """Close every connection."""
        await self._database.close()

    async def touch(self) -> None:
        """Write something that changes nothing: whether the database takes writes, down to disk."""
        async with self._database.changing() as connection:
            await connection.execute(
                update(CounterRow).where(CounterRow.name == "audit").values(value=CounterRow.value)
            )

    def listen(self, listener: Listener) -> None:
        """Call ``listener(last log seq)`` after each commit of this process that brought news: log
        entries or reports. It runs in the event loop, so it must be quick and must not raise."""
        self._database.listeners.append(listener)

    async def snapshot(self) -> Snapshot:
        """Open incidents, cameras and recent calls, all of one moment."""
        recent = self._database.clock.now() - RECENT_CALLS
        async with self._database.reading(is_long=True) as connection:
            return Snapshot(
                seq=await read_last_seq(connection),
                incidents=tuple(
                    from_json(Incident, body)
                    for body in await connection.scalars(
                        select(IncidentRow.body)
                        .where(IncidentRow.is_open.is_(True))
                        .order_by(IncidentRow.founded_seq)
                    )
                ),
                cameras=tuple(await read_cameras(connection)),
                healths=await read_healths(connection),
                calls=tuple(
                    from_json(Call, body)
                    for body in await connection.scalars(
                        select(CallRow.body)
                        .where(CallRow.received_at >= recent)
                        .order_by(CallRow.received_seq)
                    )
                ),
                units=tuple(
                    from_json(Unit, body)
                    for body in await connection.scalars(
                        select(UnitRow.body).where(UnitRow.removed.is_(False)).order_by(UnitRow.id)
                    )
                ),
                shelves=tuple(await read_shelves(connection, self._database.clock.now())),
                desk_load=await read_load(connection),
            )
