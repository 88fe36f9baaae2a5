"""A looped file: time goes on, the light changes each round, and it ends when it should."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from contracts import CameraId
from siaga.commands.looped import loop_file, varied
from siaga.failures import Failure

CAMERA = CameraId("looped")


def film(path: Path, pictures: int) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10.0, (64, 48))
    for i in range(pictures):
        picture = np.full((48, 64, 3), 120, np.uint8)
        picture[:, : 2 * i + 2] = 200
        writer.write(picture)
    writer.release()
    return path


def test_rounds_follow_each_other_at_the_step_and_end_in_time(tmp_path: Path) -> None:
    frames = list(loop_file(film(tmp_path / "a.mp4", 20), CAMERA, 0.2, 0.2))
    times_s = [frame.captured_at.timestamp() for frame in frames]
    assert times_s[-1] - times_s[0] == pytest.approx(12.0, abs=0.21)
    assert all(b - a == pytest.approx(0.2, abs=0.11) for a, b in pairwise(times_s))
    rounds = [float(frame.image.mean()) for frame in frames[::10]]
    assert max(rounds) - min(rounds) > 20
    again = list(loop_file(tmp_path / "a.mp4", CAMERA, 0.2, 0.2))
    np.testing.assert_array_equal(again[-1].image, frames[-1].image)


def test_a_single_picture_is_no_film_to_loop(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="less than two"):
        list(loop_file(film(tmp_path / "b.mp4", 1), CAMERA, 0.2, 1.0))


def test_a_picture_is_varied_and_stays_one() -> None:
    image = np.random.default_rng(0).integers(40, 90, (30, 40, 3), dtype=np.uint8)
    bright = varied(image, 1.3, 60)
    assert bright.shape == image.shape and bright.mean() > image.mean() * 1.2
