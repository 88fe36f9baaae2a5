"""Three real worker processes: one is killed, another joins, one ends in order."""

from __future__ import annotations

import pytest

from bench.workers import run

pytestmark = [pytest.mark.end_to_end, pytest.mark.alone, pytest.mark.timeout(240)]


async def test_cameras_are_watched_on_whatever_becomes_of_their_workers() -> None:
    killed, joined, ended = await run(cameras=6, lease_s=3.0)
    assert killed.cameras_moved >= 1
    assert killed.longest_gap_s <= 15
    # Handed over while both have pictures: not a second is missing.
    assert joined.cameras_moved >= 1
    assert joined.longest_gap_s <= 2
    assert ended.cameras_moved >= 1
    assert ended.longest_gap_s <= 2
