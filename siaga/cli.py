"""The command `siaga`: one small file a command in `siaga.commands`, loaded when it is called.

Every role is a process of its own and starts through here; loading only what it needs keeps a
worker's neural network out of the API's memory and a start under a second.

Exit codes: 0 success, 2 wrong usage, 1 failure with one line on standard error. What the packages
raise on purpose becomes that line; anything else is a fault of ours and shows its traceback.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from siaga.failures import raised_on_purpose

COMMANDS = {
    "up": "run:up",
    "demo": "run:demo",
    "worker": "run:worker",
    "fusion": "run:fusion",
    "api": "run:api",
    "city": "run:city",
    "cameras": "cameras:app",
    "incidents": "incidents:incidents",
    "users": "accounts:users",
    "keys": "accounts:keys",
    "audit": "audit:app",
    "backup": "backup:backup",
    "restore": "backup:restore",
    "doctor": "doctor:doctor",
    "watch": "watch:watch_source",
    "calibrate": "calibrate:calibrate",
    "replay": "replay:replay",
    "eval": "evaluate:app",
    "train": "train:app",
    "bench": "bench:app",
}
"""Each command's file in `siaga.commands`, and what is in it: a function or a group of commands."""
HIDDEN = frozenset({"city"})


class Commands(TyperGroup):
    """The commands, each imported when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The names in the order of the table."""
        return [name for name in COMMANDS if name not in HIDDEN]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """One command, or none."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name].split(":")
        offered = getattr(importlib.import_module(f"siaga.commands.{module}"), attribute)
        if not isinstance(offered, typer.Typer):
            single = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
            single.command(cmd_name)(offered)
            offered = single
        command = get_command(offered)
        command.name = cmd_name
        return command


app = typer.Typer(
    cls=Commands, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)


@app.callback()
def siaga() -> None:
    """CCTV and geolocation situational awareness for a city's emergency call centre."""


def main() -> None:
    """Run the command line of this process."""
    try:
        app()
    except Exception as error:
        if not raised_on_purpose(error):
            raise
        sys.stderr.write(f"siaga: {' '.join(str(error).split())}\n")
        raise SystemExit(1) from None
