"""A camera that crashes the decoder: found by the crash of a real process."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from camera_ingest.health.quarantine import MOST_CRASHES, REMEMBERED_S, Quarantine
from contracts import CameraId, StreamSource
from plumbing.clock import HeldClock

NOW = datetime(2026, 11, 22, tzinfo=UTC)
GOOD = StreamSource(camera_id=CameraId("good"), url="rtsp://10.0.0.1/a")
BAD = StreamSource(camera_id=CameraId("bad one"), url="rtsp://10.0.0.1/b")

CRASH = """
import ctypes, sys, threading, time
from pathlib import Path
from camera_ingest.health.quarantine import Quarantine
from contracts import CameraId, StreamSource
from plumbing.clock import SystemClock

quarantine = Quarantine(Path(sys.argv[1]), SystemClock())
quarantine.begin()

def watch(camera, url, crashes):
    quarantine.note_thread(StreamSource(camera_id=CameraId(camera), url=url))
    while True:
        time.sleep(0.05)
        if crashes:
            ctypes.string_at(0)

threading.Thread(target=watch, args=("good", "rtsp://10.0.0.1/a", False), daemon=True).start()
threading.Thread(target=watch, args=("bad one", "rtsp://10.0.0.1/b", True), daemon=True).start()
time.sleep(20)
"""


CRASH_ELSEWHERE = """
import ctypes, sys
from pathlib import Path
from camera_ingest.health.quarantine import MOST_LINES, Quarantine
from contracts import CameraId, StreamSource
from plumbing.clock import SystemClock

quarantine = Quarantine(Path(sys.argv[1]), SystemClock())
quarantine.begin()
good = StreamSource(camera_id=CameraId("good"), url="rtsp://10.0.0.1/a")
bad = StreamSource(camera_id=CameraId("bad one"), url="rtsp://10.0.0.1/b")
for _ in range(MOST_LINES):
    with quarantine.decoding(good):
        pass
if sys.argv[2] == "decoding":
    with quarantine.decoding(bad):
        ctypes.string_at(0)
ctypes.string_at(0)
"""


def crash(folder: Path, script: str = CRASH, *arguments: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", script, str(folder), *arguments],
        timeout=30,
        check=False,
        capture_output=True,
    )
    assert ended.returncode < 0, "it was to die of a signal"


def test_the_camera_that_crashes_us_is_named_and_not_opened(tmp_path: Path) -> None:
    verdict = None
    for times in range(1, MOST_CRASHES + 1):
        crash(tmp_path)
        now = Quarantine(tmp_path, HeldClock(datetime.now(UTC)))
        assert now.verdict(GOOD) is None
        verdict = now.verdict(BAD)
        assert (verdict is not None) == (times == MOST_CRASHES)
        now.close()
    assert verdict is not None
    assert "crashed the decoder 2 times" in verdict
    again = Quarantine(tmp_path, HeldClock(datetime.now(UTC)))
    assert again.verdict(BAD) == verdict, "a start in between takes nothing back"
    mended = StreamSource(camera_id=BAD.camera_id, url=BAD.url, version=2)
    assert again.verdict(mended) is None, "a changed entry is tried"
    again.close()
    later = datetime.now(UTC) + timedelta(seconds=REMEMBERED_S + 60)
    forgiving = Quarantine(tmp_path, HeldClock(later))
    assert forgiving.verdict(BAD) is None
    forgiving.close()


def test_what_another_thread_decodes_is_blamed_while_it_does(tmp_path: Path) -> None:
    crash(tmp_path, CRASH, "")  # its own thread: once
    crash(tmp_path, CRASH_ELSEWHERE, "decoding")  # a look back: twice
    after = Quarantine(tmp_path, HeldClock(datetime.now(UTC)))
    assert after.verdict(BAD) is not None
    assert after.verdict(GOOD) is None
    after.close()


def test_a_crash_over_no_camera_is_nobodys_fault(tmp_path: Path) -> None:
    for _ in range(MOST_CRASHES):
        crash(tmp_path, CRASH_ELSEWHERE, "idle")
        Quarantine(tmp_path, HeldClock(datetime.now(UTC))).close()
    assert (tmp_path / "threads.txt").stat().st_size < 100_000
    assert not (tmp_path / "crashes.json").exists()


@pytest.mark.parametrize("kept", ["", "{", "[1]", '{"a": 3}', '{"a": ["x"]}'])
def test_damaged_notes_are_no_hindrance(tmp_path: Path, kept: str) -> None:
    (tmp_path / "crashes.json").write_text(kept)
    (tmp_path / "crash.txt").write_bytes(b"\xff\xfeCurrent thread 0x00zz")
    quarantine = Quarantine(tmp_path, HeldClock(NOW))
    quarantine.note_thread(GOOD)
    assert quarantine.verdict(GOOD) is None
    quarantine.close()
