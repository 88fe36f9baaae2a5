"""`siaga cameras`: the register from the command line."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from contracts import CameraId, ContractError, LonLat, StreamSource
from incidents.camera_profiles import Profile
from incidents.register.camera_import import ImportedCamera, ImportProblem, read_register
from incidents.register.register_files import decoded
from plumbing.redact import redact_url
from plumbing.settings import Settings
from siaga.commands.options import ConfigOption, JsonOption, settings_from
from siaga.failures import Failure

app = typer.Typer(no_args_is_help=True, help="The camera register.")


@app.command("list")
def list_cameras(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Every registered camera and how it is."""
    from contracts import to_plain
    from incidents.store import Store
    from plumbing.clock import SystemClock

    async def read() -> None:
        store = await Store.open(settings_from(config).database_url, SystemClock())
        try:
            cameras = await store.cameras.all()
            healths = await store.cameras.healths()
        finally:
            await store.close()
        if as_json:
            rows = [
                {"camera": to_plain(camera), "health": _plain(healths.get(camera.id))}
                for camera in cameras
            ]
            typer.echo(json.dumps({"cameras": rows}))
            return
        for camera in cameras:
            health = healths.get(camera.id)
            state = health.state.value if health else "unwatched"
            typer.echo(f"{camera.id:<24} {state:<13} {camera.name}  {redact_url(camera.url)}")

    def _plain(health: object | None) -> object:
        return to_plain(health) if health is not None else None

    asyncio.run(read())


