"""The console's built files and the map's own, as the browser gets them.

The console is built into ``web_map/dist``. Its assets carry their content's hash in their names and
are kept by browsers for good; everything else is asked for anew each time. Compressed forms that
the build has laid beside an asset are sent to who takes them.
"""

from __future__ import annotations

import html
import mimetypes
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import anyio
from starlette.responses import FileResponse, HTMLResponse, Response

from api.problems import Problem
from plumbing.settings import Settings

HOME_VARIABLE = "SIAGA_CONSOLE"
"""Names the folder of the built console, where it isn't beside the program."""
FOR_GOOD = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"

_ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
"""Compressed forms of an asset, the smallest first, and how their files' names end."""

_MEDIA_TYPES = {
    ".pmtiles": "application/vnd.pmtiles",
    ".geojson": "application/geo+json",
    ".json": "application/json",
}


def console_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Where the built console is looked for."""
    named = environment.get(HOME_VARIABLE)
    return Path(named) if named else Path(__file__).resolve().parent.parent / "web_map" / "dist"


class Console:
    """The files below one folder, and no others."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def index(self) -> Response:
        """The page itself, or how to build it."""
        return await anyio.to_thread.run_sync(self._index)

    async def file(self, path: str, accepted: str = "") -> Response:
        """One of its files; ``accepted`` is the request's ``Accept-Encoding``.

        Raises:
            Problem: 404; a page that doesn't exist is not the console.
        """
        return await anyio.to_thread.run_sync(self._file, path, accepted)

    def _index(self) -> Response:
        page = self._folder / "index.html"
        if not page.is_file():
            return HTMLResponse(_not_built(self._folder), 503, {"Cache-Control": "no-store"})
        return FileResponse(page, headers={"Cache-Control": ASK_AGAIN})

    def _file(self, path: str, accepted: str) -> Response:
        found = _inside(self._folder, path)
        if found is None:
            raise Problem(404, "not-found", "There is nothing at this address.")
        if not path.startswith("assets/"):
            return FileResponse(found, headers={"Cache-Control": ASK_AGAIN})
        headers = {"Cache-Control": FOR_GOOD, "Vary": "Accept-Encoding"}
        media_type = mimetypes.guess_type(found.name)[0]
        taken = {one.partition(";")[0].strip().lower() for one in accepted.split(",")}
        for encoding, ending in _ENCODINGS:
            smaller = found.with_name(found.name + ending)
            if encoding in taken and smaller.is_file():
                headers["Content-Encoding"] = encoding
                return FileResponse(smaller, media_type=media_type, headers=headers)
        return FileResponse(found, media_type=media_type, headers=headers)


def _inside(folder: Path, path: str) -> Path | None:
    """The file at ``path`` below ``folder``; none where it is absent or would lead out."""
    if "\0" in path or len(path) > 500:
        return None
    root = folder.resolve()
    found = (root / path).resolve()
    return found if found.is_relative_to(root) and found.is_file() else None


def _not_built(folder: Path) -> str:
    return (
        "<!doctype html><html lang='en'><meta charset='utf-8'><title>Siaga</title>"
        "<h1>The console isn't built yet</h1>"
        "<p>Run <code>make run</code>, or <code>npm ci &amp;&amp; npm run build</code> in "
        f"<code>web_map</code>. It is looked for in <code>{html.escape(str(folder))}</code>; "
        f"the environment variable <code>{HOME_VARIABLE}</code> names another folder.</p>"
        "<p>The interface for programs is there: <a href='/docs'>/docs</a>.</p></html>"
    )


@dataclass(frozen=True, slots=True)
class MapFiles:
    """The configured map files under short lasting names; nothing else of the disk is served."""

    files: Mapping[str, Path]

    @classmethod
    def of(cls, settings: Settings) -> MapFiles:
        """Name what the configuration lists."""
        named: dict[str, Path] = {}
        if settings.map.pmtiles is not None:
            named["base.pmtiles"] = settings.map.pmtiles
        listed = list(settings.map.geojson)
        if settings.city.areas is not None and settings.city.areas not in listed:
            listed.insert(0, settings.city.areas)
        named |= {f"{number}-{path.name}": path for number, path in enumerate(listed)}
        return cls(named)

    @property
    def pmtiles_url(self) -> str | None:
        """Where the browser gets the PMTiles file."""
        return "/map/base.pmtiles" if "base.pmtiles" in self.files else None

    @property
    def geojson_urls(self) -> list[str]:
        """Where it gets the GeoJSON files."""
        return [f"/map/{name}" for name in self.files if name != "base.pmtiles"]

    async def file(self, name: str) -> Response:
        """One of the files; answers ``Range`` requests, which PMTiles readers live by.

        Raises:
            Problem: 404, also where a configured file isn't on the disk.
        """
        path = self.files.get(name)
        if path is None or not await anyio.Path(path).is_file():
            raise Problem(404, "not-found", f"There is no map file {name[:100]!r}.")
        media_type = _MEDIA_TYPES.get(path.suffix.lower())
        return FileResponse(path, media_type=media_type, headers={"Cache-Control": ASK_AGAIN})
