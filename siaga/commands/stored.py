"""Commands that open the store, ask it one thing, and close it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import typer

from incidents.store import Store
from plumbing.clock import SystemClock
from plumbing.settings import Settings
from siaga.commands.options import settings_from
from siaga.supervisor import SupervisorBusyError, refuse_if_running

T = TypeVar("T")


def demonstrated(settings: Settings) -> Settings | None:
    """The settings of a demonstration that runs where nothing else does; None without one."""
    folder = settings.data_dir / "demo"
    if _runs(settings.data_dir) or not _runs(folder):
        return None
    database = settings.database.model_copy(update={"url": None})
    return settings.model_copy(update={"data_dir": folder, "database": database})


def note_demonstration(settings: Settings) -> None:
    """Say that what is asked or done here is not the demonstration's, where only that runs."""
    if (shown := demonstrated(settings)) is not None:
        typer.echo(
            f"This is about {settings.data_dir}; the demonstration that runs has its own: "
            f"SIAGA__DATA_DIR={shown.data_dir}",
            err=True,
        )


def _runs(data_dir: Path) -> bool:
    try:
        refuse_if_running(data_dir / "run")
    except SupervisorBusyError:
        return True
    return False


def with_store(config: Path | None, use: Callable[[Store], Awaitable[T]]) -> T:
    """What ``use`` makes of the configured database."""

    settings = settings_from(config)
    note_demonstration(settings)

    async def run() -> T:
        store = await Store.open(settings.database_url, SystemClock())
        try:
            return await use(store)
        finally:
            await store.close()

    return asyncio.run(run())
