"""One running process of a role: its start, its output, its end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Self

from plumbing.processes import SUPERVISOR_PID

_KEPT_LINES = 12
_KEPT_BYTES = 8_192
_READ_BYTES = 65_536
_DRAIN_S = 1.0


class Child:
    """A process in a group of its own, so that the terminal's Ctrl-C reaches the supervisor alone.

    What it writes is passed on to our standard error; the last of it is kept, to be shown when it
    fails.
    """

    def __init__(self, process: asyncio.subprocess.Process, output: asyncio.StreamReader) -> None:
        self._process = process
        self._output = output
        self._started_s = time.monotonic()
        self._tail: deque[bytes] = deque()
        self._forwarding = asyncio.create_task(self._forward())

    @classmethod
    async def start(cls, argv: Sequence[str], environment: Mapping[str, str]) -> Self:
        """Start it with our environment and ``environment`` on top.

        Raises:
            OSError: there is no such program, or no room for a process.
        """
        # A pipe of our own: asyncio's would hold back the news of the process's end for as long as
        # anything that it started keeps the pipe open.
        reader, writer = os.pipe()
        output = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(output), os.fdopen(reader, "rb", buffering=0)
        )
        try:
            process = await asyncio.create_subprocess_exec(
                *argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=writer,
                stderr=writer,
                env={
                    **os.environ,
                    "PYTHONUNBUFFERED": "1",
                    **environment,
                    SUPERVISOR_PID: str(os.getpid()),
                },
                process_group=0,
            )
        finally:
            # With its last writer gone, the transport sees the end and closes itself.
            os.close(writer)
        return cls(process, output)

    @property
    def pid(self) -> int:
        """The process's number, which is its group's too."""
        return self._process.pid

    @property
    def uptime_s(self) -> float:
        """Seconds since it was started."""
        return time.monotonic() - self._started_s

    async def ended(self) -> str:
        """Wait for its end, sweep up what it started itself, and say in words how it ended."""
        code = await self._process.wait()
        self._signal_group(signal.SIGKILL)
        await asyncio.wait((self._forwarding,), timeout=_DRAIN_S)
        if code >= 0:
            return f"exit code {code}"
        try:
            return f"signal {signal.Signals(-code).name}"
        except ValueError:
            return f"signal {-code}"

    def ask_to_stop(self) -> None:
        """SIGTERM, to the process alone: what it started is its to stop."""
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()

    def kill(self) -> None:
        """SIGKILL, to everything in its group."""
        self._signal_group(signal.SIGKILL)

    def last_output(self) -> str:
        """The last lines it wrote."""
        text = b"".join(self._tail).decode("utf-8", "replace")
        return "\n".join(text.splitlines()[-_KEPT_LINES:])

    def _signal_group(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    async def _forward(self) -> None:
        while piece := await self._output.read(_READ_BYTES):
            self._tail.append(piece)
            while len(self._tail) > 1 and sum(map(len, self._tail)) > _KEPT_BYTES:
                self._tail.popleft()
            # Nobody reads any more (a closed terminal): the roles must go on all the same.
            with contextlib.suppress(OSError, ValueError):
                sys.stderr.buffer.write(piece)
                sys.stderr.buffer.flush()
