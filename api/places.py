"""The city's named places, read from the map's files when somebody first searches."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

from geo.places import NamedPlace, PlaceIndex
from geo.projection import LocalProjection
from plumbing.map_files import read_collections


class Places:
    """Finds places by name. One a process; the index is made once, in a thread."""

    def __init__(self, files: Iterable[Path], projection: LocalProjection) -> None:
        self._files = tuple(files)
        self._projection = projection
        self._index: PlaceIndex | None = None
        self._lock = asyncio.Lock()

    async def find(self, text: str, most: int) -> list[NamedPlace]:
        """See `geo.places.PlaceIndex.find`."""
        async with self._lock:
            if self._index is None:
                self._index = await asyncio.to_thread(self._read)
        return self._index.find(text, most)

    def _read(self) -> PlaceIndex:
        return PlaceIndex(read_collections(self._files), self._projection)
