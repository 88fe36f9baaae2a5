"""The whole system on one machine: which roles there are, and in which order they start."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from incidents.store import Store
from plumbing.clock import SystemClock
from plumbing.embedded_bus import EmbeddedBus
from plumbing.ports import free_port
from plumbing.settings import Settings, as_environment
from siaga.failures import Failure
from siaga.supervisor import Role, Supervisor, answers_http, bus_role

CLI = (sys.executable, "-m", "siaga")


async def prepare_store(settings: Settings) -> str | None:
    """Bring the database up to date before several processes open it; make the first account.

    Returns its password, to be shown on the terminal once, or none where there was an account.
    """
    store = await Store.open(settings.database_url, SystemClock())
    try:
        return await store.accounts.ensure_first_account()
    finally:
        await store.close()


def with_free_port(settings: Settings) -> Settings:
    """Port 0 means any: choose one here, since several roles must know it.

    Raises:
        Failure: the configured port is taken.
    """
    with contextlib.closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            port = settings.api.port or free_port(settings.api.host)
            probe.bind((settings.api.host, port))
        except OSError as error:
            raise Failure(
                f"can't listen on {settings.api.host}:{settings.api.port}: {error.strerror}; "
                "is Siaga running already? choose another with SIAGA__API__PORT (0: any free one)"
            ) from error
    return settings.model_copy(update={"api": settings.api.model_copy(update={"port": port})})


def api_url(settings: Settings) -> str:
    """Where a browser on this machine finds the API."""
    host = settings.api.host
    if host in ("0.0.0.0", "::"):  # noqa: S104 -- compared, not bound
        host = "127.0.0.1"
    return (
        f"http://[{host}]:{settings.api.port}"
        if ":" in host
        else f"http://{host}:{settings.api.port}"
    )


def run_system(
    settings: Settings,
    extra: Sequence[Role],
    say: Callable[[str], None],
    *,
    welcome: str = "",
    until: Path | None = None,
) -> None:
    """Start everything, keep it running, and return when it was asked to stop.

    ``extra`` roles start after the API and before the workers; ``welcome`` is said when all have
    been started; ``until`` is a file whose appearance is a wish to stop, too.
    """
    roles: list[Role] = []
    if settings.bus.url is None:
        bus = EmbeddedBus(settings.data_dir)
        roles.append(bus_role(bus))
        settings = settings.model_copy(
            update={"bus": settings.bus.model_copy(update={"url": bus.url})}
        )
    environment = as_environment(settings)
    ready = answers_http(f"{api_url(settings)}/healthz")
    roles += [
        Role(name="api", argv=(*CLI, "api"), environment=environment, ready=ready, hung_after_s=30),
        Role(name="fusion", argv=(*CLI, "fusion"), environment=environment),
        *(replace(role, environment={**environment, **role.environment}) for role in extra),
        *(
            Role(
                name=f"worker-{number}",
                argv=(*CLI, "worker"),
                environment={
                    **environment,
                    "SIAGA_WORKER_NAME": f"{socket.gethostname()}-{number}",
                },
                # Handing its cameras over takes a worker some seconds (`siaga.watching.leases`).
                stop_after_s=25.0,
                stage="workers",
            )
            for number in range(1, settings.worker.count + 1)
        ),
    ]
    asyncio.run(_supervise(roles, settings.data_dir / "run", say, welcome, until))


_LOOKS_EVERY_S = 0.5


async def _supervise(
    roles: Sequence[Role],
    folder: Path,
    say: Callable[[str], None],
    welcome: str,
    until: Path | None,
) -> None:
    supervisor = Supervisor(roles, folder, say=say, welcome=welcome)

    async def stop_when_there() -> None:
        while until is not None:
            await asyncio.sleep(_LOOKS_EVERY_S)
            if await asyncio.to_thread(until.exists):
                supervisor.stop()
                return

    waiting = asyncio.create_task(stop_when_there())
    try:
        await supervisor.run()
    finally:
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
