"""The spool keeps what it confirmed, whatever happens to its process or the end of its file."""

from __future__ import annotations

import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts import Detection
from plumbing.spool import Spool, SpoolError, SpoolFull
from tests.support.detections import a_detection

WRITER = """
import sys
from pathlib import Path
from plumbing.spool import Spool
from tests.support.detections import a_detection
spool = Spool(Path(sys.argv[1]))
number = 0
while True:
    spool.append(a_detection(f"d{number}"))
    print(number, flush=True)
    number += 1
"""


def ids(found: list[tuple[int, Detection]]) -> list[str]:
    return [detection.id for _, detection in found]


def test_first_in_first_out_and_dropped_only_when_told(tmp_path: Path) -> None:
    with Spool(tmp_path / "spool") as spool:
        assert spool.peek(10) == []
        sent = [a_detection(f"d{number}") for number in range(5)]
        for detection in sent:
            spool.append(detection)
        assert [detection for _, detection in spool.peek(10)] == sent
        first = spool.peek(2)
        assert ids(first) == ["d0", "d1"]
        assert len(spool) == 5, "looking takes nothing"
        spool.drop(first[-1][0])
        assert (ids(spool.peek(10)), len(spool)) == (["d2", "d3", "d4"], 3)
        spool.drop(first[-1][0])
        assert len(spool) == 3


@settings(max_examples=25)
@given(st.lists(st.one_of(st.none(), st.integers(1, 4)), max_size=30))
def test_is_a_queue_across_reopenings(
    tmp_path_factory: pytest.TempPathFactory, steps: list[int | None]
) -> None:
    """None appends one; a number drops so many and opens the file again."""
    folder = tmp_path_factory.mktemp("spool")
    model: list[str] = []
    spool = Spool(folder / "spool")
    for number, step in enumerate(steps):
        if step is None:
            spool.append(a_detection(f"d{number}"))
            model.append(f"d{number}")
        else:
            seen = spool.peek(step)
            if seen:
                spool.drop(seen[-1][0])
            del model[:step]
            spool.close()
            spool = Spool(folder / "spool")
        assert (ids(spool.peek(100)), len(spool)) == (model, len(model))
    spool.close()
    shutil.rmtree(folder)


def test_a_place_is_never_given_twice(tmp_path: Path) -> None:
    with Spool(tmp_path / "spool") as spool:
        spool.append(a_detection("old"))
        [(place, _)] = spool.peek(1)
        spool.drop(place)
    with Spool(tmp_path / "spool") as spool:
        spool.append(a_detection("new"))
        spool.drop(place)
        assert ids(spool.peek(1)) == ["new"], "a late drop must not hit a later detection"


def test_what_was_confirmed_survives_kill_9(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path / "spool")], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        confirmed = max(int(writer.stdout.readline()) for _ in range(50))
        writer.send_signal(signal.SIGKILL)
        for line in writer.stdout:
            confirmed = int(line)
    with Spool(tmp_path / "spool") as spool:
        found = ids(spool.peek(10_000))
    # The one that was being written may be there as well.
    assert found[: confirmed + 1] == [f"d{number}" for number in range(confirmed + 1)]
    assert len(found) <= confirmed + 2


@pytest.mark.parametrize("cut", [1, 30, 500])
def test_a_torn_tail_costs_only_what_was_torn(tmp_path: Path, cut: int) -> None:
    spool = Spool(tmp_path / "spool")
    for number in range(5):
        spool.append(a_detection(f"d{number}"))
    # As a power cut leaves it: the files as they are, the last write half done.
    torn = tmp_path / "torn"
    torn.mkdir()
    for path in tmp_path.glob("spool*"):
        shutil.copy(path, torn / path.name)
    spool.close()
    log = torn / "spool-wal"
    with log.open("r+b") as file:
        file.truncate(log.stat().st_size - cut)

    with Spool(torn / "spool") as after:
        assert ids(after.peek(10)) == ["d0", "d1", "d2", "d3"]
        after.append(a_detection("next"))
        assert ids(after.peek(10))[-1] == "next"


def test_a_damaged_file_is_moved_aside_and_told(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "spool").write_bytes(b"this is no database, but somebody may want it" * 50)
    with Spool(tmp_path / "spool") as spool:
        spool.append(a_detection("d"))
        assert len(spool) == 1
    [aside] = tmp_path.glob("spool.damaged-*")
    assert aside.read_bytes().startswith(b"this is no database")


