"""Cameras whose streams crash the decoder.

A decoder's crash ends the whole process, and with it the watching of every other camera; started
anew, it would crash again. So each camera's thread is written down when it starts, and so is what
other threads decode while they do (a look back, a watcher's pictures). Python writes the crashing
thread's number at its last gasp (`faulthandler`), and the next start reads both: the camera is
named, and after `MOST_CRASHES` it is not opened until its entry in the register is changed, or
`REMEMBERED_S` have passed.

Life cycle: one a process, before the first camera's thread. What it writes lies in a folder of the
worker's own.
"""

from __future__ import annotations

import faulthandler
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from contracts import StreamSource
from plumbing.clock import Clock
from plumbing.logs import get_logger

_log = get_logger("camera_ingest")

MOST_CRASHES = 2
REMEMBERED_S = 7 * 86_400.0
CRASHED = (
    "what this camera sends has crashed the decoder {count} times: update its firmware or set "
    "another codec, then save its entry"
)
MOST_LINES = 2_000
"""Of notes about threads; then they are written anew, without those that no longer hold."""
_CURRENT = re.compile(r"^Current thread 0x([0-9a-f]+)", re.MULTILINE)


class Quarantine:
    """See the module's description. Its methods may be called from any thread."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._clock = clock
        self._lock = threading.Lock()
        self._has_begun = False
        self._kept = folder / "crashes.json"
        self._crashes = self._load()
        threads, dump = folder / "threads.txt", folder / "crash.txt"
        culprit = _culprit(threads, dump)
        if culprit is not None:
            self._crashes.setdefault(culprit, []).append(clock.now().timestamp())
            self._save()
            _log.error(
                "camera_crashed_the_decoder", camera=culprit, times=len(self._crashes[culprit])
            )
        self._cameras: dict[int, str] = {}
        """What each thread decodes."""
        self._lines = 0
        self._threads: IO[str] = threads.open("w", encoding="utf-8")
        self._dump: IO[str] = dump.open("w", encoding="utf-8")

    def begin(self) -> None:
        """From now on a crash of this process is written down."""
        faulthandler.enable(self._dump, all_threads=True)
        self._has_begun = True

    def close(self) -> None:
        """Crashes are not written down any more."""
        if self._has_begun:
            faulthandler.disable()
        self._threads.close()
        self._dump.close()

    def note_thread(self, source: StreamSource) -> None:
        """This thread decodes that camera, and nothing else."""
        self._note(threading.get_ident(), _key(source))

    @contextmanager
    def decoding(self, source: StreamSource) -> Iterator[None]:
        """For as long as the block lasts this thread decodes that camera."""
        number = threading.get_ident()
        self._note(number, _key(source))
        try:
            yield
        finally:
            self._note(number, "")

    def _note(self, number: int, key: str) -> None:
        with self._lock:
            if self._threads.closed:
                return
            self._cameras.pop(number, None)
            if key:
                self._cameras[number] = key
            self._lines += 1
            noted = {number: key}
            if self._lines > MOST_LINES:
                self._threads.seek(0)
                self._threads.truncate()
                self._lines, noted = len(self._cameras), self._cameras
            self._threads.write("".join(f"{n:x} {of}\n" for n, of in noted.items()))
            self._threads.flush()

    def verdict(self, source: StreamSource) -> str | None:
        """Why the camera may not be opened; none where it may."""
        since = self._clock.now().timestamp() - REMEMBERED_S
        crashes = [at for at in self._crashes.get(_key(source), []) if at >= since]
        return CRASHED.format(count=len(crashes)) if len(crashes) >= MOST_CRASHES else None

    def _load(self) -> dict[str, list[float]]:
        try:
            kept = json.loads(self._kept.read_text(encoding="utf-8"))
            return {str(key): [float(at) for at in times] for key, times in kept.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            _log.warning("crashes_forgotten", why=str(error))
            return {}

    def _save(self) -> None:
        partial = self._kept.with_suffix(".part")
        try:
            partial.write_text(json.dumps(self._crashes), encoding="utf-8")
            partial.replace(self._kept)
        except OSError as error:
            _log.warning("crashes_not_kept", why=error.strerror)


def _key(source: StreamSource) -> str:
    """A camera's entry as it stands: changed, it gets another chance."""
    return json.dumps([source.camera_id, source.version, source.url])


def _culprit(threads: Path, dump: Path) -> str | None:
    """The camera that the last process crashed over; none where its thread decoded none."""
    try:
        crashed = _CURRENT.search(dump.read_text(encoding="utf-8", errors="replace"))
        lines = threads.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return None
    if crashed is None:
        return None
    number = crashed[1].lstrip("0")
    # Numbers are used again after a thread's end: the last one to have it was running.
    last = next((key for ident, _, key in map(_cut, reversed(lines)) if ident == number), "")
    return last or None


def _cut(line: str) -> tuple[str, str, str]:
    return line.partition(" ")
