"""The register of streams that workers watch, as the fusion process publishes it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from contracts import StreamSource, from_json, to_json
from plumbing.bus.errors import RegisterMissing
from plumbing.bus.link import Link


class Register:
    """Publishing and reading the register; see `plumbing.bus.Bus` for the contract."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._version: bytes | None = None
        self._sources: list[StreamSource] = []

    async def publish(self, sources: Sequence[StreamSource]) -> None:
        """Replace the whole register."""
        bodies = {source.camera_id: to_json(source) for source in sources}
        version = hashlib.sha256(b"\n".join(sorted(bodies.values()))).hexdigest()
        key = self._link.key("register")
        async with self._link.reached(), self._link.quick.pipeline(transaction=True) as pipe:
            pipe.delete(key)
            if bodies:
                pipe.hset(key, mapping={str(camera): body for camera, body in bodies.items()})
            pipe.set(self._link.key("register-version"), version)
            await pipe.execute()

    async def read(self) -> list[StreamSource]:
        """The register, by camera id; costs one small command while nothing changes."""
        async with self._link.reached():
            version = await self._link.quick.get(self._link.key("register-version"))
            if version is None:
                raise RegisterMissing("no register of cameras has been published yet")
            if version == self._version:
                return list(self._sources)
            async with self._link.quick.pipeline(transaction=True) as pipe:
                pipe.get(self._link.key("register-version"))
                pipe.hgetall(self._link.key("register"))
                version, bodies = await pipe.execute()
        self._sources = [from_json(StreamSource, bodies[camera]) for camera in sorted(bodies)]
        self._version = version
        return list(self._sources)