@app.command("probe")
def probe_url(
    url: str,
    username: Annotated[str | None, typer.Option(help="User of the stream.")] = None,
    password_file: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="File with the password.")
    ] = None,
    any_certificate: Annotated[
        bool, typer.Option(help="Over rtsps and https, take whatever certificate it shows.")
    ] = False,
    timeout_s: Annotated[float, typer.Option(min=1, max=60)] = 10.0,
    picture: Annotated[Path | None, typer.Option(help="Write the picture here (JPEG).")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Open a stream once: what is there, or what is wrong and what to do."""
    from camera_ingest import StreamOpener, probe
    from plumbing.address_guard import AddressGuard
    from plumbing.clock import SystemClock
    from plumbing.sealing import Sealer
    from siaga.watching.probing import jpeg

    settings = settings_from(config)
    sealer = Sealer(settings.key_file)
    password = password_file.read_text().strip() if password_file else None
    source = StreamSource(
        camera_id=CameraId("probe"),
        url=url,
        username=username,
        sealed_password=sealer.seal(password) if password is not None else None,
        any_certificate=any_certificate,
    )
    guard = AddressGuard(settings.ingest.allow_private)
    found = probe(source, StreamOpener(settings.ingest, SystemClock(), guard, sealer), timeout_s)
    if picture is not None:
        picture.write_bytes(jpeg(found.picture))
    facts = {
        "codec": found.codec,
        "width_px": found.width_px,
        "height_px": found.height_px,
        "frames_per_s": found.frames_per_s,
        "keyframe_interval_s": found.keyframe_interval_s,
    }
    if as_json:
        typer.echo(json.dumps(facts))
    else:
        typer.echo("  ".join(f"{key} {value}" for key, value in facts.items()))


@app.command("onvif")
def ask_onvif(
    url: Annotated[str, typer.Argument(help="The camera: http://HOST/.")],
    username: Annotated[str | None, typer.Option(help="User of the camera.")] = None,
    password_file: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="File with the password.")
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask a camera for its streams: the one to register is marked, where it points is told."""
    from camera_ingest.onvif import ask_camera
    from plumbing.address_guard import AddressGuard
    from plumbing.clock import SystemClock

    settings = settings_from(config).ingest
    password = password_file.read_text().strip() if password_file else ""
    answer = ask_camera(
        url, username, password, AddressGuard(settings.allow_private), settings, SystemClock()
    )
    if as_json:
        typer.echo(json.dumps(asdict(answer)))
        return
    camera = answer.camera
    typer.echo(f"{camera.maker} {camera.model}, firmware {camera.firmware}")
    if camera.clock_error_s is not None:
        typer.echo(f"its clock is {camera.clock_error_s:+.0f} s off")
    for profile in camera.profiles:
        mark = "*" if profile.token == answer.best_token else " "
        size = f"{profile.width_px}x{profile.height_px}@{profile.frames_per_s or 0:g}"
        typer.echo(f"{mark} {profile.name:<20} {profile.codec:<6} {size:<16} {profile.stream_url}")
    if answer.position is not None:
        place = answer.position
        typer.echo(f"points to pan {place.pan}, tilt {place.tilt}, zoom {place.zoom}")


@app.command("discover")
def discover_cameras(
    wait_s: Annotated[float, typer.Option(min=0.5, max=60, help="How long to wait.")] = 3.0,
    as_json: JsonOption = False,
) -> None:
    """Call into the local network which ONVIF cameras are there."""
    from camera_ingest.onvif import discover

    try:
        found = discover(wait_s)
    except OSError as error:
        raise Failure(f"there is no network to call into: {error.strerror}") from error
    if as_json:
        typer.echo(json.dumps({"cameras": [asdict(one) for one in found]}))
        return
    for one in found:
        typer.echo(f"{one.address:<16} {one.name:<24} {one.hardware:<20} {one.url}")
    typer.echo(f"{len(found)} cameras answered", err=True)


@app.command("import")
def import_cameras(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="GeoJSON or CSV.")],
    profile: Annotated[Profile, typer.Option(help="Whose form the file has.")] = Profile.OURS,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check only.")] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Register the cameras of a GeoJSON or CSV file, or change those whose ids are known.

    Nothing is registered unless every row is right.
    """
    settings = settings_from(config)
    try:
        text = decoded(file.read_bytes())
    except ContractError as error:
        raise Failure(f"{file} {error.why}") from error
    centre = LonLat(settings.city.lon, settings.city.lat)
    cameras, problems = read_register(text, centre, settings.city.radius_m, profile)
    known, clashing = asyncio.run(_register(settings, cameras, write=not dry_run and not problems))
    problems += clashing
    if as_json:
        document = {
            "cameras": len(cameras),
            "new": len(cameras) - known,
            "changed": known,
            "written": not dry_run and not problems,
            "problems": [asdict(problem) for problem in problems],
        }
        typer.echo(json.dumps(document))
    else:
        for problem in problems:
            typer.echo(f"row {problem.row}: {problem.field}: {problem.why}", err=True)
        verb = "would be" if dry_run or problems else "are"
        typer.echo(f"{len(cameras)} cameras {verb} registered, {known} of them known before")
    if problems:
        what = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise Failure(f"{what} in {file}; nothing was registered")


async def _register(
    settings: Settings, cameras: list[ImportedCamera], *, write: bool
) -> tuple[int, list[ImportProblem]]:
    """Save them all, or none; returns how many were known before, and what kept them out."""
    from incidents.register.camera_rows import Credentials
    from incidents.register.taking_over import clashes
    from incidents.store import Store
    from plumbing.clock import SystemClock
    from plumbing.sealing import Sealer

    sealer = Sealer(settings.key_file)
    store = await Store.open(settings.database_url, SystemClock())
    try:
        registered = {camera.id: camera for camera in await store.cameras.all()}
        problems = list(clashes(cameras, registered))
        if write and not problems:
            given = [
                (
                    new.camera,
                    Credentials(
                        username=new.username,
                        sealed_password=sealer.seal(new.password) if new.password else None,
                        headers=new.headers,
                    ),
                )
                for new in cameras
            ]
            await store.cameras.save_all(given, actor="import")
    finally:
        await store.close()
    return sum(new.camera.id in registered for new in cameras), problems
