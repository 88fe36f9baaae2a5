"""A backup as a folder: the database's tables, the evidence with its hashes, the configuration.

    DIR/manifest.json       when, of which version of the tables, every file's SHA-256
    DIR/tables/*.jsonl.gz   `incidents.keeping.backup`
    DIR/evidence/ab/abcd... pictures and clips, named by what is in them
    DIR/config.yaml         the configuration file that was in use, if any

The tables are copied first: evidence is always written before the row that speaks of it, so nothing
that a row names is missed. Evidence that a former backup into the same folder has copied isn't
copied again, and that backup stays whole until the new one is. The key that seals secrets is not in
it: a backup in wrong hands opens no camera. Neither is evidence that lies in a bucket.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from incidents.database import Database
from incidents.keeping.backup import (
    BackupUnusable,
    Dump,
    DumpedTable,
    check_files,
    dump,
    load,
    require_empty,
)
from plumbing.clock import Clock
from plumbing.evidence import is_evidence_file, media_type_of, open_evidence
from plumbing.settings import Settings

MANIFEST = "manifest.json"
FORMAT = 1
_TABLES, _NEW, _OLD = "tables", ".tables.part", ".tables.old"


@dataclass(frozen=True, slots=True, kw_only=True)
class BackedUp:
    """What a backup holds."""

    created_at: str
    dump: Dump
    evidence_files: int
    evidence_bytes: int
    damaged: tuple[str, ...]
    """Evidence whose content isn't what its name says; copied nevertheless."""
    config: str | None
    audit_head: str
    evidence_url: str | None = None
    """The bucket where the evidence lies, none of which is in the backup; none for a folder."""


async def back_up(
    settings: Settings,
    folder: Path,
    clock: Clock,
    config: Path | None = None,
    say: Callable[[str], None] = lambda _line: None,
) -> BackedUp:
    """Copy everything of one moment into ``folder``, which only its owner may read.

    Raises:
        BackupUnusable: the folder holds something that is no backup of ours, or there is no
            database.
        StoreUnusable: the database can't be opened.
    """
    _require_database(settings.database_url)
    _claim(folder)
    database = await Database.open(settings.database_url, clock)
    try:
        say("tables")
        dumped = await dump(database, folder / _NEW)
    finally:
        await database.close()
    say("evidence")
    _require_evidence(folder / "evidence")
    count, size, damaged = _copy_evidence(settings.evidence_folder, folder / "evidence")
    made = BackedUp(
        created_at=clock.now().isoformat(),
        dump=dumped,
        evidence_files=count,
        evidence_bytes=size,
        damaged=damaged,
        config=None if config is None else "config.yaml",
        audit_head=dumped.audit_head,
        evidence_url=settings.evidence.url,
    )
    part = folder / f".{MANIFEST}.part"
    part.write_text(json.dumps({"format": FORMAT, **asdict(made)}, indent=1))
    _take_the_place_of_the_former(folder, config)
    # Last, so that a folder with a manifest is a whole backup.
    part.replace(folder / MANIFEST)
    shutil.rmtree(folder / _OLD, ignore_errors=True)
    return made


def _take_the_place_of_the_former(folder: Path, config: Path | None) -> None:
    new_config = folder / ".config.yaml.part"
    if config is not None:
        shutil.copyfile(config, new_config)
    (folder / MANIFEST).unlink(missing_ok=True)
    if (folder / _TABLES).exists():
        (folder / _TABLES).replace(folder / _OLD)
    (folder / _NEW).replace(folder / _TABLES)
    if config is not None:
        new_config.replace(folder / "config.yaml")


async def restore(settings: Settings, folder: Path, clock: Clock) -> BackedUp:
    """Fill the configured, empty database and evidence folder from a backup.

    Raises:
        BackupUnusable: no whole backup, a file of it was changed, or the database isn't empty.
        StoreUnusable: the database can't be opened, or the backup is a newer program's.
    """
    made = read_manifest(folder)
    _require_evidence(folder / "evidence")
    check_files(made.dump, folder / _TABLES)
    await require_empty(settings.database_url, clock)
    # First, so that what breaks off here (a full disk) can be begun anew.
    if settings.evidence.url is None:
        _, _, damaged = _copy_evidence(folder / "evidence", settings.evidence_folder)
    else:
        damaged = _put_evidence(folder / "evidence", settings)
    await load(settings.database_url, clock, made.dump, folder / _TABLES)
    if set(damaged) - set(made.damaged):
        raise BackupUnusable(f"evidence was damaged in the backup: {', '.join(damaged[:3])}")
    return made


