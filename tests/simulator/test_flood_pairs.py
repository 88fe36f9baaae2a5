from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from detection.training.sources import flood_pictures
from detection.training.split import Part, part_of
from simulator.flood_pairs import flood_pairs


def test_one_camera_is_drawn_dry_and_under_water_and_serves_training_alone(tmp_path: Path) -> None:
    count = flood_pairs(tmp_path / "rendered", junctions=1, first_seed=1003)
    flooded, dry = (flood_pictures(tmp_path, kind) for kind in ("flood", "dry"))
    assert len(flooded) + len(dry) == count
    assert len(dry) == 4
    assert flooded
    assert {part_of(picture) for picture in (*flooded, *dry)} == {Part.TRAIN}
    assert {picture.scene_key for picture in (*flooded, *dry)} == {"render/1003"}
    camera = flooded[0].path.stem.rsplit("-", 1)[0]
    before = [cv2.imread(str(p.path)) for p in dry if p.path.stem.startswith(camera)]
    after = cv2.imread(str(flooded[0].path))
    assert after is not None and len(before) == 2 and before[0] is not None
    changed = np.abs(after.astype(int) - before[0].astype(int)).mean(axis=2)
    assert changed[360:].mean() > 1.5 * changed[:120].mean()
