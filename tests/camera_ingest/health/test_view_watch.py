from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from camera_ingest.health.references import ReferencesInFolder, ReferencesInMemory
from camera_ingest.health.view_watch import (
    CHECK_EVERY_S,
    FOREIGN_AFTER,
    LEARN_FROM,
    SURE_AFTER,
    ViewWatch,
)
from contracts import CameraId, Frame, Rgb
from plumbing.clock import HeldClock
from tests.camera_ingest.street import Street

CAMERA = CameraId("cam-1")
STREET = Street(0)


class Watched:
    """A camera whose pictures come every check."""

    def __init__(self, references: ReferencesInMemory | ReferencesInFolder | None = None) -> None:
        self.clock = HeldClock(datetime(2026, 11, 22, tzinfo=UTC))
        self.references = references or ReferencesInMemory()
        self.watch = ViewWatch(CAMERA, "key", self.references, self.clock)
        self.number = 0

    def see(self, picture: Rgb, after_s: float = CHECK_EVERY_S) -> bool:
        self.clock.advance(after_s)
        now = self.clock.now()
        self.watch.see(
            Frame(
                camera_id=CAMERA,
                image=picture,
                captured_at=now,
                received_at=now,
                source_width_px=1280,
                source_height_px=720,
            )
        )
        return self.watch.moved is not None

    def watch_street(self, times: int, shoot: Callable[[int], Rgb] = STREET.shoot) -> list[bool]:
        said = []
        for _ in range(times):
            self.number += 1
            said.append(self.see(shoot(self.number)))
        return said


def turned(seed: int) -> Rgb:
    return STREET.shoot(seed, (3, 0, 0))


def test_a_nudge_is_told_once_sure_and_taken_back_once_mended() -> None:
    camera = Watched()
    assert not any(camera.watch_street(LEARN_FROM + 2))
    assert camera.watch_street(SURE_AFTER, turned) == [False] * (SURE_AFTER - 1) + [True]
    moved = camera.watch.moved
    assert moved is not None and moved.shift is not None
    assert "calibrate" in moved.detail
    assert camera.clock.monotonic_s() - moved.since_s == (SURE_AFTER - 1) * CHECK_EVERY_S
    assert all(camera.watch_street(4, turned))
    assert camera.watch_street(SURE_AFTER) == [True] * (SURE_AFTER - 1) + [False]


def test_one_odd_picture_and_a_camera_on_tour_are_not_moved() -> None:
    camera = Watched()
    camera.watch_street(LEARN_FROM)
    for turn in (3, -4, 6, -3, 5, 0, 3, 0, 3, 0):
        assert not camera.see(STREET.shoot(turn + 40, (turn, 0, 0)))


def test_night_neither_says_moved_nor_takes_it_back() -> None:
    camera = Watched()
    camera.watch_street(LEARN_FROM)

    def night(seed: int) -> Rgb:
        return STREET.shoot(seed, light=0.06, lamps=True, noise=9)

    assert not any(camera.watch_street(2 * FOREIGN_AFTER, night))
    camera.watch_street(SURE_AFTER, turned)
    assert all(camera.watch_street(SURE_AFTER + 1, night))


def test_a_camera_turned_far_away_is_noticed_after_a_while() -> None:
    camera = Watched()
    camera.watch_street(LEARN_FROM + 1)
    other = Street(9)
    said = camera.watch_street(FOREIGN_AFTER, other.shoot)
    assert said == [False] * (FOREIGN_AFTER - 1) + [True]
    moved = camera.watch.moved
    assert moved is not None and moved.shift is None


def test_a_lorry_before_the_lens_is_not_moved() -> None:
    camera = Watched()
    camera.watch_street(LEARN_FROM + 1)
    lorry = Street(5)
    assert not any(camera.watch_street(FOREIGN_AFTER - 2, lorry.shoot))
    assert not any(camera.watch_street(3))


def test_what_was_known_outlives_the_process(tmp_path: Path) -> None:
    first = Watched(ReferencesInFolder(tmp_path / "views"))
    first.watch_street(LEARN_FROM)
    second = Watched(ReferencesInFolder(tmp_path / "views"))
    assert second.watch_street(SURE_AFTER, turned)[-1]


def test_pictures_between_checks_cost_nothing() -> None:
    camera = Watched()
    for _ in range(LEARN_FROM * 2):
        camera.see(STREET.shoot(1), after_s=0.5)
    assert camera.references.load(CAMERA, "key") is None
