"""`python -m simulator.contact_sheet DIR`: the city under all conditions, and what can happen."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts import LonLat
from simulator.city import City
from simulator.library import named
from simulator.scene import conditions, fluid
from simulator.scene.fluid import FireLoop
from simulator.views import view_of

_CENTRE = LonLat(106.992, -6.2383)
_WALL = datetime(2026, 11, 22, 10, tzinfo=UTC)
_COLUMNS, _TILE_PX = 3, (640, 360)
_QUALITY = 80


@dataclass(frozen=True, slots=True)
class _Tile:
    scenario: str
    camera: int
    at_s: float
    label: str
    under: str | None = None


_CONDITIONS = (
    *(_Tile("everyday", 0, 46.0, under.name, under.name) for under in conditions.ALL),
    _Tile("everyday", 0, 222.0, "rain begins"),
    _Tile("everyday", 0, 470.0, "it clears up"),
)
_EVENTS = (
    _Tile("fire-at-night", 3, 95, "a fire at night"),
    _Tile("market-fire", 2, 100, "a market fire"),
    _Tile("everyday", 1, 70, "a fire, its smoke in the wind"),
    _Tile("chain-crash-rain", 0, 70, "a chain crash in rain"),
    _Tile("sibling-crash", 1, 70, "a crash from the side"),
    _Tile("sibling-crash", 2, 120, "a motorcycle on the ground"),
    _Tile("everyday", 4, 290, "a flood rises"),
    _Tile("everyday", 4, 380, "a flood, full"),
    _Tile("spreading-flood", 1, 150, "a flood in rain"),
    _Tile("look-alike-evening", 0, 70.2, "look-alikes: sunset, lamp, welding"),
    _Tile("look-alike-evening", 3, 100, "look-alikes: steam, dust, congestion"),
    _Tile("look-alike-evening", 4, 60, "look-alikes: roadworks, wet asphalt; a dirty lens"),
)


def sheet(tiles: tuple[_Tile, ...], flames: FireLoop) -> NDArray[np.uint8]:
    """A picture of all tiles, RGB, in rows of three."""
    cities: dict[str, City] = {}
    made = []
    for tile in tiles:
        if tile.scenario not in cities:
            cities[tile.scenario] = City.of(named(tile.scenario), _CENTRE)
        under = conditions.BY_NAME[tile.under] if tile.under else None
        city = cities[tile.scenario]
        view = view_of(city, tile.camera, flames, under=under, label=tile.label.upper())
        shot = view.shoot(tile.at_s, _WALL + timedelta(seconds=tile.at_s)).picture
        made.append(cv2.resize(shot, _TILE_PX, interpolation=cv2.INTER_AREA))
    while len(made) % _COLUMNS:
        made.append(np.zeros_like(made[0]))
    rows = [np.hstack(made[i : i + _COLUMNS]) for i in range(0, len(made), _COLUMNS)]
    return np.vstack(rows)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description="The simulated city, side by side.")
    parser.add_argument("folder", type=Path, help="where to write the two JPEGs")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    flames = fluid.simulate(1)
    for name, tiles in (("simulator.jpg", _CONDITIONS), ("simulator-events.jpg", _EVENTS)):
        picture = cv2.cvtColor(sheet(tiles, flames), cv2.COLOR_RGB2BGR)
        is_coded, coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        if not is_coded:
            raise RuntimeError("the sheet could not be coded as a JPEG")
        (given.folder / name).write_bytes(coded.tobytes())
        print(f"{given.folder / name}: {len(coded) / 1000:.0f} kB")


if __name__ == "__main__":
    main()
