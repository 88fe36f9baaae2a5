"""What workers let one another know in their leases' notes. JSON; the API reads the address."""

from __future__ import annotations

import json

from plumbing.bus import HeldLease
from siaga.watching.sharing import Load


def camera_note(address: str, *, has_pictures: bool) -> str:
    """Of a camera's holder: where its live video is to be had, and whether pictures come."""
    return json.dumps({"address": address, "pictures": has_pictures})


def tells_of_pictures(lease: HeldLease) -> bool:
    """Whether a camera's holder has pictures of it."""
    return bool(json.loads(lease.note or "{}").get("pictures"))


def presence_note(load: Load) -> str:
    """Of a worker: what it carries."""
    return json.dumps({"cameras": load.cameras, "cost": round(load.cost, 3), "full": load.is_full})


def load_of(lease: HeldLease) -> Load:
    """What a worker carries, by its presence's note."""
    told = json.loads(lease.note or "{}")
    return Load(
        int(told.get("cameras", 0)), float(told.get("cost", 0)), bool(told.get("full", False))
    )
