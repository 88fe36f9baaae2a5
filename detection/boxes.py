"""One array container for what a model found in a picture, used everywhere in this room."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detection.errors import PictureUnusableError


@dataclass(frozen=True, slots=True, eq=False)
class Boxes:
    """The detections of one picture, best score first.

    `xyxy`: (N, 4) float32, left, top, right, bottom in pixels of the picture handed in, within it;
    `scores`: (N,) float32 in [0, 1]; `class_ids`: (N,) int32, indices into the detector's classes.
    """

    xyxy: NDArray[np.float32]
    scores: NDArray[np.float32]
    class_ids: NDArray[np.int32]

    def __post_init__(self) -> None:
        count = len(self.scores)
        if self.xyxy.shape != (count, 4) or self.class_ids.shape != (count,):
            raise PictureUnusableError(
                f"boxes {self.xyxy.shape}, scores {self.scores.shape}, "
                f"classes {self.class_ids.shape} don't belong together"
            )

    def __len__(self) -> int:
        return len(self.scores)

    def __iter__(self) -> Iterator[tuple[NDArray[np.float32], float, int]]:
        for xyxy, score, class_id in zip(self.xyxy, self.scores, self.class_ids, strict=True):
            yield xyxy, float(score), int(class_id)

    @classmethod
    def none(cls) -> Boxes:
        """Nothing found."""
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int32))

    @classmethod
    def of(cls, xyxy: object, scores: object, class_ids: object) -> Boxes:
        """From anything array-like, sorted by falling score."""
        score_array = np.asarray(scores, dtype=np.float32).reshape(-1)
        order = np.argsort(-score_array, kind="stable")
        return cls(
            np.asarray(xyxy, dtype=np.float32).reshape(-1, 4)[order],
            score_array[order],
            np.asarray(class_ids, dtype=np.int32).reshape(-1)[order],
        )

    def where(self, keep: NDArray[np.bool_]) -> Boxes:
        """Those that the (N,) mask keeps."""
        return Boxes(self.xyxy[keep], self.scores[keep], self.class_ids[keep])

    def of_class(self, class_id: int) -> Boxes:
        """Those of one class."""
        return self.where(self.class_ids == class_id)

    def best_score(self, class_id: int) -> float:
        """The highest score of a class, 0 where there is none."""
        scores = self.scores[self.class_ids == class_id]
        return float(scores.max()) if len(scores) else 0.0

    def scaled(self, factor_x: float, factor_y: float) -> Boxes:
        """In pixels of a picture that is wider by `factor_x` and higher by `factor_y`."""
        factors = np.array([factor_x, factor_y, factor_x, factor_y], dtype=np.float32)
        return Boxes(self.xyxy * factors, self.scores, self.class_ids)


def iou_matrix(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """Intersection over union of every pair: (N, 4) and (M, 4) xyxy give (N, M) float32."""
    left_top = np.maximum(a[:, None, :2], b[None, :, :2])
    right_bottom = np.minimum(a[:, None, 2:], b[None, :, 2:])
    sides = np.clip(right_bottom - left_top, 0.0, None)
    common = sides[..., 0] * sides[..., 1]
    area_a = (a[:, 2] - a[:, 0]) * (a[:, 3] - a[:, 1])
    area_b = (b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1])
    union = area_a[:, None] + area_b[None, :] - common
    return np.asarray(common / np.maximum(union, 1e-9), dtype=np.float32)
