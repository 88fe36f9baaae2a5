"""The bus: detections, health, commands and wake-ups between the roles, over a Redis server.

Life of a detection: `Bus.publish` returns once the server has it on disk; `Bus.receive` hands it
to one consumer of a group, and again to another if that one dies; `Bus.acknowledge` says it is in
the database, and only what every group has acknowledged is trimmed. Delivery is at least once:
consumers are idempotent by the ids that the nouns carry.

Every call raises `BusUnavailable` while the server can't be reached; nothing here retries for
longer than one reconnect, except the endless iterations (`Bus.wakes`, `Bus.told`,
`Bus.answer_probes`), which come back by themselves.
"""

from plumbing.bus.bus import Bus
from plumbing.bus.errors import BusFull, BusUnavailable, NoAnswer, RegisterMissing
from plumbing.bus.leases import HeldLease, Lease
from plumbing.bus.streams import CLIPS, DETECTIONS, HEALTH, Delivery, Topic

__all__ = [
    "CLIPS",
    "DETECTIONS",
    "HEALTH",
    "Bus",
    "BusFull",
    "BusUnavailable",
    "Delivery",
    "HeldLease",
    "Lease",
    "NoAnswer",
    "RegisterMissing",
    "Topic",
]
