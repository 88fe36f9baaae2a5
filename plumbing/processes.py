"""What every process of ours does about its life and death."""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import sys
import threading
import time

SUPERVISOR_PID = "SIAGA_SUPERVISOR_PID"
"""Environment variable by which the supervisor tells its children who they die with."""

_PR_SET_PDEATHSIG = 1
_WATCH_EVERY_S = 0.5


def die_with_parent() -> None:
    """End this process as soon as the supervisor that started it is gone, however it went.

    Without a supervisor (no ``SIAGA_SUPERVISOR_PID``) nothing happens, so every role calls this at
    its start. On Linux the kernel sends SIGKILL, which also ends a process that hangs and stays in
    force across ``exec``; nothing that was accepted is lost by it. Elsewhere a thread watches.
    """
    # Taken out, so that a process which this one starts doesn't look for the wrong parent.
    told = os.environ.pop(SUPERVISOR_PID, "")
    if not told:
        return
    supervisor = int(told)
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    else:
        threading.Thread(
            target=_watch_parent, args=(supervisor,), name="die-with-parent", daemon=True
        ).start()
    # It may have died before the line above took effect.
    if os.getppid() != supervisor:
        os.kill(os.getpid(), signal.SIGKILL)


def settle_memory() -> None:
    """Keep what this process has loaded by now out of the garbage collector's sight.

    It is there to stay: modules, classes, the tables' and messages' descriptions, some hundred
    thousand objects. Looking through them takes a tenth of a second each time, in which nobody is
    answered; without them a millisecond.
    """
    gc.collect()
    gc.freeze()


def _watch_parent(supervisor: int) -> None:
    while os.getppid() == supervisor:
        time.sleep(_WATCH_EVERY_S)
    os.kill(os.getpid(), signal.SIGKILL)
