"""The embedded server: private, locked to its folder, back at the same address with its data."""

from __future__ import annotations

import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from plumbing.embedded_bus import EmbeddedBus, EmbeddedBusError


def eventually_ended(pid: int) -> None:
    end_s = time.monotonic() + 10
    while Path(f"/proc/{pid}/cmdline").exists() and Path(f"/proc/{pid}/cmdline").read_bytes():
        assert time.monotonic() < end_s, f"process {pid} still runs"
        time.sleep(0.02)


def test_keeps_its_address_and_data_across_a_crash_and_a_stop(own_server: EmbeddedBus) -> None:
    url = own_server.url
    client = redis.Redis.from_url(url)
    for number, end in enumerate([own_server.kill, own_server.stop]):
        client.set(f"key-{number}", "kept")
        end()
        assert not own_server.is_ready()
        own_server.start()
        assert own_server.url == url
        assert client.get(f"key-{number}") == b"kept"
    client.close()


def test_asks_for_a_password_and_listens_on_loopback_alone(own_server: EmbeddedBus) -> None:
    with (
        redis.Redis(port=own_server.port) as stranger,
        pytest.raises(redis.AuthenticationError),
    ):
        stranger.ping()
    with redis.Redis.from_url(own_server.url) as ours:
        assert ours.config_get("bind") == {"bind": "127.0.0.1"}


def test_nobody_else_reads_its_files(own_server: EmbeddedBus) -> None:
    with redis.Redis.from_url(own_server.url) as ours:
        ours.set("key", "value")
    for path in [own_server.folder, *own_server.folder.rglob("*")]:
        if path.name == "server.log":
            continue
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_the_password_stands_on_no_command_line(own_server: EmbeddedBus) -> None:
    password = own_server.url.split(":")[2].split("@")[0]
    assert len(password) >= 24
    assert password not in " ".join(own_server.command())


def test_a_second_server_on_the_same_folder_is_refused(
    own_server: EmbeddedBus, tmp_path: Path
) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "plumbing.embedded_bus", str(own_server.folder)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert second.returncode == 1
    assert "another server uses" in second.stderr
    assert own_server.is_ready()


def test_a_log_that_was_cut_short_is_read_up_to_there(own_server: EmbeddedBus) -> None:
    with redis.Redis.from_url(own_server.url) as client:
        for number in range(10):
            client.set(f"key-{number}", "x" * 100)
        own_server.kill()
        [log] = own_server.folder.glob("appendonlydir/*.incr.aof")
        with log.open("r+b") as file:
            file.truncate(log.stat().st_size - 20)
        own_server.start()
        assert client.get("key-8") == b"x" * 100
        assert client.get("key-9") is None


@pytest.mark.parametrize(
    ("spoil", "left"),
    [
        (lambda whole: whole, 20),
        (lambda whole: whole + bytes(4096), 20),
        (lambda whole: whole[:-9] + bytes(4096), 19),
        (lambda whole: whole[:-2000] + b"\xaa" * 600 + whole[-1400:], 17),
    ],
    ids=["whole", "zeros behind", "zeros within", "a broken block"],
)
def test_an_end_that_cannot_be_read_is_cut_off_and_kept(
    own_server: EmbeddedBus, spoil: Callable[[bytes], bytes], left: int
) -> None:
    with redis.Redis.from_url(own_server.url) as client:
        for number in range(20):
            # Whatever a value holds, commands included, is no end.
            client.set(f"key-{number}", bytes([number]) * 500 + b"\r\n*1\r\n$0\r\n" + bytes(400))
        own_server.kill()
        (path,) = own_server.folder.glob("appendonlydir/*.incr.aof")
        whole = path.read_bytes()
        spoilt = spoil(whole)
        path.write_bytes(spoilt)
        own_server.start()
        assert len(client.keys("*")) == left
        client.set("next", "taken")
    aside = [one.read_bytes() for one in own_server.folder.glob("*.damaged-*")]
    assert aside == ([] if spoilt == whole else [spoilt])


def test_what_the_server_said_is_told_when_it_does_not_start(tmp_path: Path) -> None:
    server = EmbeddedBus(tmp_path)
    server.folder.mkdir()
    (server.folder / "appendonlydir").write_text("no folder")
    with pytest.raises(EmbeddedBusError, match="ended at once"):
        server.start()


def test_starting_twice_is_refused(own_server: EmbeddedBus) -> None:
    with pytest.raises(EmbeddedBusError, match="running already"):
        own_server.start()


def test_where_the_kernel_gives_no_death_signal_a_guard_ends_the_server(tmp_path: Path) -> None:
    # As on macOS: the process stays, and the server is its child.
    server = EmbeddedBus(tmp_path)
    server.command()
    run = (
        "import sys; sys.platform = 'darwin'\n"
        "from pathlib import Path\n"
        "from plumbing.embedded_bus import _run\n"
        "_run(Path(sys.argv[1]))"
    )
    for end in (signal.SIGTERM, signal.SIGKILL):
        guard = subprocess.Popen(
            [sys.executable, "-c", run, str(server.folder)], stdout=subprocess.DEVNULL
        )
        end_s = time.monotonic() + 20
        while not server.is_ready():
            assert time.monotonic() < end_s
            time.sleep(0.05)
        with redis.Redis.from_url(server.url) as client:
            pid = int(client.info("server")["process_id"])
        assert pid != guard.pid
        guard.send_signal(end)
        guard.wait(20)
        eventually_ended(pid)
    assert not server.is_ready()
