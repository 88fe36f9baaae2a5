"""`siaga up`, `siaga demo` and the single roles."""

from __future__ import annotations

import asyncio
import functools
import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from plumbing.logs import configure_logging
from siaga.commands.options import ConfigOption, JsonOption, settings_from
from siaga.failures import Failure


def up(config: ConfigOption = None) -> None:
    """The whole system on this machine, with the registered cameras."""
    from incidents.people.accounts import FIRST_USERNAME
    from siaga.system import api_url, prepare_store, run_system, with_free_port

    settings = with_free_port(settings_from(config))
    configure_logging(settings.log.level, settings.log.format, "siaga")
    password = asyncio.run(prepare_store(settings))
    _say(f"Siaga: {api_url(settings)}")
    if password is not None:
        _say(f"First account (shown once): user {FIRST_USERNAME}   password {password}")
    if not _is_loopback(settings.api.host):
        _say("It listens beyond this machine: put TLS before it and set api.cookie_secure.")
    run_system(settings, [], _say, welcome=f"Siaga is up: {api_url(settings)}")


def demo(
    config: ConfigOption = None,
    cameras: Annotated[
        int | None,
        typer.Option(min=1, max=64, help="Simulated cameras; the scenario's own where absent."),
    ] = None,
    videos: Annotated[
        Path | None,
        typer.Option(
            exists=True, file_okay=False, help="Serve this folder's videos as cameras instead."
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="The same seed gives the same city.")
    ] = None,
    keep: Annotated[bool, typer.Option(help="Go on with the last demonstration's data.")] = False,
    scenario: Annotated[
        str | None, typer.Option(help="What happens: one of the library, or a YAML file.")
    ] = None,
    list_scenarios: Annotated[
        bool, typer.Option("--list-scenarios", help="Tell the library's, and stop.")
    ] = False,
    scored: Annotated[
        bool, typer.Option("--score", help="Stop when it is over, and tell how the system did.")
    ] = False,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict", help="With --score: exit 1 unless all was found once, and nothing in vain."
        ),
    ] = False,
    pictures: Annotated[
        bool,
        typer.Option(
            help="Without: nothing is started or drawn; calls, and sightings as an ideal detector "
            "would make them, go through the fusion in their own time."
        ),
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """The whole system with a simulated city; everything in it is marked as an exercise."""
    if list_scenarios:
        _list_scenarios(as_json=as_json)
        return
    if videos is not None and (scenario or scored):
        raise typer.BadParameter("videos have no scenario, and nothing that could be scored")
    if as_json and not scored:
        raise typer.BadParameter("--json goes with --score or --list-scenarios")
    if strict and not scored:
        raise typer.BadParameter("--strict goes with --score")
    from simulator.city import EVERYDAY

    settings = settings_from(config)
    configure_logging(settings.log.level, settings.log.format, "siaga")
    if not pictures:
        if not scored:
            raise typer.BadParameter("--no-pictures shows nothing; it goes with --score")
        from siaga.city.rehearsal import rehearse

        _judge(rehearse(settings, scenario or EVERYDAY, seed, as_json=as_json), strict=strict)
        return
    from siaga.city.demonstration import Wishes, run_demonstration

    wishes = Wishes(cameras, videos, seed, scenario or EVERYDAY, scored, as_json)
    say = _say_aside if as_json else _say
    _judge(run_demonstration(settings, wishes, keep=keep, say=say), strict=strict)


def _judge(score: Mapping[str, Any] | None, *, strict: bool) -> None:
    if strict and score is not None and score["shortfalls"]:
        raise Failure(f"{score['scenario']} fell short: {', '.join(score['shortfalls'])}")


def _list_scenarios(*, as_json: bool) -> None:
    import json

    from simulator.library import library

    rows = [
        {
            "name": scenario.name,
            "title": scenario.title,
            "judul": scenario.judul,
            "seconds": scenario.seconds,
            "events": len(scenario.events),
            "cameras": (
                scenario.cameras if isinstance(scenario.cameras, int) else len(scenario.cameras)
            ),
        }
        for scenario in library().values()
    ]
    if as_json:
        typer.echo(json.dumps({"scenarios": rows}))
        return
    for row in rows:
        typer.echo(f"{row['name']:<20}{row['seconds']:>5.0f} s  {row['title']}")


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
    scenario: Annotated[str, typer.Option()] = "everyday",
    cameras: Annotated[int | None, typer.Option()] = None,
    seed: Annotated[int | None, typer.Option()] = None,
    videos: Annotated[Path | None, typer.Option()] = None,
    score_file: Annotated[Path | None, typer.Option()] = None,
    config: ConfigOption = None,
) -> None:
    """The simulated city's cameras and callers; started by `siaga demo`."""
    from siaga.city.role import CityPlan, play_city
    from siaga.roles import run_role

    plan = CityPlan(rtsp_port, cameras, seed, videos, scenario, score_file)
    run_role("city", settings_from(config), functools.partial(play_city, plan))


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


def _say_aside(line: str) -> None:
    typer.echo(line, err=True)
