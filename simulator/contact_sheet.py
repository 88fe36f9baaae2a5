"""`python -m simulator.contact_sheet FILE.jpg`: one camera under all conditions, side by side."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts import LonLat
from simulator.city import City
from simulator.scene import conditions, fluid
from simulator.views import view_of

_CENTRE = LonLat(106.992, -6.2383)
_WALL = datetime(2026, 11, 22, 10, tzinfo=UTC)
_COLUMNS, _TILE_PX = 3, (640, 360)
_AFTER_S = 34.0
"""Into the first fire: half grown."""
_QUALITY = 80


def contact_sheet(camera: int = 0, seed: int = 1) -> NDArray[np.uint8]:
    """A picture of all conditions, RGB, in rows of three."""
    city = City.demo(camera + 1, seed, _CENTRE)
    flames = fluid.simulate(seed)
    fire = next(event for event in city.round_of_events(0) if event.kind == "fire")
    tiles = []
    for under in conditions.ALL:
        view = view_of(city, camera, flames, under=under, label=under.name.upper())
        shot = view.shoot(fire.starts_s + _AFTER_S, _WALL).picture
        tiles.append(cv2.resize(shot, _TILE_PX, interpolation=cv2.INTER_AREA))
    rows = [np.hstack(tiles[i : i + _COLUMNS]) for i in range(0, len(tiles), _COLUMNS)]
    return np.vstack(rows)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description="The simulated city under all conditions.")
    parser.add_argument("file", type=Path, help="where to write a JPEG")
    parser.add_argument("--camera", type=int, default=0)
    given = parser.parse_args()
    sheet = cv2.cvtColor(contact_sheet(given.camera), cv2.COLOR_RGB2BGR)
    is_coded, coded = cv2.imencode(".jpg", sheet, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if not is_coded:
        raise RuntimeError("the sheet could not be coded as a JPEG")
    given.file.parent.mkdir(parents=True, exist_ok=True)
    given.file.write_bytes(coded.tobytes())
    print(f"{given.file}: {len(coded) / 1000:.0f} kB")


if __name__ == "__main__":
    main()
