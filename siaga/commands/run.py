"""`siaga up`, `siaga demo` and the single roles."""

from __future__ import annotations

import asyncio
import functools
import ipaddress
from pathlib import Path
from typing import Annotated

import typer

from plumbing.logs import configure_logging
from siaga.commands.options import ConfigOption, settings_from


def up(config: ConfigOption = None) -> None:
    """The whole system on this machine, with the registered cameras."""
    from incidents.accounts import FIRST_USERNAME
    from siaga.system import api_url, prepare_store, run_system, with_free_port

    settings = with_free_port(settings_from(config))
    configure_logging(settings.log.level, settings.log.format, "siaga")
    password = asyncio.run(prepare_store(settings))
    _say(f"Siaga: {api_url(settings)}")
    if password is not None:
        _say(f"First account (shown once): user {FIRST_USERNAME}   password {password}")
    if not _is_loopback(settings.api.host):
        _say("It listens beyond this machine: put TLS before it and set api.cookie_secure.")
    run_system(settings, [], _say)


def demo(
    config: ConfigOption = None,
    cameras: Annotated[int, typer.Option(min=1, max=64, help="Simulated cameras.")] = 8,
    videos: Annotated[
        Path | None,
        typer.Option(
            exists=True, file_okay=False, help="Serve this folder's videos as cameras instead."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same city.")] = 7,
    keep: Annotated[bool, typer.Option(help="Go on with the last demonstration's data.")] = False,
) -> None:
    """The whole system with a simulated city; everything in it is marked as an exercise."""
    from siaga.demonstration import run_demonstration

    settings = settings_from(config)
    configure_logging(settings.log.level, settings.log.format, "siaga")
    run_demonstration(settings, cameras=cameras, videos=videos, seed=seed, keep=keep, say=_say)


def worker(config: ConfigOption = None) -> None:
    """Ingest and detection alone; needs bus.url."""
    from siaga.roles import run_role, worker_role

    run_role("worker", settings_from(config), worker_role)


def fusion(config: ConfigOption = None) -> None:
    """Reports to incidents alone; needs bus.url. Several stand by for one another."""
    from siaga.roles import fusion_role, run_role

    run_role("fusion", settings_from(config), fusion_role)


def api(config: ConfigOption = None) -> None:
    """REST, websocket feed and console alone; needs bus.url."""
    from siaga.roles import api_role, run_role

    run_role("api", settings_from(config), api_role)


def city(
    rtsp_port: Annotated[int, typer.Option()],
    cameras: Annotated[int, typer.Option()] = 8,
    seed: Annotated[int, typer.Option()] = 7,
    videos: Annotated[Path | None, typer.Option()] = None,
    config: ConfigOption = None,
) -> None:
    """The simulated city's cameras and callers; started by `siaga demo`."""
    from contracts import LonLat
    from siaga.city_role import make_city, play_city
    from siaga.roles import run_role

    settings = settings_from(config)
    centre = LonLat(settings.city.lon, settings.city.lat)
    made = make_city(cameras, seed, videos, centre)
    run_role("city", settings, functools.partial(play_city, made, rtsp_port))


def _is_loopback(host: str) -> bool:
    """Whether a configured address is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _say(line: str) -> None:
    typer.echo(line)
