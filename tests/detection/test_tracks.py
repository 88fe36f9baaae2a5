from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detection import Boxes
from detection.boxes import iou_matrix
from detection.track_book import Affinity, TrackBook, joined_pieces, overlap, shared_or_near
from detection.tracks import Look, drift, evidence_by_onset


def book(affinity: Affinity = shared_or_near) -> TrackBook:
    return TrackBook(lambda _: affinity, gate=0.12, lost_after_s=10.0)


def look(llr: float, at_s: float = 0.0, xyxy: tuple[float, ...] | None = None) -> Look:
    box = None if xyxy is None else np.array(xyxy, np.float32)
    return Look(at_s, [llr], box)


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=500), st.floats(0.1, 1.0))
def test_evidence_never_exceeds_the_best_look_over_the_correlation(
    llrs: list[float], correlation: float
) -> None:
    total = evidence_by_onset([look(x) for x in llrs], correlation)[0]
    assert abs(total) <= max(abs(x) for x in llrs) / correlation + 1e-9


@given(st.floats(0.1, 5), st.integers(1, 200), st.floats(0.1, 1.0))
def test_more_looks_at_the_same_thing_never_lower_the_evidence(
    llr: float, count: int, correlation: float
) -> None:
    fewer = evidence_by_onset([look(llr)] * count, correlation)[0]
    more = evidence_by_onset([look(llr)] * (count + 1), correlation)[0]
    assert more >= fewer - 1e-9
    assert fewer >= llr - 1e-9


grid_box = st.tuples(st.integers(0, 9), st.integers(0, 9), st.sampled_from([0, 1]))
pictures = st.lists(
    st.lists(grid_box, max_size=6, unique_by=lambda b: (b[0], b[1])), min_size=1, max_size=6
)


@given(pictures, st.randoms(use_true_random=False))
def test_the_order_of_boxes_in_a_picture_changes_no_track(
    scenes: list[list[tuple[int, int, int]]], shuffler: object
) -> None:
    def run(mixed: bool) -> list[tuple[int, int, tuple[float, ...]]]:
        one = book()
        for second, cells in enumerate(scenes):
            order = list(cells)
            if mixed:
                shuffler.shuffle(order)  # type: ignore[attr-defined]
            xyxy = [[x * 40, y * 40, x * 40 + 50, y * 40 + 50] for x, y, _ in order]
            scores = [0.3 + 0.01 * x + 0.002 * y for x, y, _ in order]
            one.update(float(second), Boxes.of(xyxy, scores, [c for *_, c in order]))
        return sorted((t.number, t.class_id, tuple(t.xyxy.tolist())) for t in one.tracks)

    assert run(mixed=False) == run(mixed=True)


def test_a_growing_fire_stays_one_track_and_another_fire_is_another() -> None:
    one = book()
    for second in range(8):
        size = 10 + 12 * second
        one.update(
            float(second),
            Boxes.of(
                [[100, 200 - size, 100 + size, 200], [500, 300, 540, 350]], [0.5, 0.6], [0, 0]
            ),
        )
    assert [t.number for t in one.tracks] == [1, 2]


def test_classes_never_share_a_track() -> None:
    one = book()
    one.update(0.0, Boxes.of([[0, 0, 50, 50]], [0.5], [0]))
    one.update(1.0, Boxes.of([[0, 0, 50, 50]], [0.5], [1]))
    assert [t.class_id for t in one.tracks] == [0, 1]


def test_a_track_unseen_for_too_long_dies_and_its_number_is_not_used_again() -> None:
    one = book()
    fire = Boxes.of([[0, 0, 50, 50]], [0.5], [0])
    one.update(0.0, fire)
    _, unseen, lost = one.update(9.0, Boxes.none())
    assert ([t.number for t in unseen], lost) == ([1], [])
    _, _, lost = one.update(10.5, Boxes.none())
    assert [t.number for t in lost] == [1]
    one.update(11.0, fire)
    assert [t.number for t in one.tracks] == [2]


def test_a_wreck_hardly_drifts_and_a_passing_car_does() -> None:
    wreck = [look(1, i, (100, 100, 150, 140)) for i in range(4)]
    car = [look(1, i, (100 + 40 * i, 100, 150 + 40 * i, 140)) for i in range(4)]
    assert drift(wreck) == pytest.approx(0.0)
    assert drift(car) > 1.5


def test_a_wreck_that_jumps_is_another_wreck() -> None:
    one = book(overlap)
    one.update(0.0, Boxes.of([[0, 0, 50, 50]], [0.5], [0]))
    one.update(1.0, Boxes.of([[48, 0, 98, 50]], [0.5], [0]))
    assert [t.number for t in one.tracks] == [1, 2]


def test_pieces_of_one_fire_are_one_and_two_cars_stay_two() -> None:
    overlapping = [[0, 0, 50, 50], [40, 40, 90, 90], [80, 80, 120, 120], [300, 300, 340, 340]]
    boxes = Boxes.of(
        [*overlapping, *overlapping[:2]], [0.5, 0.9, 0.3, 0.4, 0.6, 0.7], [0, 0, 0, 0, 2, 2]
    )
    joined = joined_pieces(boxes, frozenset({0}))
    fires = joined.of_class(0)
    assert fires.xyxy.tolist() == [[0, 0, 120, 120], [300, 300, 340, 340]]
    assert fires.scores.tolist() == pytest.approx([0.9, 0.4])
    assert len(joined.of_class(2)) == 2


@given(pictures)
def test_joined_pieces_never_overlap_and_cover_all_boxes(
    scenes: list[list[tuple[int, int, int]]],
) -> None:
    for cells in scenes:
        xyxy = [[x * 40, y * 40, x * 40 + 50, y * 40 + 50] for x, y, _ in cells]
        boxes = Boxes.of(xyxy, [0.3 + 0.01 * x for x, _, _ in cells], [0 for _ in cells])
        joined = joined_pieces(boxes, frozenset({0}))
        overlaps = iou_matrix(joined.xyxy, joined.xyxy)
        assert (np.triu(overlaps, 1) == 0).all()
        for box in boxes.xyxy:
            inside = (joined.xyxy[:, :2] <= box[:2]).all(axis=1) & (
                joined.xyxy[:, 2:] >= box[2:]
            ).all(axis=1)
            assert inside.any()
