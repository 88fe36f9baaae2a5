"""The GeoJSON files that the map is drawn from, read for the names in them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from plumbing.logs import get_logger

_log = get_logger(__name__)


def read_collections(files: Iterable[Path]) -> Iterator[dict[str, Any]]:
    """What the GeoJSON files among these hold; one that can't be read is told of, and the others
    still serve: a background need not be perfect."""
    for path in files:
        if path.suffix.lower() not in (".geojson", ".json"):
            continue
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            _log.warning("a map file's names can't be read", file=path.name, error=str(error))
            continue
        if isinstance(found, dict):
            yield found
