"""`siaga backup` while others write, as an administrator runs it: what is restored is one moment,
whole, on either database."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from contracts import Call
from incidents.store import Store
from plumbing.clock import SystemClock
from plumbing.evidence import FolderEvidence
from plumbing.settings import Settings, as_environment
from tests.incidents.forks import Forks, forks
from tests.incidents.test_database import chain

__all__ = ["forks"]


def siaga(settings: Settings, *arguments: str) -> Any:
    """What a command prints."""
    done = subprocess.run(
        [sys.executable, "-m", "siaga", *arguments, "--json"],
        env={**os.environ, **as_environment(settings)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def installation(folder: Path, url: str | None = None) -> Settings:
    return Settings.model_validate({"data_dir": folder, "database": {"url": url}})


@pytest.mark.timeout(240)
async def test_a_backup_under_load_is_one_moment_with_all_its_evidence(
    any_url: str, forks: Forks, tmp_path: Path
) -> None:
    ours = installation(tmp_path / "ours", any_url)
    photos = tmp_path / "photos.txt"
    writers = [forks.start("hammer", any_url, name, 100_000) for name in ("a", "b")]
    writers.append(
        forks.start("photograph", any_url, str(ours.evidence_folder), 100_000, out=photos)
    )
    while not photos.exists() or photos.read_text().count("kept") < 20:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    at_least = photos.read_text().count("kept")
    made = siaga(ours, "backup", str(tmp_path / "backup"))
    assert all(forks.is_alive(writer) for writer in writers), "they wrote all the time"
    for writer in writers:
        forks.kill(writer)
    store = await Store.open(any_url, SystemClock())
    later = await store.log.last_seq()
    await store.close()

    theirs = installation(tmp_path / "theirs")
    assert siaga(theirs, "restore", str(tmp_path / "backup"), "--check") == made
    assert siaga(theirs, "restore", str(tmp_path / "backup")) == made
    copy = await Store.open(theirs.database_url, SystemClock())
    entries = await copy.log.after(0, limit=1_000_000)
    chain(entries)
    assert len(entries) <= later
    told = {e.subject_id: e.subject for e in entries if isinstance(e.subject, Call)}
    calls = {one.id: one for one in (await copy.calls.recent(limit=100_000))[0]}
    assert calls == told
    # The chain ends where the backup says that it did, though others went on meanwhile.
    verdict = await copy.audit.verify()
    assert verdict.holds
    assert str(verdict.head) == made["audit_head"]
    evidence = FolderEvidence(theirs.evidence_folder, 0)
    named = [photo for call in calls.values() for photo in call.photos]
    assert len(named) >= at_least
    for photo in named:
        content, _ = evidence.get(photo.evidence_id)
        assert len(content) == photo.size_bytes
    await copy.close()
