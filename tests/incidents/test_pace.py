"""What has no hurry writes little by little, as much as the machine bears, and lets others in."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from incidents.pace import AIM_S, FEWEST, MOST, Pace, after
from incidents.store import Store


@given(st.integers(FEWEST, MOST), st.floats(0, 10), st.floats(0, 10))
def test_a_batch_that_took_longer_is_never_followed_by_a_larger_one(
    rows: int, one_s: float, other_s: float
) -> None:
    quick_s, slow_s = sorted((one_s, other_s))
    assert FEWEST <= after(rows, slow_s) <= after(rows, quick_s) <= MOST


def test_batches_settle_where_they_take_as_long_as_was_aimed_at() -> None:
    for a_row_s in (1e-6, 1e-5, 1e-4, 1e-3):
        rows = FEWEST
        for _ in range(20):
            rows = after(rows, rows * a_row_s)
        assert rows in (FEWEST, MOST) or AIM_S / 2 <= rows * a_row_s <= AIM_S


async def test_others_write_between_the_batches(store: Store) -> None:
    pace, done, written = Pace(store._database), 0, 0

    async def errand() -> None:
        nonlocal done
        for _ in range(10):
            async with pace.batch():
                await asyncio.sleep(0.02)
            done += 1

    running = asyncio.create_task(errand())
    seen = set()
    while not running.done():
        await store.touch()
        written += 1
        seen.add(done)
    await running
    assert written >= 10
    assert len(seen) >= 9, "after nearly each batch somebody else had written"
