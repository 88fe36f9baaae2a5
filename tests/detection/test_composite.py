from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from detection.training.composite import Flames, cut_flames, flame_alpha, set_fire
from detection.training.sources import Picture


def patch() -> Flames:
    """A yellow blob on dark ground (BGR)."""
    bgr = np.full((60, 40, 3), 20, np.uint8)
    cv2.circle(bgr, (20, 35), 15, (60, 190, 255), -1)
    return Flames(bgr, flame_alpha(bgr))


def test_flames_are_what_is_bright_and_warm() -> None:
    alpha = patch().alpha
    assert alpha[35, 20] > 0.8
    assert alpha[3, 3] < 0.05
    blue_sky = np.full((30, 30, 3), (255, 180, 90), np.uint8)
    assert flame_alpha(blue_sky).max() < 0.2


@given(st.integers(0, 2000))
@settings(max_examples=60, deadline=None)
def test_a_fire_brightens_its_box_and_lies_within_the_picture(seed: int) -> None:
    scene = np.full((320, 320, 3), 60, np.uint8)
    lit, (x0, y0, x1, y1) = set_fire(scene, patch(), np.random.default_rng(seed))
    assert 0 <= x0 < x1 <= 320 and 0 <= y0 < y1 <= 320
    inside = lit[int(y0) : int(y1), int(x0) : int(x1)].astype(float)
    assert inside[..., 2].max() > 100
    assert inside[..., 2].mean() > np.median(lit[..., 2])
    assert (scene == 60).all()


def test_only_labelled_warm_flames_are_cut(tmp_path: Path) -> None:
    def picture(name: str, colour: tuple[int, int, int], label: str) -> Picture:
        image = np.full((200, 200, 3), 20, np.uint8)
        cv2.circle(image, (100, 100), 25, colour, -1)
        cv2.imwrite(str(tmp_path / f"{name}.png"), image)
        (tmp_path / f"{name}.txt").write_text(label)
        return Picture(tmp_path / f"{name}.png", "x", "1", tmp_path / f"{name}.txt", "1")

    box = "0 0.5 0.5 0.3 0.3\n"
    fire = picture("fire", (60, 190, 255), box)
    infrared = picture("infrared", (255, 255, 255), box)
    smoke = picture("smoke", (60, 190, 255), "1 0.5 0.5 0.3 0.3\n")
    landscape = picture("landscape", (60, 190, 255), "0 0.5 0.5 0.9 0.9\n")
    assert len(cut_flames([fire], 10, 1)) == 1
    assert cut_flames([infrared, smoke, landscape], 10, 1) == []
    assert len(cut_flames([fire, fire, fire], 2, 1)) == 2
