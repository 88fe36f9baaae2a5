"""What can't be used is kept whole, once, until somebody decides about it."""

from __future__ import annotations

import pytest

from incidents.dead_letters import DISCARDED, TAKEN, DeadLetter
from incidents.errors import NotFound
from incidents.store import Store

LETTERS = [
    DeadLetter(id="detections/1-0", problem="no JSON", sealed="sealed"),
    DeadLetter(id="detections/2-0", problem="box: is empty"),
]


async def test_they_are_kept_once(any_store: Store) -> None:
    assert await any_store.dead_letters.keep([]) == 0
    assert await any_store.dead_letters.keep(LETTERS) == 2
    more = DeadLetter(id="detections/3-0", problem="?")
    assert await any_store.dead_letters.keep([*LETTERS, more]) == 1
    kept = {one.id: (one.problem, one.is_whole) for one in await any_store.dead_letters.newest()}
    assert kept == {
        "detections/1-0": ("no JSON", True),
        "detections/2-0": ("box: is empty", False),
        "detections/3-0": ("?", False),
    }
    assert await any_store.dead_letters.sealed("detections/1-0") == "sealed"
    with pytest.raises(NotFound):
        await any_store.dead_letters.sealed("detections/2-0")


async def test_who_takes_one_away_stands_in_the_audit_log(any_store: Store) -> None:
    await any_store.dead_letters.keep(LETTERS)
    letters = any_store.dead_letters
    await letters.remove("detections/1-0", action=TAKEN, actor="sari", reason="it can be read now")
    await letters.remove("detections/2-0", action=DISCARDED, actor="sari", reason="a test")
    with pytest.raises(NotFound):
        await letters.remove("detections/2-0", action=TAKEN, actor="sari", reason="again")
    assert await letters.newest() == []
    entries = (await any_store.audit.page()).entries
    assert [(one.action, one.actor, one.subject) for one in entries[:2]] == [
        (DISCARDED, "sari", "detections/2-0"),
        (TAKEN, "sari", "detections/1-0"),
    ]
    assert entries[0].details == {"reason": "a test"}