def test_a_broken_block_in_the_middle_is_found_at_the_start(tmp_path: Path) -> None:
    with Spool(tmp_path / "spool") as spool:
        for number in range(100):
            spool.append(a_detection(f"d{number}"))
    block = 4_096
    with (tmp_path / "spool").open("r+b") as file:
        file.seek(6 * block)
        file.write(b"\xaa" * block)
    with Spool(tmp_path / "spool") as spool:
        spool.append(a_detection("next"))
        assert ids(spool.peek(10)) == ["next"]
    assert len(list(tmp_path.glob("spool.damaged-*"))) == 1


def test_what_cannot_be_read_does_not_block_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "spool"
    with Spool(path) as spool:
        spool.append(a_detection("before"))
    with sqlite3.connect(path) as raw:
        raw.execute("INSERT INTO spool (body) VALUES (?)", (b'{"from": "the future"}',))
    raw.close()
    with Spool(path) as spool:
        spool.append(a_detection("after"))
        assert ids(spool.peek(10)) == ["before", "after"]
        assert len(spool) == 2
    with sqlite3.connect(path) as raw:
        [(body,)] = raw.execute("SELECT body FROM unreadable").fetchall()
    raw.close()
    assert body == b'{"from": "the future"}'


def test_a_full_spool_refuses_the_newest(tmp_path: Path) -> None:
    with Spool(tmp_path / "spool", max_entries=2) as spool:
        spool.append(a_detection("d0"))
        spool.append(a_detection("d1"))
        with pytest.raises(SpoolFull, match="holds 2"):
            spool.append(a_detection("d2"))
        assert ids(spool.peek(10)) == ["d0", "d1"]
        spool.drop(spool.peek(1)[0][0])
        spool.append(a_detection("d2"))


@contextmanager
def full_disk(path: Path) -> Iterator[None]:
    """No file of this process may grow beyond the spool's."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    now = max(file.stat().st_size for file in path.parent.glob(f"{path.name}*"))
    resource.setrlimit(resource.RLIMIT_FSIZE, (now, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_loses_nothing_and_stops_nobody(tmp_path: Path) -> None:
    path = tmp_path / "spool"
    with Spool(path) as spool:
        spool.append(a_detection("d0"))
        sent: list[str] = []
        with full_disk(path):
            for number in range(1, 5):
                spool.append(a_detection(f"d{number}"))
            assert len(spool) == 5
            for _ in range(3):
                found = spool.peek(2)
                sent += ids(found)
                spool.drop(found[-1][0])
            assert (sent, len(spool)) == (["d0", "d1", "d2", "d3", "d4"], 0)
            assert spool.peek(10) == [], "what was let go does not come again"
            spool.append(a_detection("d5"))
        spool.append(a_detection("d6"))
        assert ids(spool.peek(10)) == ["d5", "d6"]
    with Spool(path) as spool:
        assert ids(spool.peek(10))[-2:] == ["d5", "d6"], "the disk has what it takes again"


def test_no_more_is_held_in_memory_than_fits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plumbing.spool.MOST_HELD", 2)
    path = tmp_path / "spool"
    with Spool(path) as spool, full_disk(path):
        spool.append(a_detection("d0"))
        spool.append(a_detection("d1"))
        with pytest.raises(SpoolError, match="can't write"):
            spool.append(a_detection("d2"))
        assert ids(spool.peek(10)) == ["d0", "d1"]


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    with Spool(tmp_path / "spool") as spool:
        spool.append(a_detection("d0"))
        with pytest.raises(SpoolError, match="another worker"):
            Spool(tmp_path / "spool")


def test_threads_may_share_it(tmp_path: Path) -> None:
    with Spool(tmp_path / "spool") as spool:

        def fill(name: str) -> None:
            for number in range(25):
                spool.append(a_detection(f"{name}{number}"))

        threads = [threading.Thread(target=fill, args=(name,)) for name in "abcd"]
        for thread in threads:
            thread.start()
        taken: list[str] = []
        while len(taken) < 100:
            found = spool.peek(7)
            if found:
                spool.drop(found[-1][0])
                taken += ids(found)
        for thread in threads:
            thread.join()
        assert len(spool) == 0
    for name in "abcd":
        assert [one for one in taken if one[0] == name] == [f"{name}{n}" for n in range(25)]
