"""`siaga demo`: the whole system with a simulated city, in a folder of its own.

The folder is emptied at each start (unless asked to keep it), so that a demonstration starts with
an empty map; a marker file in it keeps this from ever touching anything else.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from contracts import LonLat
from incidents.errors import NotFound
from incidents.people.accounts import Role as AccountRole
from incidents.store import Store
from plumbing.clock import SystemClock
from plumbing.ports import free_port
from plumbing.settings import Settings
from siaga.city.role import API_VARIABLE, KEY_VARIABLE, CityPlan, make_city
from siaga.failures import Failure
from siaga.supervisor import Role, refuse_if_running
from siaga.system import CLI, api_url, run_system, with_free_port
from simulator.city import EVERYDAY
from simulator.score_document import as_table

USERNAME = "demo"
_MARKER = ".siaga-demonstration"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a demonstration is to show; None takes the scenario's own."""

    cameras: int | None = None
    videos: Path | None = None
    seed: int | None = None
    scenario: str = EVERYDAY
    is_scored: bool = False
    """Stop when the scenario is over, and tell how the system did."""
    as_json: bool = False


def run_demonstration(
    settings: Settings, wishes: Wishes, *, keep: bool, say: Callable[[str], None]
) -> dict[str, Any] | None:
    """Start everything with a simulated city, or with a folder's videos; returns when stopped, or
    the score, which is printed, where one is wished for.

    Raises:
        Failure: the folder is in the way, or it was stopped before there was a score.
        ScenarioError: there is no such scenario, or it can't be played.
        SupervisorBusyError: a demonstration runs in it.
        UnplayableVideoError: the folder of videos holds none.
    """
    folder = settings.data_dir / "demo"
    refuse_if_running(folder / "run")
    _make_folder(folder, keep=keep)
    centre = LonLat(settings.city.lon, settings.city.lat)
    rtsp_port = free_port()
    score_file = folder / "score.json"
    score_file.unlink(missing_ok=True)
    plan = CityPlan(rtsp_port, wishes.cameras, wishes.seed, wishes.videos, wishes.scenario)
    city = make_city(plan, centre)
    background = folder / "city.geojson"
    background.write_text(json.dumps(city.background_geojson()), encoding="utf-8")
    settings = with_free_port(_for_demonstration(settings, folder, background))
    password, key = asyncio.run(_prepare_accounts(settings))
    city_role = Role(
        name="city",
        argv=(*CLI, "city", *_arguments(plan, score_file if wishes.is_scored else None)),
        environment={KEY_VARIABLE: key, API_VARIABLE: api_url(settings)},
    )
    say(f"Siaga: {api_url(settings)}")
    say(f"Sign in: user {USERNAME}   password {password}")
    say("Everything here is an exercise. Ctrl-C stops it.")
    run_system(
        settings,
        [city_role],
        say,
        # Once more, below what the roles have said of themselves.
        welcome=f"Siaga is up: {api_url(settings)}   user {USERNAME}   password {password}",
        until=score_file if wishes.is_scored else None,
    )
    if not wishes.is_scored:
        return None
    if not score_file.is_file():
        raise Failure("it was stopped before the scenario was over, so there is no score")
    document: dict[str, Any] = json.loads(score_file.read_text(encoding="utf-8"))
    typer.echo(json.dumps(document) if wishes.as_json else as_table(document))
    return document


def _arguments(plan: CityPlan, score_file: Path | None) -> list[str]:
    scenario = Path(plan.scenario)
    # The child runs in the same folder, yet a path that was given stays what it was.
    name = str(scenario.absolute()) if scenario.suffix in (".yaml", ".yml") else plan.scenario
    arguments = ["--rtsp-port", str(plan.rtsp_port), "--scenario", name]
    for option, value in (
        ("--cameras", plan.cameras),
        ("--seed", plan.seed),
        ("--videos", plan.videos.absolute() if plan.videos else None),
        ("--score-file", score_file.absolute() if score_file else None),
    ):
        if value is not None:
            arguments += [option, str(value)]
    return arguments


def _for_demonstration(settings: Settings, folder: Path, background: Path) -> Settings:
    """Everything in the folder, and nothing sent to anybody, whatever an installation has set."""
    allowed = (*settings.ingest.allow_private, "127.0.0.0/8")
    return settings.model_copy(
        update={
            "data_dir": folder,
            "exercise": True,
            "database": settings.database.model_copy(update={"url": None}),
            "bus": settings.bus.model_copy(update={"url": None}),
            "evidence": settings.evidence.model_copy(update={"folder": None, "url": None}),
            "cot": settings.cot.model_copy(update={"url": None}),
            # The simulated cameras are served from this machine.
            "ingest": settings.ingest.model_copy(update={"allow_private": allowed}),
            "map": settings.map.model_copy(update={"geojson": (*settings.map.geojson, background)}),
        }
    )


def _make_folder(folder: Path, *, keep: bool) -> None:
    marker = folder / _MARKER
    if folder.exists() and not marker.is_file():
        raise Failure(f"{folder} exists and is no demonstration's folder; move it out of the way")
    if folder.exists() and not keep:
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    marker.touch()


async def _prepare_accounts(settings: Settings) -> tuple[str, str]:
    """The demonstration account's fresh password, and a machine key for the city."""
    password = secrets.token_urlsafe(12)
    store = await Store.open(settings.database_url, SystemClock())
    try:
        try:
            await store.accounts.set_password(USERNAME, password)
        except NotFound:
            await store.accounts.add(USERNAME, password, AccountRole.SUPERVISOR, "Demo")
        key = await store.keys.issue(f"city-{secrets.token_hex(4)}", AccountRole.SUPERVISOR)
    finally:
        await store.close()
    return password, key
