"""The supervisor, in a process of its own, over real child processes."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from plumbing.bus import DETECTIONS, Bus, BusUnavailable
from plumbing.embedded_bus import EmbeddedBus
from siaga.keeper import Keeper
from siaga.supervisor import (
    Role,
    Supervisor,
    SupervisorBusyError,
    Waits,
    answers_http,
    bus_role,
    refuse_if_running,
)
from tests.support.detections import a_detection


class Running:
    """A supervisor's process, and what it said and wrote."""

    def __init__(self, folder: Path, plan: dict[str, str]) -> None:
        self.folder = folder
        self._said = (folder / f"said-{time.monotonic_ns()}").open("w+")
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.siaga.supervised",
                "supervisor",
                str(folder),
                json.dumps(plan),
            ],
            stdout=self._said,
            stderr=subprocess.STDOUT,
            process_group=0,
        )

    @property
    def said(self) -> str:
        return Path(self._said.name).read_text()

    @property
    def events(self) -> list[str]:
        path = self.folder / "events"
        return path.read_text().splitlines() if path.exists() else []

    @property
    def pids(self) -> dict[str, int]:
        path = self.folder / "run" / "roles.json"
        return dict(json.loads(path.read_text())) if path.exists() else {}

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._said.close()


def eventually(true: Callable[[], bool], within_s: float = 60.0) -> None:
    end_s = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end_s, "did not come true in time"
        time.sleep(0.02)


async def comes_true(true: Callable[[], bool]) -> None:
    while not true():  # noqa: ASYNC110 - what is awaited happens in other processes
        await asyncio.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A zombie still has a number, but runs no more.
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Callable[[dict[str, str]], Running]]:
    started: list[Running] = []

    def start(plan: dict[str, str]) -> Running:
        started.append(Running(tmp_path, plan))
        return started[-1]

    yield start
    for running in started:
        running.stop()


Start = Callable[[dict[str, str]], Running]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_starts_in_order_and_stops_in_reverse(supervise: Start, number: signal.Signals) -> None:
    running = supervise({"bus": "slow", "api": "good", "worker": "good"})
    eventually(lambda: "worker ready" in running.events)
    pids = running.pids
    assert set(pids) == {"supervisor", "bus", "api", "worker"}
    assert pids["supervisor"] == running.process.pid
    # What reaches the terminal's foreground group on Ctrl-C must not reach the roles.
    assert all(os.getpgid(pids[name]) == pids[name] for name in ("bus", "api", "worker"))

    running.process.send_signal(number)

    assert running.process.wait(10) == 0
    assert running.events == [
        "bus ready", "api ready", "worker ready",
        "worker stopping", "worker stopped",
        "api stopping", "api stopped",
        "bus stopping", "bus stopped",
    ]  # fmt: skip
    assert not any(is_alive(pid) for pid in pids.values())
    assert running.pids == {}


def test_restarts_a_killed_role_alone(supervise: Start) -> None:
    running = supervise({"api": "good", "worker": "good"})
    eventually(lambda: "worker ready" in running.events)
    before = running.pids

    os.kill(before["worker"], signal.SIGKILL)

    eventually(lambda: running.events.count("worker ready") == 2)
    after = running.pids
    assert after["worker"] != before["worker"]
    assert after["api"] == before["api"]
    assert "worker: ended (signal SIGKILL)" in running.said


def test_kills_a_role_that_does_not_stop(supervise: Start) -> None:
    running = supervise({"stubborn": "stubborn"})
    eventually(lambda: "stubborn ready" in running.events)
    pid = running.pids["stubborn"]

    running.process.terminate()

    assert running.process.wait(10) == 0
    assert "stubborn stopping" in running.events
    assert "did not stop within 0.5 s" in running.said
    assert not is_alive(pid)


def test_asked_twice_it_kills(supervise: Start) -> None:
    running = supervise({"immovable": "immovable"})
    eventually(lambda: "immovable ready" in running.events)
    pid = running.pids["immovable"]

    running.process.terminate()
    running.process.terminate()
    time.sleep(1.2)
    assert running.process.poll() is None, "two signals at once are one wish"
    running.process.terminate()

    assert running.process.wait(10) == 0
    assert not is_alive(pid)


