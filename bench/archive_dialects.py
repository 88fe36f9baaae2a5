"""What two databases write in different ways, of the rows of `bench.archive_rows`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol

BEGIN = datetime(2020, 1, 1, tzinfo=UTC)


class Dialect(Protocol):
    """What two databases write in different ways."""

    def series(self, first: int, last: int) -> str:
        """A table of ``n`` from ``first`` up to, not including, ``last``."""
        ...

    def time(self, seconds: str) -> str:
        """A time so many seconds after `BEGIN`."""
        ...

    def json_time(self, seconds: str) -> str:
        """The same as it stands in JSON."""
        ...

    def padded(self, number: str) -> str:
        """A number as eight digits."""
        ...


class Sqlite:
    """As SQLite writes them."""

    def series(self, first: int, last: int) -> str:
        return (
            f"(WITH RECURSIVE s(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM s "  # noqa: S608 - ours
            f"WHERE n + 1 < {last}) SELECT n FROM s) AS s"
        )

    def time(self, seconds: str) -> str:
        begin = int(BEGIN.timestamp())
        return f"strftime('%Y-%m-%d %H:%M:%S', {begin} + {seconds}, 'unixepoch') || '.000000'"

    def json_time(self, seconds: str) -> str:
        begin = int(BEGIN.timestamp())
        return f"strftime('%Y-%m-%dT%H:%M:%S', {begin} + {seconds}, 'unixepoch') || '+00:00'"

    def padded(self, number: str) -> str:
        return f"printf('%08d', {number})"


class Postgres:
    """As PostgreSQL writes them."""

    def series(self, first: int, last: int) -> str:
        return f"generate_series({first}::bigint, {last - 1}) AS s(n)"

    def time(self, seconds: str) -> str:
        return f"(timestamptz '{BEGIN.isoformat()}' + ({seconds}) * interval '1 second')"

    def json_time(self, seconds: str) -> str:
        at = f"{self.time(seconds)} AT TIME ZONE 'UTC'"
        return f"to_char({at}, 'YYYY-MM-DD\"T\"HH24:MI:SS') || '+00:00'"

    def padded(self, number: str) -> str:
        return f"lpad(({number})::text, 8, '0')"
