"""Tests marked ``alone`` have the machine to themselves, however many processes test at a time.

Each test holds a lock together with the others, from its first fixture to its last; one that is to
be alone waits until it has it for itself. Who waits for that keeps new ones from beginning.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path

import pytest

ARE_SEVERAL = "PYTEST_XDIST_WORKER" in os.environ
ROOT = Path(__file__).parents[2]
TURN, MACHINE = ROOT / "pyproject.toml", ROOT / "Makefile"
"""What is locked: files that are there anyway, so that none is left behind."""


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Outside of everything, so that no test's time-out counts the waiting."""
    with ExitStack() as stack:
        if ARE_SEVERAL:
            turn, machine = (stack.enter_context(path.open()) for path in (TURN, MACHINE))
            fcntl.flock(turn, fcntl.LOCK_EX)
            is_alone = item.get_closest_marker("alone") is not None
            fcntl.flock(machine, fcntl.LOCK_EX if is_alone else fcntl.LOCK_SH)
            fcntl.flock(turn, fcntl.LOCK_UN)
        return (yield)