def test_shows_the_last_words_of_a_role_that_fails_and_goes_on(supervise: Start) -> None:
    running = supervise({"worker": "broken", "api": "good"})
    eventually(lambda: "api ready" in running.events)
    said = running.said
    assert "worker: failed 5 times in a row" in said
    assert "worker: no such camera park" in said.split("failed 5 times in a row")[1]

    running.process.terminate()
    assert running.process.wait(10) == 0


def test_no_orphans_when_the_supervisor_is_killed(supervise: Start) -> None:
    running = supervise({"api": "good", "worker": "stubborn"})
    eventually(lambda: "worker ready" in running.events)
    pids = running.pids

    running.process.kill()
    running.process.wait()

    eventually(lambda: not any(is_alive(pid) for pid in pids.values()), within_s=5)
    # And the next supervisor is not kept out by what the dead one left.
    again = supervise({"api": "good"})
    eventually(lambda: again.pids.keys() == {"supervisor", "api"})


def test_sweeps_up_what_a_dead_role_had_started(supervise: Start, tmp_path: Path) -> None:
    running = supervise({"worker": "parent"})
    eventually(lambda: "worker ready" in running.events)
    grandchild = int((tmp_path / "grandchild").read_text())
    assert is_alive(grandchild)

    os.kill(running.pids["worker"], signal.SIGKILL)

    eventually(lambda: not is_alive(grandchild))


def test_a_second_supervisor_of_the_same_folder_is_refused(supervise: Start) -> None:
    first = supervise({"api": "good"})
    eventually(lambda: "api ready" in first.events)

    second = supervise({"api": "good"})

    assert second.process.wait(10) == 1
    assert "running already" in second.said
    assert first.process.poll() is None
    with pytest.raises(SupervisorBusyError):
        refuse_if_running(first.folder / "run")
    first.process.terminate()
    first.process.wait(10)
    refuse_if_running(first.folder / "run")
    refuse_if_running(first.folder / "never")


def test_waits_grow_are_bounded_and_jittered() -> None:
    waits = Waits(first_s=1.0, longest_s=30.0)
    for failures, longest_s in [(1, 1), (2, 2), (3, 4), (5, 16), (6, 30), (4000, 30)]:
        drawn = [waits.before(failures) for _ in range(50)]
        assert all(longest_s / 2 <= wait_s <= longest_s for wait_s in drawn)
        assert len(set(drawn)) > 1


async def test_a_healthy_time_forgets_earlier_failures(tmp_path: Path) -> None:
    said: list[str] = []
    role = Role(name="short", argv=[sys.executable, "-c", "import time; time.sleep(0.2)"])
    waits = Waits(first_s=0.01, longest_s=60.0, healthy_after_s=0.1)
    keeper = Keeper(role, waits, said.append, lambda: None)
    task = asyncio.create_task(keeper.run())
    async with asyncio.timeout(20):
        await comes_true(lambda: sum("ended" in line for line in said) >= 4)
        keeper.stop()
        await task
    # Unforgotten, the fourth wait would be eight times the first.
    assert all("again in 0.0 s" in line for line in said if "ended" in line)


async def test_who_waits_is_welcomed_once_all_roles_are_ready(tmp_path: Path) -> None:
    said: list[str] = []
    is_ready = threading.Event()
    argv = [sys.executable, "-c", "import time; time.sleep(600)"]
    roles = [Role(name="slow", argv=argv, ready=is_ready.is_set), Role(name="last", argv=argv)]
    supervisor = Supervisor(roles, tmp_path / "run", say=said.append, welcome="come in")
    running = asyncio.create_task(supervisor.run())
    async with asyncio.timeout(20):
        await comes_true(lambda: any(line.startswith("slow: started") for line in said))
        assert "come in" not in said
        is_ready.set()
        await comes_true(lambda: "come in" in said)
        assert any(line.startswith("last: started") for line in said)
        supervisor.stop()
        await running


