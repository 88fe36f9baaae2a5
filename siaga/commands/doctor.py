"""`siaga doctor`: looks at this machine and configuration, and says what to mend."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict

import typer

from plumbing.clock import SystemClock
from siaga.commands.options import ConfigOption, JsonOption, settings_from
from siaga.failures import Failure

_MARKS = {"ok": "ok     ", "warning": "WARNING", "problem": "PROBLEM"}


def doctor(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Check what Siaga stands on; exits 1 where something doesn't work."""
    from siaga.doctor.checks import examine
    from siaga.doctor.findings import Health

    findings = asyncio.run(examine(settings_from(config), SystemClock()))
    problems = [one for one in findings if one.health is Health.PROBLEM]
    if as_json:
        document = {"healthy": not problems, "findings": [asdict(one) for one in findings]}
        typer.echo(json.dumps(document))
    else:
        for one in findings:
            typer.echo(f"{_MARKS[one.health]}  {one.what:<10} {one.found}")
            if one.mend:
                typer.echo(f"{'':<21}-> {one.mend}")
    if problems:
        raise Failure(f"{len(problems)} problems: {', '.join(one.what for one in problems)}")
