"""Logs: one object a line in UTC, everything through one door, and no secret in any of it."""

from __future__ import annotations

import json
import subprocess
import sys

PROGRAM = """
import logging, sys, warnings
from plumbing.logs import configure_logging, get_logger
configure_logging("info", sys.argv[1], "worker-1")
log = get_logger("camera")
log.debug("not shown")
log.info("opened rtsp://u:S3CRET@h/1", camera_id="cam-1", deep={"urls": ["http://u:S3CRET@h"]})
try:
    password = "S3CRET"
    raise RuntimeError("can't open http://h/?token=S3CRET")
except RuntimeError:
    log.exception("it failed")
logging.getLogger("a.library").warning("%s is slow", "rtsp://u:S3CRET@h")
logging.getLogger("httpx").info("chatter")
warnings.warn("an old way")
"""


def run(form: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, form], capture_output=True, text=True, check=True
    )
    assert done.stdout == "", "standard output belongs to the commands"
    assert "S3CRET" not in done.stderr
    return done.stderr.splitlines()


def test_json_is_one_object_a_line() -> None:
    records = [json.loads(line) for line in run("json")]
    assert [record["event"] for record in records][:3] == [
        "opened rtsp://***@h/1",
        "it failed",
        "rtsp://***@h is slow",
    ]
    assert len(records) == 4, "debug and chatter are held back; warnings are taken in"
    assert records[0]["camera_id"] == "cam-1"
    assert records[0]["deep"] == {"urls": ["http://***@h"]}
    assert {record["role"] for record in records} == {"worker-1"}
    assert all(record["timestamp"].endswith("Z") for record in records)
    assert [record["level"] for record in records] == ["info", "error", "warning", "warning"]
    assert records[2]["logger"] == "a.library"
    assert "RuntimeError" in records[1]["exception"]


def test_for_people_it_is_text() -> None:
    text = "\n".join(run("console"))
    assert "opened rtsp://***@h/1" in text
    assert "camera_id=cam-1" in text
    assert "Traceback" in text
    assert "\x1b[" not in text, "colours are for terminals"
