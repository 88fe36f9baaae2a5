"""`siaga bench`: how fast it is, beside the naive way; the work is done in `bench/`."""

from __future__ import annotations

import typer

app = typer.Typer(no_args_is_help=True, help="Benchmarks; a table, or the figures with --json.")
