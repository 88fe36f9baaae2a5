"""A role dies with its supervisor, on either kind of system."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from plumbing.processes import SUPERVISOR_PID, die_with_parent

CHILD = """
import sys, time
sys.platform = sys.argv[1]
from plumbing.processes import die_with_parent
die_with_parent()
print("alive", flush=True)
time.sleep(60)
"""

# Starts the child as a supervisor would, tells its number, and waits to be killed.
PARENT = f"""
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", {CHILD!r}, sys.argv[1]], stdout=subprocess.PIPE,
                         env={{**os.environ, {SUPERVISOR_PID!r}: str(os.getpid())}})
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_dies_with_its_parent_even_if_that_is_killed(platform: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, platform], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        os.kill(child, 0)
        parent.send_signal(signal.SIGKILL)
    end_s = time.monotonic() + 10
    while Path(f"/proc/{child}/cmdline").exists() and Path(f"/proc/{child}/cmdline").read_bytes():
        assert time.monotonic() < end_s, "the child outlived its parent"
        time.sleep(0.02)


def test_one_whose_parent_is_gone_already_ends_at_once() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CHILD, "linux"],
        env={**os.environ, SUPERVISOR_PID: "1"},
        timeout=30,
        check=False,
        capture_output=True,
    )
    assert done.returncode == -signal.SIGKILL
    assert done.stdout == b""


def test_without_a_supervisor_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SUPERVISOR_PID, raising=False)
    die_with_parent()


def test_what_a_role_has_loaded_is_not_looked_through_again() -> None:
    program = """
import gc
from plumbing.processes import settle_memory
before = len(gc.get_objects())
settle_memory()
print(before, gc.get_freeze_count(), len(gc.get_objects()))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    before, frozen, left = map(int, done.stdout.split())
    assert frozen > 0.9 * before
    assert left < 0.1 * before
