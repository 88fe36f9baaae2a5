"""A backup folder holds all that a disaster takes, but for the key; damage is noticed."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
import shutil
from pathlib import Path

import pytest
from minio import Minio
from moto.moto_server.threaded_moto_server import ThreadedMotoServer
from typer.testing import CliRunner

from incidents.keeping.backup import BackupUnusable, sha256_of
from incidents.people.accounts import Role
from incidents.store import Store
from plumbing.clock import SystemClock
from plumbing.evidence import FolderEvidence, open_evidence
from plumbing.evidence.bucket import ACCESS_KEY, SECRET_KEY
from plumbing.sealing import Sealer
from plumbing.settings import Settings, load_settings
from siaga.backup import back_up, check, read_manifest, restore
from siaga.cli import app
from tests.support.store import copy_tables

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


async def test_a_backup_that_fails_leaves_the_former_one_whole(
    installation: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "backup"
    made = await back_up(installation, folder, CLOCK)
    # The disk is full: what is in the way of a picture's copy stops the backup as that would.
    kept = FolderEvidence(installation.evidence_folder, 0).put(b"another", "image/jpeg")
    (folder / "evidence" / kept[:2] / f".{kept}.jpg.part").mkdir(parents=True)
    with pytest.raises(OSError, match="directory"):
        await back_up(installation, folder, CLOCK)
    assert check(folder) == made
    (folder / "evidence" / kept[:2] / f".{kept}.jpg.part").rmdir()
    again = await back_up(installation, folder, CLOCK)
    assert (check(folder), again.evidence_files) == (again, 2)
    assert sorted(path.name for path in folder.iterdir()) == ["evidence", "manifest.json", "tables"]


async def test_what_is_not_there_takes_no_backup_s_place(
    installation: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "backup"
    made = await back_up(installation, folder, CLOCK)
    with pytest.raises(BackupUnusable, match="no database"):
        await back_up(Settings(data_dir=tmp_path / "elsewhere"), folder, CLOCK)
    assert check(folder) == made
    assert not (tmp_path / "elsewhere").exists()


async def test_a_restore_that_breaks_off_over_evidence_can_be_begun_anew(
    installation: Settings, tmp_path: Path
) -> None:
    folder, other = tmp_path / "backup", Settings(data_dir=tmp_path / "other")
    await back_up(installation, folder, CLOCK)
    (picture,) = (folder / "evidence").glob("??/*")
    in_the_way = other.evidence_folder / picture.parent.name / f".{picture.name}.part"
    in_the_way.mkdir(parents=True)
    with pytest.raises(OSError, match="directory"):
        await restore(other, folder, CLOCK)
    in_the_way.rmdir()
    assert (await restore(other, folder, CLOCK)).evidence_files == 1


async def test_evidence_in_a_bucket_is_said_to_be_elsewhere_and_goes_there_from_a_folder(
    installation: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "backup"
    await back_up(installation, folder, CLOCK)
    monkeypatch.setenv(ACCESS_KEY, "someone")
    monkeypatch.setenv(SECRET_KEY, "something long")
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host = ":".join(map(str, server.get_host_and_port()))
        Minio(host, access_key="a", secret_key="b" * 8, secure=False).make_bucket("siaga")
        url = f"s3+http://{host}/siaga"
        config = tmp_path / "config.yaml"
        config.write_text(f"data_dir: {tmp_path / 'other'}\nevidence: {{url: '{url}'}}\n")
        other = load_settings(config)
        await restore(other, folder, CLOCK)
        name = hashlib.sha256(b"a picture").hexdigest()
        assert open_evidence(other.evidence_folder, 0, url).get(name) == (
            b"a picture",
            "image/jpeg",
        )
        command = ["backup", str(tmp_path / "there"), "--config", str(config)]
        said = await asyncio.to_thread(CliRunner().invoke, app, command)
        assert f"Pictures and clips are NOT in it: they lie in {url}" in said.stdout, said.output
    finally:
        server.stop()


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
    nothing = runner.invoke(app, ["backup", "there"])
    assert (nothing.exit_code, (tmp_path / "there").exists()) == (1, False)
    copy_tables(tmp_path / "data" / "siaga.sqlite3")
    made = runner.invoke(app, ["backup", "there"])
    assert made.exit_code == 0, made.output
    assert "0 pictures and clips" in made.stdout
    assert "sealing.key" in made.stdout
    checked = runner.invoke(app, ["restore", "there", "--check", "--json"])
    assert json.loads(checked.stdout)["dump"]["revision"]
    shutil.rmtree(tmp_path / "data")
    assert runner.invoke(app, ["restore", "there"]).exit_code == 0
