"""A hung picture is found however it is coded; a quiet night is not taken for one."""

from __future__ import annotations

from collections.abc import Iterable

import av
import pytest

from bench.frozen import facts, keyframes_of_a_still, longest_alike, pictures
from camera_ingest.health.limits import HealthLimits
from camera_ingest.health.signs import StillSign
from camera_ingest.pictures import PictureFacts
from tests.camera_ingest.street import Street
from tests.support.data import data_folder

LIMITS = HealthLimits()
NIGHT = {"vehicles": 0, "light": 0.2, "noise": 1.0}


def stands_still_after_s(found: Iterable[PictureFacts], *, every_s: float = 1.0) -> float | None:
    """Seconds of pictures until it was said; none where it never was."""
    sign = StillSign(LIMITS)
    for number, each in enumerate(found):
        at_s = number * every_s
        sign.note(at_s, each)
        if sign.frozen_since_s(at_s) is not None:
            return at_s
    return None


def street(**changes: float) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(Street(3).shoot(1, **changes), format="rgb24")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "options",
    [{"crf": "23"}, {"b": "400k"}, {"b": "80k"}, {"b": "150k", "tune": "zerolatency"}],
    ids=["constant quality", "400 kbit/s", "80 kbit/s", "zero latency"],
)
def test_a_still_whose_quality_drifts(options: dict[str, str]) -> None:
    coded = facts(keyframes_of_a_still(street(), options, count=75))
    assert len({each.fingerprint for each in coded}) > 1, "it isn't the same to the last bit"
    after_s = stands_still_after_s(coded)
    assert after_s is not None
    assert LIMITS.frozen_s <= after_s < LIMITS.frozen_s + 15


def test_a_still_by_night_takes_longer() -> None:
    coded = facts(keyframes_of_a_still(street(**NIGHT), {"crf": "23"}, count=75))
    after_s = stands_still_after_s(coded, every_s=10)
    assert after_s is not None
    assert LIMITS.frozen_by_night_s <= after_s < LIMITS.frozen_by_night_s + 150


def quiet_night(count: int) -> list[PictureFacts]:
    """Nothing but the sensor's noise, much of it lost in the coding."""
    scene = Street(3)
    return facts(
        next(
            keyframes_of_a_still(
                av.VideoFrame.from_ndarray(scene.shoot(number, **NIGHT), format="rgb24"),  # type: ignore[arg-type]
                {"qp": "34"},
                count=1,
            )
        )
        for number in range(count)
    )


def test_a_live_street_in_which_nothing_happens_is_left_alone_for_an_hour() -> None:
    night = quiet_night(62)
    assert stands_still_after_s(night, every_s=LIMITS.frozen_alike_s / 62) is None
    assert stands_still_after_s(night, every_s=LIMITS.frozen_alike_s / 60) is not None


def test_real_scenes_leave_the_tolerance_within_seconds() -> None:
    quiet = sorted((data_folder("hazards") / "videos").glob("quiet_*.mp4"))
    assert quiet
    for video in quiet:
        assert longest_alike(facts(pictures(video)), 1.5) <= 10, video.name
