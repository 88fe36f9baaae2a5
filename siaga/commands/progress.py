"""How far long work has come, on standard error: a bar on a terminal, a line now and then else."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TypeVar

import typer

T = TypeVar("T")

LINES = 10
"""Where there is no terminal, for a log that somebody reads afterwards."""


def followed(items: Sequence[T], what: str) -> Iterator[T]:
    """The items, one after another; ``what`` is what they are called, such as pictures."""
    if sys.stderr.isatty():
        with typer.progressbar(items, label=what, show_pos=True, file=sys.stderr) as bar:
            yield from bar
        return
    step = max(1, -(-len(items) // LINES))
    for number, item in enumerate(items, start=1):
        yield item
        if number % step == 0 and len(items) > LINES:
            typer.echo(f"{number} of {len(items)} {what}", err=True)
