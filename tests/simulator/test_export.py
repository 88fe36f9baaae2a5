from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

from contracts import LonLat
from simulator.city import City
from simulator.export import export
from simulator.library import named


def test_pictures_come_with_boxes_and_masks_that_agree(tmp_path: Path) -> None:
    city = City.of(named("fire-at-night"), LonLat(106.992, -6.2383))
    assert export(city, tmp_path, every_s=60.0, from_s=10.0, to_s=80.0, cameras=[2]) == 2
    truth = json.loads((tmp_path / "truth.json").read_text())
    (event,) = truth["events"]
    before, after = sorted((tmp_path / "labels").iterdir())
    assert before.read_text() == ""
    kind, x, y, wide, tall = (float(word) for word in after.read_text().split())
    assert truth["classes"][int(kind)] == event["kind"] == "fire"
    mask = cv2.imread(str(tmp_path / "masks" / f"{after.stem}.png"), cv2.IMREAD_UNCHANGED)
    assert mask is not None
    rows, columns = np.nonzero(mask == event["number"])
    assert abs(columns.min() - (x - wide / 2) * 1280) < 1
    assert abs(rows.max() + 1 - (y + tall / 2) * 720) < 1
    picture = cv2.imread(str(tmp_path / "images" / f"{after.stem}.jpg"))
    assert picture is not None
    assert picture[mask > 0].mean() > 2 * picture[mask == 0].mean()
