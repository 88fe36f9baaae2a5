"""What people decided about each camera's sightings, as the fusion process publishes it.

A state, not a stream: a worker that takes a camera reads all that is known of it, and nothing is
lost where either was away meanwhile. The database can always publish it again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence

from contracts import CameraId, from_plain, to_plain
from contracts.verdicts import Verdict
from plumbing.bus.link import Link


class VerdictBook:
    """Publishing and reading verdicts; see `plumbing.bus.Bus` for the contract."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._published: bytes | None = None
        self._version: bytes | None = None
        self._asked: frozenset[CameraId] = frozenset()

    async def publish(self, verdicts: Mapping[CameraId, Sequence[Verdict]]) -> None:
        """Replace them all."""
        bodies = {
            str(camera): json.dumps([to_plain(verdict) for verdict in some]).encode()
            for camera, some in verdicts.items()
        }
        digest = hashlib.sha256()
        for camera in sorted(bodies):
            digest.update(camera.encode() + b"\0" + bodies[camera] + b"\0")
        version = digest.hexdigest()
        key = self._link.key("verdicts")
        async with self._link.reached(), self._link.quick.pipeline(transaction=True) as pipe:
            pipe.delete(key)
            if bodies:
                pipe.hset(key, mapping={camera: body for camera, body in bodies.items()})  # noqa: C416 -- hset's type
            pipe.set(self._link.key("verdicts-version"), version)
            await pipe.execute()
        self._published = version.encode()

    async def is_published(self) -> bool:
        """Whether the server still holds what was published here last."""
        async with self._link.reached():
            version = await self._link.quick.get(self._link.key("verdicts-version"))
        return version is not None and version == self._published

    async def read(
        self, camera_ids: Collection[CameraId]
    ) -> dict[CameraId, tuple[Verdict, ...]] | None:
        """Those of some cameras; none where neither they nor the cameras have changed."""
        asked = frozenset(camera_ids)
        async with self._link.reached():
            version = await self._link.quick.get(self._link.key("verdicts-version"))
            if version is None or (version == self._version and asked == self._asked):
                return None
            order = sorted(asked)
            async with self._link.quick.pipeline(transaction=True) as pipe:
                pipe.get(self._link.key("verdicts-version"))
                for camera_id in order:
                    pipe.hget(self._link.key("verdicts"), camera_id)
                version, *bodies = await pipe.execute()
        found = {
            camera_id: tuple(from_plain(Verdict, one) for one in json.loads(body)) if body else ()
            for camera_id, body in zip(order, bodies, strict=True)
        }
        self._version, self._asked = version, asked
        return found
