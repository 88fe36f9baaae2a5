"""`siaga doctor`: what of machine, installation and configuration would keep Siaga from working.

Each check is a function that returns one `Finding`: what was looked at, whether it is well, and
where it isn't, what to do. Nothing is changed; a database that isn't there isn't made.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
import sqlite3
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import make_url

from incidents.errors import StoreError
from incidents.store import Store
from plumbing.clock import Clock
from plumbing.sealing import KEY_VARIABLE, Sealer, SealingError
from plumbing.settings import Settings
from siaga.doctor import neighbours
from siaga.doctor.findings import Finding, ok, problem, warning

PATIENCE_S = 10.0
LEAST_PYTHON = (3, 11)
FILES_A_CAMERA = 8
"""Open files that one camera and its clips may take of a worker."""
LEAST_FREE_BYTES = 1_000_000_000


Check = Callable[[Settings, Clock], Awaitable[Finding]]


async def examine(settings: Settings, clock: Clock) -> list[Finding]:
    """Look at everything; the order is that in which things build on one another."""
    found = []
    for name, check in CHECKS.items():
        try:
            async with asyncio.timeout(PATIENCE_S):
                finding = await check(settings, clock)
        except TimeoutError:
            finding = problem(name, f"no answer within {PATIENCE_S:g} s", "see whether it hangs")
        except Exception as error:  # noqa: BLE001 - a check that breaks is a finding as well
            finding = problem(name, f"{type(error).__name__}: {error}", "report this")
        found.append(finding)
    return found


async def _program(_settings: Settings, _clock: Clock) -> Finding:
    missing = [
        name
        for name in ("av", "cv2", "openvino", "shapely", "pyproj", "redis", "argon2")
        if importlib.util.find_spec(name) is None
    ]
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < LEAST_PYTHON:
        return problem("program", f"Python {version}", "install Python 3.11 or newer")
    if missing:
        return problem(
            "program",
            f"not installed: {', '.join(missing)}",
            "install again: make clean, then make run",
        )
    return ok("program", f"Python {version}, SQLite {sqlite3.sqlite_version}")


async def _machine(settings: Settings, _clock: Clock) -> Finding:
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = 256 + FILES_A_CAMERA * settings.worker.max_cameras
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    told = f"{cores} cores, {soft} open files a process"
    if soft < needed:
        return warning(
            "machine",
            f"{told}; {settings.worker.max_cameras} cameras a worker may need {needed}",
            f"raise it: ulimit -n {min(hard, max(needed, 4096))}, or LimitNOFILE= in the service",
        )
    return ok("machine", told)


async def _timezone(settings: Settings, _clock: Clock) -> Finding:
    try:
        ZoneInfo(settings.city.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        return problem(
            "timezone",
            f"this machine knows no time zone {settings.city.timezone!r}",
            "correct city.timezone, or install the package tzdata",
        )
    return ok("timezone", settings.city.timezone)


async def _files(settings: Settings, _clock: Clock) -> Finding:
    named = {
        "city.areas": settings.city.areas,
        "city.buildings": settings.city.buildings,
        "map.pmtiles": settings.map.pmtiles,
        **{f"map.geojson.{number}": path for number, path in enumerate(settings.map.geojson)},
    }
    missing = [f"{key} ({path})" for key, path in named.items() if path and not path.is_file()]
    if missing:
        return problem(
            "files", f"not there: {', '.join(missing)}", "correct the path in the configuration"
        )
    return ok("files", f"{sum(path is not None for path in named.values())} named, all there")


async def _disk(settings: Settings, _clock: Clock) -> Finding:
    least = max(LEAST_FREE_BYTES, 2 * settings.evidence.min_free_bytes)
    for folder in (settings.data_dir, settings.evidence_folder):
        there = _nearest(folder)
        free = shutil.disk_usage(there).free
        if not os.access(there, os.W_OK):
            return problem("disk", f"{there} may not be written to", f"chown or chmod {there}")
        if free < settings.evidence.min_free_bytes:
            return problem(
                "disk",
                f"{free / 1e9:.1f} GB are free for {folder}; pictures and clips are not kept",
                "make room, shorten retention, or lower evidence.min_free_bytes",
            )
        if free < least:
            return warning(
                "disk", f"only {free / 1e9:.1f} GB are free for {folder}", "make room soon"
            )
    free = shutil.disk_usage(_nearest(settings.data_dir)).free
    return ok("disk", f"{free / 1e9:.1f} GB are free")


async def _key(settings: Settings, _clock: Clock) -> Finding:
    if not os.environ.get(KEY_VARIABLE, "").strip() and not settings.key_file.exists():
        return ok("key", "none yet: the first start makes one")
    try:
        Sealer(settings.key_file)
    except SealingError as error:
        return problem("key", str(error), "put the right key there, from where it was kept apart")
    return ok("key", KEY_VARIABLE if os.environ.get(KEY_VARIABLE) else str(settings.key_file))


async def _database(settings: Settings, clock: Clock) -> Finding:
    if _is_unborn(settings):
        return ok("database", "none yet: the first start makes one")
    try:
        store = await Store.open(settings.database_url, clock)
    except StoreError as error:
        return problem("database", str(error), "correct database.url, or start its server")
    try:
        await store.touch()
        kind = make_url(settings.database_url).get_backend_name()
        return ok("database", f"{kind}, {await store.log.last_seq()} changes")
    finally:
        await store.close()


async def _secrets(settings: Settings, clock: Clock) -> Finding:
    if _is_unborn(settings):
        return ok("secrets", "none yet")
    sealer = Sealer(settings.key_file)
    store = await Store.open(settings.database_url, clock)
    try:
        sources = await store.cameras.stream_sources()
    finally:
        await store.close()
    sealed = [one for one in sources if one.sealed_password]
    strange = []
    for one in sealed:
        try:
            sealer.unseal(one.sealed_password or "")
        except SealingError:
            strange.append(one.camera_id)
    if strange:
        return problem(
            "secrets",
            f"the key doesn't open the passwords of {len(strange)} cameras ({strange[0]} ...)",
            "restore the key that was in use, or type their passwords in again",
        )
    return ok("secrets", f"{len(sealed)} cameras' passwords can be opened")


async def _audit(settings: Settings, clock: Clock) -> Finding:
    if _is_unborn(settings):
        return ok("audit", "none yet")
    store = await Store.open(settings.database_url, clock)
    try:
        head = await store.audit.head()
    finally:
        await store.close()
    return ok("audit", f"head {head}; check it all with siaga audit verify")


async def _models(settings: Settings, _clock: Clock) -> Finding:
    wanted = [settings.detection.detector, settings.detection.flood]
    missing = [name for name in wanted if name and not _is_model(name)]
    if missing:
        return problem(
            "models", f"not there: {', '.join(missing)}", "correct detection.detector and .flood"
        )
    return ok("models", ", ".join(name for name in wanted if name))


async def _exposure(settings: Settings, _clock: Clock) -> Finding:
    if settings.api.host in ("127.0.0.1", "::1", "localhost"):
        return ok("exposure", f"listens on {settings.api.host} alone")
    if not settings.api.cookie_secure:
        return warning(
            "exposure",
            f"listens on {settings.api.host}, and sends its cookie over plain HTTP too",
            "put TLS before it and set api.cookie_secure: true",
        )
    return ok("exposure", f"listens on {settings.api.host}, cookies over HTTPS only")


def _is_unborn(settings: Settings) -> bool:
    """Whether there is no database yet; opening it would make one."""
    url = make_url(settings.database_url)
    return url.get_backend_name() == "sqlite" and not Path(url.database or "").exists()


def _is_model(name: str) -> bool:
    home = Path(__file__).parents[2] / "detection" / "models"
    return (home / name).is_dir() or Path(name).exists()


def _nearest(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    folder = folder.absolute()
    while not folder.exists():
        folder = folder.parent
    return folder


CHECKS: dict[str, Check] = {
    "program": _program,
    "machine": _machine,
    "timezone": _timezone,
    "files": _files,
    "disk": _disk,
    "key": _key,
    "database": _database,
    "secrets": _secrets,
    "audit": _audit,
    "bus": neighbours.bus,
    "sign-in": neighbours.sign_in,
    "traces": neighbours.traces,
    "models": _models,
    "exposure": _exposure,
}
