"""`siaga incidents`: what is open now."""

from __future__ import annotations

import asyncio
import json

import typer

from contracts import Incident, to_plain
from plumbing.settings import Settings
from siaga.commands.options import ConfigOption, JsonOption, settings_from
from siaga.commands.stored import demonstrated


def incidents(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """The open incidents, oldest first."""
    settings = settings_from(config)
    if (shown := demonstrated(settings)) is not None:
        typer.echo(f"of the demonstration in {shown.data_dir}", err=True)
    found = asyncio.run(_open_incidents(shown or settings))
    if as_json:
        typer.echo(json.dumps({"incidents": [to_plain(incident) for incident in found]}))
        return
    if not found:
        typer.echo("no open incidents")
    for incident in found:
        place = incident.estimate.location
        typer.echo(
            f"{incident.id}  {incident.hazard.value:<8} {incident.state.value:<12} "
            f"{incident.estimate.probability:4.0%}  {place.lat:.5f}, {place.lon:.5f}  "
            f"{incident.place_words}"
        )


async def _open_incidents(settings: Settings) -> tuple[Incident, ...]:
    from incidents.store import Store
    from plumbing.clock import SystemClock

    store = await Store.open(settings.database_url, SystemClock())
    try:
        return (await store.snapshot()).incidents
    finally:
        await store.close()
