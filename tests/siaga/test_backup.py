"""A backup folder holds all that a disaster takes, but for the key; damage is noticed."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from incidents.keeping.backup import BackupUnusable, sha256_of
from incidents.people.accounts import Role
from incidents.store import Store
from plumbing.clock import SystemClock
from plumbing.evidence import FolderEvidence
from plumbing.sealing import Sealer
from plumbing.settings import Settings
from siaga.backup import back_up, check, read_manifest, restore
from siaga.cli import app

CLOCK = SystemClock()


@pytest.fixture
async def installation(tmp_path: Path) -> Settings:
    """Something worth a backup: an account, a picture, a key."""
    settings = Settings(data_dir=tmp_path / "data")
    store = await Store.open(settings.database_url, CLOCK)
    await store.keys.issue("dispatch-1", Role.DISPATCH)
    await store.close()
    Sealer(settings.key_file)
    FolderEvidence(settings.evidence_folder, 0).put(b"a picture", "image/jpeg")
    return settings


async def test_what_was_backed_up_is_there_after_a_disaster(
    installation: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "backup"
    config = tmp_path / "config.yaml"
    config.write_text("city: {name: Kota Uji}\n")
    made = await back_up(installation, folder, CLOCK, config)
    assert made.evidence_files == 1
    assert (folder / "config.yaml").read_text() == config.read_text()
    assert not list(folder.rglob("*.key"))
    assert folder.stat().st_mode & 0o077 == 0
    assert check(folder) == made

    shutil.rmtree(installation.data_dir)
    assert await restore(installation, folder, CLOCK) == made
    store = await Store.open(installation.database_url, CLOCK)
    assert [one.name for one in await store.keys.all()] == ["dispatch-1"]
    verdict = await store.audit.verify()
    assert verdict.holds
    assert str(verdict.head) == made.audit_head
    await store.close()
    (picture,) = installation.evidence_folder.glob("??/*")
    assert picture.read_bytes() == b"a picture"
    with pytest.raises(BackupUnusable, match="not empty"):
        await restore(installation, folder, CLOCK)


async def test_a_second_backup_into_the_same_folder_replaces_the_first(
    installation: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "backup"
    await back_up(installation, folder, CLOCK)
    FolderEvidence(installation.evidence_folder, 0).put(b"another", "image/jpeg")
    assert (await back_up(installation, folder, CLOCK)).evidence_files == 2


async def test_a_damaged_backup_and_a_strange_folder_are_refused(
    installation: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "backup"
    await back_up(installation, folder, CLOCK)
    (picture,) = (folder / "evidence").glob("??/*")
    picture.write_bytes(b"changed")
    with pytest.raises(BackupUnusable, match="damaged"):
        check(folder)
    (folder / "manifest.json").unlink()
    with pytest.raises(BackupUnusable, match="no backup"):
        check(folder)
    with pytest.raises(BackupUnusable, match="something else"):
        await back_up(installation, installation.data_dir, CLOCK)


@pytest.mark.parametrize("name", ["../../outside", "/etc/hostname", "log/../log", "Log", ""])
async def test_a_backup_names_no_file_outside_of_it(
    installation: Settings, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "backup"
    await back_up(installation, folder, CLOCK)
    manifest = folder / "manifest.json"
    said = json.loads(manifest.read_text())
    said["dump"]["tables"][0]["name"] = name
    manifest.write_text(json.dumps(said))
    for look in (check, read_manifest):
        with pytest.raises(BackupUnusable, match="can't be read"):
            look(folder)
    with pytest.raises(BackupUnusable, match="can't be read"):
        await restore(Settings(data_dir=tmp_path / "other"), folder, CLOCK)


async def test_links_and_strange_files_in_a_backup_are_refused(
    installation: Settings, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("nobody's business")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    folder = tmp_path / "backup"
    name = hashlib.sha256(secret.read_bytes()).hexdigest()
    shelf = folder / "evidence" / name[:2]
    tricks = (
        lambda: (shelf.mkdir(), (shelf / f"{name}.jpg").symlink_to(secret)),
        lambda: shelf.symlink_to(elsewhere),
        lambda: (shelf.mkdir(), (shelf / "page.html").write_text("<script>")),
        lambda: (shelf.mkdir(), (shelf / ".hidden").symlink_to(secret)),
    )
    for number, trick in enumerate(tricks):
        await back_up(installation, folder, CLOCK)
        trick()
        other = Settings(data_dir=tmp_path / f"other-{number}")
        with pytest.raises(BackupUnusable, match="no evidence of ours"):
            check(folder)
        with pytest.raises(BackupUnusable, match="no evidence of ours"):
            await restore(other, folder, CLOCK)
        with pytest.raises(BackupUnusable, match="no evidence of ours"):
            await back_up(installation, folder, CLOCK)
        assert not other.evidence_folder.exists()
        assert not any(elsewhere.iterdir())
        shutil.rmtree(folder)


async def test_a_row_that_would_fill_the_memory_is_refused(
    installation: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "backup"
    await back_up(installation, folder, CLOCK)
    monkeypatch.setattr("incidents.keeping.backup.LONGEST_ROW", 500)
    path = folder / "tables" / "machine_keys.jsonl.gz"
    with gzip.open(path, "at") as file:
        file.write("[" + " " * 1_000_000 + "]\n")
    manifest = folder / "manifest.json"
    said = json.loads(manifest.read_text())
    (table,) = [one for one in said["dump"]["tables"] if one["name"] == "machine_keys"]
    table["sha256"] = sha256_of(path)
    manifest.write_text(json.dumps(said))
    with pytest.raises(BackupUnusable, match="longer than any of ours"):
        await restore(Settings(data_dir=tmp_path / "other"), folder, CLOCK)


def test_the_commands_tell_what_they_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    runner = CliRunner()
    made = runner.invoke(app, ["backup", "there"])
    assert made.exit_code == 0, made.output
    assert "0 pictures and clips" in made.stdout
    assert "sealing.key" in made.stdout
    checked = runner.invoke(app, ["restore", "there", "--check", "--json"])
    assert json.loads(checked.stdout)["dump"]["revision"]
    shutil.rmtree(tmp_path / "data")
    assert runner.invoke(app, ["restore", "there"]).exit_code == 0
