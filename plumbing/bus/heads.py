"""What the heads of turning cameras report: the last minute of each, for the workers.

A hint, not a record: what matters of it goes with the detections that it places.
"""

from __future__ import annotations

from collections.abc import Collection

from contracts import CameraId, HeadReport, from_json, to_json
from plumbing.bus.link import Link

KEPT = 64
"""A camera: half a minute at two a second."""
KEPT_S = 60


class Heads:
    """Noting and reading; see `plumbing.bus.Bus` for the contract."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def note(self, camera_id: CameraId, report: HeadReport) -> None:
        """Add one report of a camera's head."""
        key = self._link.key("head", camera_id)
        async with self._link.reached(), self._link.quick.pipeline(transaction=True) as pipe:
            pipe.lpush(key, to_json(report))
            pipe.ltrim(key, 0, KEPT - 1)
            pipe.expire(key, KEPT_S)
            await pipe.execute()

    async def recent(
        self, camera_ids: Collection[CameraId]
    ) -> dict[CameraId, tuple[HeadReport, ...]]:
        """The last reports of each head, the newest first."""
        if not camera_ids:
            return {}
        order = sorted(camera_ids)
        async with self._link.reached(), self._link.quick.pipeline(transaction=False) as pipe:
            for camera_id in order:
                pipe.lrange(self._link.key("head", camera_id), 0, KEPT - 1)
            answers = await pipe.execute()
        return {
            camera_id: tuple(from_json(HeadReport, body) for body in bodies)
            for camera_id, bodies in zip(order, answers, strict=True)
        }
