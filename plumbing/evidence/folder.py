"""The evidence store in a folder, which one host needs."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from contracts import EvidenceId
from plumbing.evidence.store import (
    MEDIA_TYPES,
    EvidenceDamaged,
    EvidenceError,
    EvidenceFull,
    EvidenceMissing,
    EvidenceStore,
    is_evidence_id,
    suffix_of,
)

_FULL = {errno.ENOSPC, errno.EDQUOT}


class FolderEvidence(EvidenceStore):
    """A folder of evidence. Many processes may write and read it at once.

    What is put is on disk, whole, before `put` returns; a crash leaves it there or not at all.

    Args:
        folder: made if absent. Files lie in it as ``ab/abcd...ef.jpg``.
        min_free_bytes: nothing is written when the disk would have less left than this.
    """

    def __init__(self, folder: Path, min_free_bytes: int) -> None:
        self._folder = folder
        self._min_free_bytes = min_free_bytes
        folder.mkdir(parents=True, exist_ok=True)

    def put(self, content: bytes, media_type: str) -> EvidenceId:
        """See `EvidenceStore.put`."""
        suffix = suffix_of(content, media_type)
        evidence_id = EvidenceId(hashlib.sha256(content).hexdigest())
        with self._reached():
            if self._find(evidence_id) is not None:
                return evidence_id
            free = shutil.disk_usage(self._folder).free
            if free - len(content) < self._min_free_bytes:
                raise EvidenceFull(
                    f"{free} bytes are free for {self._folder}, and {self._min_free_bytes} must "
                    "stay so (evidence.min_free_bytes)"
                )
            shelf = self._folder / evidence_id[:2]
            if not shelf.is_dir():
                shelf.mkdir(exist_ok=True)
                _sync_folder(self._folder)
            _write_whole(shelf / f"{evidence_id}{suffix}", content)
        return evidence_id

    def get(self, evidence_id: str) -> tuple[bytes, str]:
        """See `EvidenceStore.get`."""
        path = self.path(evidence_id)
        with self._reached():
            try:
                content = path.read_bytes()
            except FileNotFoundError:
                raise EvidenceMissing(f"no evidence {evidence_id}") from None
        if hashlib.sha256(content).hexdigest() != evidence_id:
            raise EvidenceDamaged(f"evidence {evidence_id} is damaged on disk")
        return content, MEDIA_TYPES[path.suffix]

    def path(self, evidence_id: str) -> Path:
        """See `EvidenceStore.path`."""
        with self._reached():
            found = self._find(evidence_id)
        if found is None:
            raise EvidenceMissing(f"no evidence {evidence_id[:80]!r}")
        return found

    def older_than(self, when: datetime) -> Iterator[EvidenceId]:
        """See `EvidenceStore.older_than`."""
        limit_s = when.timestamp()
        with self._reached():
            paths = list(self._folder.glob("??/*"))
        for path in paths:
            if not is_evidence_id(path.stem):
                continue
            try:
                is_old = path.stat().st_mtime < limit_s
            except OSError:
                # Gone, or not to be looked at: it must not keep the others.
                continue
            if is_old:
                yield EvidenceId(path.stem)

    def remove(self, evidence_id: str) -> None:
        """See `EvidenceStore.remove`."""
        with self._reached():
            path = self._find(evidence_id)
            if path is not None:
                path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _reached(self) -> Iterator[None]:
        """A disk that refuses, is read-only or is gone is the store's failure like any other."""
        try:
            yield
        except OSError as error:
            if error.errno in _FULL:
                raise EvidenceFull(f"no room in {self._folder}: {error.strerror}") from error
            raise EvidenceError(f"{self._folder} can't be used: {error.strerror}") from error

    def _find(self, evidence_id: str) -> Path | None:
        if not is_evidence_id(evidence_id):
            return None
        for suffix in MEDIA_TYPES:
            path = self._folder / evidence_id[:2] / f"{evidence_id}{suffix}"
            if path.is_file():
                return path
        return None


def _write_whole(path: Path, content: bytes) -> None:
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """A new name is on disk only once its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
