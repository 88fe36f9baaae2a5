"""The city's named places, read from the map's files when somebody first searches."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from geo.places import NamedPlace, PlaceIndex
from geo.projection import LocalProjection
from plumbing.logs import get_logger

_log = get_logger(__name__)


class Places:
    """Finds places by name. One a process; the index is made once, in a thread."""

    def __init__(self, files: Iterable[Path], projection: LocalProjection) -> None:
        self._files = [path for path in files if path.suffix.lower() in (".geojson", ".json")]
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
        return PlaceIndex(filter(None, map(_collection, self._files)), self._projection)


def _collection(path: Path) -> dict[str, Any] | None:
    """A map's file; one that can't be read is told of, and the others still serve."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        _log.warning("a map file can't be searched", file=path.name, error=str(error))
        return None
    return found if isinstance(found, dict) else None
