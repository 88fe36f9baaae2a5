"""Evidence is whole or absent, kept once, and never outside its folder."""

from __future__ import annotations

import hashlib
import shutil
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plumbing.evidence import (
    EvidenceDamaged,
    EvidenceError,
    EvidenceFull,
    EvidenceMissing,
    FolderEvidence,
)


@given(content=st.binary(min_size=1, max_size=5000))
def test_what_is_put_is_got_under_its_hash(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    folder = tmp_path_factory.mktemp("evidence")
    store = FolderEvidence(folder, 0)
    evidence_id = store.put(content, "image/jpeg")
    assert evidence_id == hashlib.sha256(content).hexdigest()
    assert store.get(evidence_id) == (content, "image/jpeg")
    assert FolderEvidence(folder, 0).get(evidence_id) == (content, "image/jpeg")
    shutil.rmtree(folder)


def test_the_same_twice_is_kept_once(tmp_path: Path) -> None:
    store = FolderEvidence(tmp_path, 0)
    assert store.put(b"picture", "image/png") == store.put(b"picture", "image/png")
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_many_writers_of_the_same_leave_one_whole_file(tmp_path: Path) -> None:
    content = bytes(range(256)) * 4000
    threads = [
        threading.Thread(target=FolderEvidence(tmp_path, 0).put, args=(content, "video/mp4"))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [path] = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert path.read_bytes() == content
    assert path.suffix == ".mp4"


def test_a_disk_with_too_little_left_is_not_filled_further(tmp_path: Path) -> None:
    kept = FolderEvidence(tmp_path, 0).put(b"before", "image/jpeg")
    full = FolderEvidence(tmp_path, shutil.disk_usage(tmp_path).total)
    with pytest.raises(EvidenceFull, match=r"evidence\.min_free_bytes"):
        full.put(b"after", "image/jpeg")
    assert full.get(kept) == (b"before", "image/jpeg")
    assert full.put(b"before", "image/jpeg") == kept, "what is there needs no room"
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


@pytest.mark.parametrize(
    "wrong",
    ["", "0" * 64, "A" * 64, "../../etc/passwd", "0" * 63, "0" * 64 + "\n", "*" * 64],
)
def test_unknown_and_malformed_ids_are_missing(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(EvidenceMissing):
        FolderEvidence(tmp_path, 0).get(wrong)


def test_a_changed_file_is_not_handed_out(tmp_path: Path) -> None:
    store = FolderEvidence(tmp_path, 0)
    evidence_id = store.put(b"what the camera saw", "image/jpeg")
    path = store.path(evidence_id)
    path.write_bytes(b"what somebody would like")
    with pytest.raises(EvidenceDamaged):
        store.get(evidence_id)


def test_only_known_types_and_no_empty_content(tmp_path: Path) -> None:
    store = FolderEvidence(tmp_path, 0)
    with pytest.raises(ValueError, match="text/html"):
        store.put(b"<script>", "text/html")
    with pytest.raises(ValueError, match="without content"):
        store.put(b"", "image/jpeg")


def test_a_disk_that_refuses_is_the_store_s_failure_and_nothing_else(tmp_path: Path) -> None:
    store = FolderEvidence(tmp_path / "evidence", 0)
    # As where the disk went away: a file in the way refuses whoever the test runs as.
    shelf = tmp_path / "evidence" / hashlib.sha256(b"after").hexdigest()[:2]
    shelf.write_bytes(b"")
    with pytest.raises(EvidenceError, match="can't be used"):
        store.put(b"after", "image/jpeg")
    shutil.rmtree(tmp_path / "evidence")
    with pytest.raises(EvidenceError, match="can't be used"):
        store.put(b"after", "image/jpeg")


def test_a_part_that_a_crash_left_is_no_evidence(tmp_path: Path) -> None:
    store = FolderEvidence(tmp_path, 0)
    evidence_id = hashlib.sha256(b"whole").hexdigest()
    shelf = tmp_path / evidence_id[:2]
    shelf.mkdir()
    (shelf / f".{evidence_id}.jpg.abcd.part").write_bytes(b"who")
    with pytest.raises(EvidenceMissing):
        store.get(evidence_id)
    assert store.put(b"whole", "image/jpeg") == evidence_id
    assert store.get(evidence_id)[0] == b"whole"
