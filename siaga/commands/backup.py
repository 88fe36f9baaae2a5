"""`siaga backup` and `siaga restore`: everything copied out while it runs, and in again."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from plumbing.clock import SystemClock
from plumbing.sealing import KEY_VARIABLE
from siaga.backup import BackedUp
from siaga.commands.options import DEFAULT_CONFIG, ConfigOption, JsonOption, settings_from


def backup(
    folder: Annotated[Path, typer.Argument(help="A folder of its own; made if need be.")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Copy database, configuration and evidence of one moment, while the system runs."""
    from siaga.backup import back_up

    settings = settings_from(config)
    used = config or (DEFAULT_CONFIG if DEFAULT_CONFIG.is_file() else None)
    made = asyncio.run(
        back_up(settings, folder, SystemClock(), used, lambda part: typer.echo(part, err=True))
    )
    _tell(made, as_json, f"backed up into {folder}")
    if not as_json:
        typer.echo(
            f"Not in it, to be kept apart: the key in {settings.key_file} (or {KEY_VARIABLE}), "
            "without which cameras' passwords and messages stay sealed."
        )


def restore(
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="A backup.")],
    only_check: Annotated[
        bool, typer.Option("--check", help="Look whether it is whole; restore nothing.")
    ] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fill an empty database and evidence folder from a backup; the system must not run."""
    from siaga.backup import check
    from siaga.backup import restore as restore_into
    from siaga.supervisor import refuse_if_running

    if only_check:
        _tell(check(folder), as_json, f"{folder} is whole")
        return
    settings = settings_from(config)
    refuse_if_running(settings.data_dir / "run")
    made = asyncio.run(restore_into(settings, folder, SystemClock()))
    _tell(made, as_json, f"restored {folder}")


def _tell(made: BackedUp, as_json: bool, line: str) -> None:
    if as_json:
        typer.echo(json.dumps(asdict(made)))
        return
    rows = sum(table.rows for table in made.dump.tables)
    typer.echo(
        f"{line}: of {made.created_at}, {rows} rows of {len(made.dump.tables)} tables, "
        f"{made.evidence_files} pictures and clips ({made.evidence_bytes / 1e6:.1f} MB)"
    )
    if made.evidence_url is not None:
        typer.echo(
            f"Pictures and clips are NOT in it: they lie in {made.evidence_url}, which is to be "
            "kept by its own means (versions, a copy elsewhere)."
        )
    for name in made.damaged:
        typer.echo(f"  damaged before the backup: {name}")
