"""Which cameras a worker gives back and takes, so that all carry about the same. No I/O.

Costs are what watching a camera takes of a core; all workers go by the same sum of them. A worker
that carries more than its share gives back the fewest cameras that mend it, one that carries less
takes free ones, and within `TOLERANCE` of the share nobody moves anything: a camera that moves is
opened anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from contracts import CameraId

TOLERANCE = 0.2
"""Of a share. Costs are measured, and waver by more than a tenth."""


@dataclass(frozen=True, slots=True)
class Load:
    """What one worker carries."""

    cameras: int
    cost: float
    is_full: bool = False
    """It has as many cameras as it may, and leaves the rest to others."""


def fair_share(loads: Iterable[Load], unwatched: int, average: float) -> float:
    """What each worker that isn't full should carry; cameras that nobody has count as average."""
    listed = list(loads)
    sharing = [load for load in listed if not load.is_full] or listed
    cost = sum(load.cost for load in sharing) + average * unwatched
    return cost / max(1, len(sharing))


def to_give_back(held: Mapping[CameraId, float], share: float, most: int) -> list[CameraId]:
    """The cameras to give back, by their costs: few, and never so many that too little is left."""
    excess = sum(held.values()) - share
    given: list[CameraId] = []
    slack = max(TOLERANCE * share, min(held.values(), default=0.0) * 0.75)
    # Later ones first where costs are equal: who came last has been watched for the shortest time.
    costly_first = list(reversed(list(held)))
    costly_first.sort(key=lambda camera_id: -held[camera_id])
    if excess > slack:
        for camera_id in costly_first:
            if held[camera_id] <= excess:
                given.append(camera_id)
                excess -= held[camera_id]
    left = len(held) - len(given)
    spare = (camera_id for camera_id in reversed(list(held)) if camera_id not in given)
    given += [next(spare) for _ in range(max(0, left - most))]
    return given


def to_take(
    free: Mapping[CameraId, float], carried: float, share: float, most: int
) -> list[CameraId]:
    """The free cameras to take, at most so many, in this order, until the share is reached.

    The last one may go beyond it: if all stopped short of theirs, cameras would be left over.
    """
    taken: list[CameraId] = []
    for camera_id, cost in free.items():
        if len(taken) >= most or carried >= share * (1 - 1e-9):
            break
        taken.append(camera_id)
        carried += cost
    return taken
