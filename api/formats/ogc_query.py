"""What may be asked of a collection's items: bbox, datetime, limit, after, and filters.

The standard wants 400 for what can't be understood, an unknown name included.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from api.problems import FieldError, Problem
from incidents.keeping.archive import Extent

DEFAULT_LIMIT = 100
MAX_LIMIT = 1_000
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_DATE_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemsQuery:
    """An understood question."""

    extent: Extent
    limit: int
    after: str | None
    exercise: bool | None


def read_query(asked: Sequence[tuple[str, str]], known: Collection[str]) -> ItemsQuery:
    """Read the query's pairs; ``known`` are the names that this collection takes beside the core's.

    Raises:
        Problem: 400; names the parameter.
    """
    values = one_each(asked, {"bbox", "datetime", "limit", "after", *known})
    since, until = parse_datetime(values["datetime"]) if "datetime" in values else (None, None)
    return ItemsQuery(
        extent=Extent(
            west_south_east_north=parse_bbox(values["bbox"]) if "bbox" in values else None,
            since=since,
            until=until,
        ),
        limit=parse_limit(values["limit"]) if "limit" in values else DEFAULT_LIMIT,
        after=values.get("after"),
        exercise=parse_flag("exercise", values["exercise"]) if "exercise" in values else None,
    )


def one_each(asked: Iterable[tuple[str, str]], known: Collection[str]) -> dict[str, str]:
    """The pairs as a mapping.

    Raises:
        Problem: 400 for an unknown name, or one given twice.
    """
    found: dict[str, str] = {}
    for name, value in asked:
        if name not in known:
            raise wrong(name, f"is not known here; known are {', '.join(sorted(known))}")
        if name in found:
            raise wrong(name, "may be given once only")
        found[name] = value
    return found


def parse_bbox(text: str) -> tuple[float, float, float, float]:
    """West, south, east, north; heights are left aside.

    Raises:
        Problem: 400.
    """
    parts = [part.strip() for part in text.split(",")]
    if len(parts) not in (4, 6) or not all(_NUMBER.fullmatch(part) for part in parts):
        raise wrong("bbox", "must be 4 numbers: west,south,east,north (or 6, with heights)")
    numbers = [float(part) for part in parts]
    west, south, east, north = (
        numbers if len(numbers) == 4 else (numbers[0], numbers[1], numbers[3], numbers[4])
    )
    if not all(math.isfinite(number) for number in numbers):
        raise wrong("bbox", "must be finite numbers")
    if not (-180 <= west <= 180 and -180 <= east <= 180):
        raise wrong("bbox", "west and east must lie between -180 and 180")
    if not -90 <= south <= north <= 90:
        raise wrong(
            "bbox",
            "needs -90 <= south <= north <= 90; are lon and lat swapped? Longitude comes first",
        )
    return west, south, east, north


def parse_datetime(text: str) -> tuple[datetime | None, datetime | None]:
    """An instant, or an interval with ``/``, one end of which may be open (``..`` or nothing).

    Raises:
        Problem: 400.
    """
    parts = text.split("/")
    since: datetime | None
    until: datetime | None
    if len(parts) == 1:
        since, until = _day_or_time(text, end=False), _day_or_time(text, end=True)
    elif len(parts) == 2:
        since, until = _bound(parts[0], end=False), _bound(parts[1], end=True)
        if since is None and until is None:
            raise wrong("datetime", "needs at least one end, such as 2026-11-22T00:00:00Z/..")
    else:
        raise wrong("datetime", "must be a time, or two with one / between them")
    if since is not None and until is not None and since > until:
        raise wrong("datetime", "ends before it starts")
    return since, until


def parse_limit(text: str) -> int:
    """How many at most; more than the largest page means the largest page.

    Raises:
        Problem: 400.
    """
    if not text.isascii() or not text.isdigit() or len(text) > 9 or int(text) < 1:
        raise wrong("limit", f"must be a whole number from 1; pages hold at most {MAX_LIMIT}")
    return min(int(text), MAX_LIMIT)


def parse_cursor(text: str) -> int:
    """A cursor as the link to the next page has it.

    Raises:
        Problem: 400.
    """
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise wrong("after", "must come from the link to the next page")
    return int(text)


def parse_flag(name: str, text: str) -> bool:
    """``true`` or ``false``.

    Raises:
        Problem: 400.
    """
    if text not in ("true", "false"):
        raise wrong(name, "must be true or false")
    return text == "true"


def wrong(name: str, why: str) -> Problem:
    """400 for one parameter."""
    shown = name[:80] or "(blank)"
    return Problem(400, "bad-parameter", f"{shown}: {why}", errors=(FieldError(shown, why),))


def _bound(text: str, *, end: bool) -> datetime | None:
    return None if text in ("", "..") else _day_or_time(text, end=end)


def _day_or_time(text: str, *, end: bool) -> datetime:
    try:
        if _DATE.fullmatch(text):
            day = datetime.fromisoformat(text).replace(tzinfo=UTC)
            return day.replace(hour=23, minute=59, second=59, microsecond=999_999) if end else day
        if _DATE_TIME.fullmatch(text):
            return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise wrong("datetime", f"no such time: {text}") from error
    raise wrong("datetime", "must be like 2026-11-22T06:35:00Z or 2026-11-22; %2B for a + sign")