async def test_a_role_that_hangs_is_killed_and_started_again() -> None:
    said: list[str] = []
    answers = iter([True])
    role = Role(
        name="hung",
        argv=[sys.executable, "-c", "import time; time.sleep(600)"],
        ready=lambda: next(answers, False),
        hung_after_s=0.1,
    )
    keeper = Keeper(role, Waits(first_s=0.01), said.append, lambda: None)
    task = asyncio.create_task(keeper.run())
    async with asyncio.timeout(20):
        await comes_true(lambda: any("ended (signal SIGKILL)" in line for line in said))
        keeper.stop()
        await task
    assert any("hung: hangs" in line for line in said)


async def test_roles_are_started_again_where_nothing_can_be_written(tmp_path: Path) -> None:
    said: list[str] = []
    folder = tmp_path / "run"
    # What a full disk does to every write, this does to the one file.
    (folder / ".roles.json.part").mkdir(parents=True)

    def say(line: str) -> None:
        said.append(line)
        if len(said) > 1:
            raise OSError(errno.ENOSPC, "No space left on device")

    role = Role(name="short", argv=[sys.executable, "-c", "import time; time.sleep(0.05)"])
    supervisor = Supervisor([role], folder, waits=Waits(first_s=0.01), say=say)
    running = asyncio.create_task(supervisor.run())
    async with asyncio.timeout(20):
        await comes_true(
            lambda: running.done() or sum("short: started" in line for line in said) >= 3
        )
        supervisor.stop()
        await running
    assert any("roles.json can't be written" in line for line in said)


async def test_a_program_that_is_missing_is_told() -> None:
    said: list[str] = []
    keeper = Keeper(
        Role(name="gone", argv=["/no/such/program"]), Waits(first_s=0.01), said.append, lambda: None
    )
    task = asyncio.create_task(keeper.run())
    async with asyncio.timeout(10):
        await keeper.settled.wait()
        keeper.stop()
        await task
    assert any("can't be started" in line and "/no/such/program" in line for line in said)


async def test_the_embedded_bus_comes_back_at_its_address_with_its_data(tmp_path: Path) -> None:
    server = EmbeddedBus(tmp_path)
    supervisor = Supervisor(
        [bus_role(server)], tmp_path / "run", waits=Waits(first_s=0.05), say=lambda _: None
    )
    running = asyncio.create_task(supervisor.run())
    try:
        async with asyncio.timeout(30), Bus(server.url) as bus:
            pid = await _bus_pid(tmp_path, bus, other_than=0)
            await bus.publish(DETECTIONS, a_detection("kept"))
            os.kill(pid, signal.SIGKILL)
            await _bus_pid(tmp_path, bus, other_than=pid)
            [delivery] = await bus.receive(DETECTIONS, "fusion", "one")
            assert delivery.value == a_detection("kept")
    finally:
        supervisor.stop()
        await running
    assert not server.is_ready()


async def _bus_pid(folder: Path, bus: Bus, *, other_than: int) -> int:
    """The bus's process number, once it answers."""
    while True:
        await asyncio.sleep(0.05)
        try:
            await bus.ping()
            pid = int(json.loads((folder / "run" / "roles.json").read_text())["bus"])
        except (BusUnavailable, KeyError, FileNotFoundError):
            continue
        if pid != other_than:
            return pid


def test_roles_need_names_of_their_own(tmp_path: Path) -> None:
    role = Role(name="api", argv=["true"])
    with pytest.raises(ValueError, match="names of their own"):
        Supervisor([role, role], tmp_path)
    with pytest.raises(ValueError, match="supervisor"):
        Supervisor([Role(name="supervisor", argv=["true"])], tmp_path)


async def test_answers_http_tells_success_from_failure() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readline()).split()[1]
        if path == b"/strange":
            writer.write(b"220 mail.example.org ESMTP\r\n")
            writer.close()
            return
        status = b"200 OK" if path == b"/good" else b"503 Service Unavailable"
        writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        assert await asyncio.to_thread(answers_http(f"http://127.0.0.1:{port}/good"))
        assert not await asyncio.to_thread(answers_http(f"http://127.0.0.1:{port}/bad"))
        assert not await asyncio.to_thread(answers_http(f"http://127.0.0.1:{port}/strange"))
    assert not await asyncio.to_thread(answers_http(f"http://127.0.0.1:{port}/good"))