def check(folder: Path) -> BackedUp:
    """Whether a backup is whole, without restoring it.

    Raises:
        BackupUnusable: it isn't.
    """
    made = read_manifest(folder)
    _require_evidence(folder / "evidence")
    check_files(made.dump, folder / _TABLES)
    files = [path for path in _evidence_files(folder / "evidence") if not _is_whole(path)]
    damaged = {path.name for path in files} - set(made.damaged)
    if damaged:
        raise BackupUnusable(f"evidence was damaged in the backup: {sorted(damaged)[0]}")
    return made


def read_manifest(folder: Path) -> BackedUp:
    """What a backup says of itself.

    Raises:
        BackupUnusable: there is none, or of a form that we don't know.
    """
    path = folder / MANIFEST
    try:
        found: dict[str, Any] = json.loads(path.read_text())
        if found.pop("format") != FORMAT:
            raise BackupUnusable(f"{path} was written by another version of this program")
        inner = found.pop("dump")
        tables = tuple(DumpedTable(**one) for one in inner["tables"])
        return BackedUp(
            dump=Dump(
                revision=inner["revision"], tables=tables, audit_head=str(found["audit_head"])
            ),
            **(found | {"damaged": tuple(found["damaged"])}),
        )
    except FileNotFoundError:
        raise BackupUnusable(f"{folder} holds no backup: {MANIFEST} is missing") from None
    except (KeyError, TypeError, ValueError) as error:
        raise BackupUnusable(f"{path} can't be read: {error!r}") from error


def _require_database(url: str) -> None:
    """A backup of what isn't there would take the place of one that is something."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and not Path(str(parsed.database)).exists():
        raise BackupUnusable(
            f"there is no database {parsed.database} to back up: run this where Siaga runs, or "
            "name its configuration with --config"
        )


def _claim(folder: Path) -> None:
    ours = any((folder / name).is_dir() for name in (_TABLES, _NEW, _OLD))
    if folder.is_dir() and any(folder.iterdir()) and not ours:
        raise BackupUnusable(f"{folder} holds something else; give the backup a folder of its own")
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    # Of one that was ended half-way.
    shutil.rmtree(folder / _NEW, ignore_errors=True)
    shutil.rmtree(folder / _OLD, ignore_errors=True)


def _copy_evidence(source: Path, target: Path) -> tuple[int, int, tuple[str, ...]]:
    """Copy what isn't there yet. Count, bytes, and the names of those that are damaged."""
    count = size = 0
    damaged: list[str] = []
    for path in _evidence_files(source):
        there = target / path.parent.name / path.name
        if not there.is_file():
            there.parent.mkdir(parents=True, exist_ok=True)
            part = there.with_name(f".{there.name}.part")
            try:
                shutil.copyfile(path, part)
            except FileNotFoundError:
                # Retention was faster; what still names it says that it is gone.
                part.unlink(missing_ok=True)
                continue
            part.replace(there)
        if not _is_whole(there):
            damaged.append(there.name)
        count, size = count + 1, size + there.stat().st_size
    return count, size, tuple(damaged)


def _put_evidence(source: Path, settings: Settings) -> tuple[str, ...]:
    """Put evidence into the configured bucket; the names of what is damaged, which is left out."""
    store = open_evidence(
        settings.evidence_folder, settings.evidence.min_free_bytes, settings.evidence.url
    )
    damaged: list[str] = []
    for path in _evidence_files(source):
        if _is_whole(path):
            store.put(path.read_bytes(), media_type_of(path))
        else:
            damaged.append(path.name)
    return tuple(damaged)


def _evidence_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("??/*") if is_evidence_file(path))


def _require_evidence(folder: Path) -> None:
    """Refuse a backup's folder of evidence that holds anything else: a link in it would bring any
    file of this machine into the evidence, or write to where it leads.

    Raises:
        BackupUnusable: names what is strange.
    """
    if folder.is_symlink():
        raise BackupUnusable(f"{folder} is a link; a backup holds files only")
    for path in folder.glob("**/*"):
        is_shelf = path.parent == folder and path.is_dir() and not path.is_symlink()
        # One that a backup was copying when it was ended; the next one copies it anew.
        is_part = path.name.startswith(".") and not path.is_symlink()
        if not (is_shelf or is_part or is_evidence_file(path)):
            raise BackupUnusable(f"{path} is no evidence of ours; take it out of the backup")


def _is_whole(path: Path) -> bool:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == path.stem
