"""`python -m simulator.export SCENARIO DIR`: pictures with their truth, for training and checking.

    DIR/truth.json             the events: kind, place, start, end, extent; the cameras' poses
    DIR/images/CAMERA_T.jpg    a camera's picture at a time of the scenario, in tenths of a second
    DIR/masks/CAMERA_T.png     which event each pixel shows: 0 none, else its number in truth.json
    DIR/labels/CAMERA_T.txt    YOLO's boxes: class, middle and size as shares of a picture

Nothing is served and no clock waits. Rendered pictures may take part in training, never in the
validation on real footage.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from contracts import LonLat, to_plain
from simulator.city import City
from simulator.library import named
from simulator.scene import fluid
from simulator.scene.view import CameraView, Shot
from simulator.views import view_of

CLASSES = ("fire", "crash", "flood")
_WALL = datetime(2026, 11, 22, 3, tzinfo=UTC)
_CENTRE = LonLat(106.992, -6.2383)
_QUALITY = 88


def export(
    city: City,
    folder: Path,
    *,
    every_s: float = 1.0,
    from_s: float = 0.0,
    to_s: float | None = None,
    cameras: Sequence[int] | None = None,
) -> int:
    """Write a scenario's first round; the number of pictures comes back.

    Raises:
        OSError: the folder can't be written to.
        ValueError: no time passes between pictures, or there is no such camera.
    """
    if every_s <= 0:
        raise ValueError(f"pictures need time between them, got {every_s:g} s")
    for name in ("images", "masks", "labels"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    events = city.round_of_events(0)
    numbers = {event.id: number for number, event in enumerate(events, start=1)}
    flames = fluid.simulate(city.seed)
    chosen = range(len(city.cameras)) if cameras is None else cameras
    (folder / "truth.json").write_text(json.dumps(_truth(city, numbers), indent=1))
    count = 0
    for index in chosen:
        view = view_of(city, index, flames)
        path = city.cameras[index].path
        end_s = city.scenario.seconds if to_s is None else to_s
        for at_s in np.arange(from_s, end_s, every_s).tolist():
            shot = view.shoot(at_s, _WALL + timedelta(seconds=at_s), truth=True)
            _write(folder, f"{path}_{round(at_s * 10):06d}", view, shot, city, numbers)
            count += 1
    return count


def _truth(city: City, numbers: dict[str, int]) -> dict[str, Any]:
    return {
        "scenario": city.scenario.model_dump(mode="json"),
        "events": [
            {
                "number": numbers[event.id],
                "id": event.id,
                "kind": event.kind,
                "hazard": event.hazard.value if event.hazard else None,
                "place": {"lon": event.at.lon, "lat": event.at.lat},
                "starts_s": event.starts_s,
                "ends_s": event.ends_s,
                "extent_m": event.extent_m,
            }
            for event in city.round_of_events(0)
        ],
        "cameras": [
            {"path": simulated.path, "pose": to_plain(simulated.camera.pose)}
            for simulated in city.cameras
        ],
        "classes": CLASSES,
    }


def _write(
    folder: Path, name: str, view: CameraView, shot: Shot, city: City, numbers: dict[str, int]
) -> None:
    mask = np.zeros((view.height_px, view.width_px), np.uint8)
    lines = []
    kinds = {event.id: event.kind for event in city.round_of_events(0)}
    for event_id, seen in shot.seen.items():
        mask[seen.mask] = numbers[event_id]
        if kinds[event_id] in CLASSES:
            box = seen.box
            x, y = (box.x0 + box.x1) / 2 / view.width_px, (box.y0 + box.y1) / 2 / view.height_px
            wide, tall = (box.x1 - box.x0) / view.width_px, (box.y1 - box.y0) / view.height_px
            lines.append(f"{CLASSES.index(kinds[event_id])} {x:.5f} {y:.5f} {wide:.5f} {tall:.5f}")
    picture = cv2.cvtColor(shot.picture, cv2.COLOR_RGB2BGR)
    coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1]
    (folder / "images" / f"{name}.jpg").write_bytes(coded.tobytes())
    (folder / "masks" / f"{name}.png").write_bytes(cv2.imencode(".png", mask)[1].tobytes())
    (folder / "labels" / f"{name}.txt").write_text("".join(line + "\n" for line in lines))


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description="Pictures of a scenario with their truth.")
    parser.add_argument("scenario", help="one of the library, or a YAML file")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", type=float, default=1.0, help="seconds between pictures")
    parser.add_argument("--from", dest="from_s", type=float, default=0.0)
    parser.add_argument("--to", dest="to_s", type=float, default=None)
    parser.add_argument("--camera", type=int, action="append", help="its number; all by default")
    given = parser.parse_args()
    city = City.of(named(given.scenario), _CENTRE)
    count = export(
        city, given.folder, every_s=given.every, from_s=given.from_s, to_s=given.to_s,
        cameras=given.camera,
    )  # fmt: skip
    print(f"{given.folder}: {count} pictures")


if __name__ == "__main__":
    main()
