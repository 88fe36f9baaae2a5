from tests.incidents.forks import forks
from tests.support.bus import bus, namespace, own_server, shared_server
from tests.support.store import (
    any_store,
    any_url,
    clock,
    postgres_server,
    postgres_url,
    sqlite_url,
    store,
)

__all__ = [
    "any_store",
    "any_url",
    "bus",
    "clock",
    "forks",
    "namespace",
    "own_server",
    "postgres_server",
    "postgres_url",
    "shared_server",
    "sqlite_url",
    "store",
]
