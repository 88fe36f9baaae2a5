"""The command line as its users call it: in a process of its own, judged by its exit code, its
standard output and its one line on standard error.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.rtsp import RtspThread


def siaga(
    folder: Path, *arguments: str, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "siaga", *arguments],
        cwd=folder,
        env={**os.environ, "SIAGA__DATA_DIR": str(folder / "data"), **(environment or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def one_line(answer: subprocess.CompletedProcess[str]) -> str:
    assert answer.returncode == 1, answer
    lines = [line for line in answer.stderr.splitlines() if line.startswith("siaga: ")]
    assert len(lines) == 1, answer.stderr
    assert "Traceback" not in answer.stderr
    return lines[0]


def test_help_lists_the_commands(tmp_path: Path) -> None:
    answer = siaga(tmp_path, "--help")
    assert answer.returncode == 0
    for command in ("up", "demo", "cameras", "incidents", "watch", "eval", "train", "bench"):
        assert re.search(rf"\b{command}\b", answer.stdout)


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["up", "--nonsense"], ["cameras", "probe"], ["demo", "--cameras=x"]]
)
def test_wrong_usage_exits_with_2(tmp_path: Path, arguments: list[str]) -> None:
    assert siaga(tmp_path, *arguments).returncode == 2


def test_typo_in_the_configuration_is_named_with_its_neighbour(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("buss: {url: redis://h}\n")
    assert "did you mean 'bus'" in one_line(siaga(tmp_path, "incidents"))


def test_typo_in_the_environment_is_named_too(tmp_path: Path) -> None:
    answer = siaga(tmp_path, "incidents", environment={"SIAGA__API__PROT": "1"})
    assert "did you mean 'port'" in one_line(answer)


def test_missing_configuration_is_named(tmp_path: Path) -> None:
    assert "nowhere.yaml" in one_line(siaga(tmp_path, "incidents", "--config", "nowhere.yaml"))


def test_incidents_of_an_empty_system(tmp_path: Path) -> None:
    answer = siaga(tmp_path, "incidents", "--json")
    assert json.loads(answer.stdout) == {"incidents": []}


@pytest.mark.parametrize("role", ["worker", "fusion", "api"])
def test_a_role_alone_says_that_it_needs_a_bus(tmp_path: Path, role: str) -> None:
    assert "bus.url" in one_line(siaga(tmp_path, role))


def test_up_says_who_has_its_port(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        answer = siaga(tmp_path, "up", environment={"SIAGA__API__PORT": port})
    assert port in one_line(answer)


def test_accounts_and_keys_are_shown_once(tmp_path: Path) -> None:
    added = siaga(tmp_path, "users", "add", "ayu", "--role", "operator")
    assert re.fullmatch(r"user ayu   password \S{12,}\n", added.stdout)
    assert "ayu" in siaga(tmp_path, "users", "list").stdout
    assert "already" in one_line(siaga(tmp_path, "users", "add", "ayu"))
    key = siaga(tmp_path, "keys", "issue", "cad", "--role", "dispatch").stdout.strip()
    listed = siaga(tmp_path, "keys", "list").stdout
    assert "cad" in listed
    assert key not in listed
    assert siaga(tmp_path, "keys", "revoke", "cad").returncode == 0
    assert "nobody" in one_line(siaga(tmp_path, "keys", "revoke", "nobody"))


def test_cameras_are_registered_whole_or_not_at_all(tmp_path: Path) -> None:
    good = "id,lon,lat,url\nc1,106.99,-6.24,rtsp://admin:hidden@192.0.2.1/1\n"
    (tmp_path / "good.csv").write_text(good)
    (tmp_path / "bad.csv").write_text(good + "c2,-6.24,106.99,rtsp://192.0.2.1/2\n")

    bad = siaga(tmp_path, "cameras", "import", "bad.csv")
    assert "nothing was registered" in one_line(bad)
    assert "row 3: lat" in bad.stderr
    dry = siaga(tmp_path, "cameras", "import", "good.csv", "--dry-run", "--json")
    assert json.loads(dry.stdout)["written"] is False
    assert siaga(tmp_path, "cameras", "list").stdout == ""

    wet = siaga(tmp_path, "cameras", "import", "good.csv", "--json")
    assert json.loads(wet.stdout) == {
        "cameras": 1,
        "new": 1,
        "changed": 0,
        "written": True,
        "problems": [],
    }
    again = siaga(tmp_path, "cameras", "import", "good.csv", "--json")
    assert json.loads(again.stdout)["changed"] == 1
    listed = siaga(tmp_path, "cameras", "list", "--json")
    assert json.loads(listed.stdout)["cameras"][0]["camera"]["has_credentials"] is True
    database = b"".join(path.read_bytes() for path in (tmp_path / "data").glob("siaga.sqlite3*"))
    assert b"hidden" not in database + listed.stdout.encode()


def test_probe_names_what_is_wrong(tmp_path: Path) -> None:
    loopback = siaga(tmp_path, "cameras", "probe", "rtsp://user:hidden@127.0.0.1:1/x")
    assert "allow_private" in one_line(loopback)
    allowed = {"SIAGA__INGEST__ALLOW_PRIVATE": "[127.0.0.0/8]"}
    refused = siaga(tmp_path, "cameras", "probe", "rtsp://127.0.0.1:1/x", environment=allowed)
    assert "nothing listens" in one_line(refused)
    assert "hidden" not in loopback.stderr + refused.stderr


def test_probe_shows_a_real_stream(tmp_path: Path, rtsp: RtspThread) -> None:
    url = rtsp.serve_clock("clock")
    allowed = {"SIAGA__INGEST__ALLOW_PRIVATE": "[127.0.0.0/8]"}
    picture = tmp_path / "picture.jpg"
    answer = siaga(
        tmp_path,
        "cameras",
        "probe",
        url,
        "--json",
        "--picture",
        str(picture),
        environment=allowed,
    )
    facts = json.loads(answer.stdout)
    assert facts["codec"] == "h264"
    assert facts["width_px"] > 0
    assert picture.read_bytes().startswith(b"\xff\xd8")
