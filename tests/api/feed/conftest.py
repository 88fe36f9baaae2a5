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
    "clock",
    "postgres_server",
    "postgres_url",
    "sqlite_url",
    "store",
]
