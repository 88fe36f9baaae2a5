"""What a reader of the feed asks for in its address: its place, and what it wants to see."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

from starlette.datastructures import QueryParams

from api.problems import invalid
from api.rights.identity import Identity
from api.rights.reach import filter_of
from contracts import AlarmLevel, Hazard, LogKind
from incidents.log import LogFilter

LARGEST_SEQ = 2**53
MOST_VALUES = 50
LONGEST_VALUE = 200
KNOWN = ("after", "hazard", "level", "area", "agency", "group", "kind", "exercise")

E = TypeVar("E", bound=StrEnum)


def wish_of(params: QueryParams, identity: Identity) -> LogFilter:
    """What passes: what was asked for, as far as the reader may see it.

    Raises:
        Problem: 422 for a name or value that isn't known.
    """
    for name in params:
        if name not in KNOWN:
            raise invalid(name[:80], f"unknown; known here: {', '.join(KNOWN)}")
    return filter_of(
        identity,
        kinds=_members(params, "kind", LogKind),
        hazards=_members(params, "hazard", Hazard),
        levels=_members(params, "level", AlarmLevel),
        areas=_words(params, "area"),
        agencies=_words(params, "agency"),
        groups=_words(params, "group"),
        exercise=_truth(params.get("exercise")),
    )


def cursor_of(text: str | None, name: str = "after") -> int | None:
    """A place in the log.

    Raises:
        Problem: 422.
    """
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 16 or int(text) > LARGEST_SEQ:
        raise invalid(name, "must be the seq of the last change that you have, such as 1234")
    return int(text)


def _members(params: QueryParams, name: str, kind: type[E]) -> list[E]:
    found = []
    for word in _words(params, name):
        try:
            found.append(kind(word))
        except ValueError:
            known = ", ".join(one.value for one in kind)
            raise invalid(name, f"must be one of {known}") from None
    return found


def _words(params: QueryParams, name: str) -> list[str]:
    words = params.getlist(name)
    if len(words) > MOST_VALUES or any(not 1 <= len(word) <= LONGEST_VALUE for word in words):
        raise invalid(name, f"give 1 to {MOST_VALUES} values of 1 to {LONGEST_VALUE} characters")
    return words


def _truth(text: str | None) -> bool | None:
    if text is None:
        return None
    if text not in ("true", "false"):
        raise invalid("exercise", "must be true or false")
    return text == "true"
