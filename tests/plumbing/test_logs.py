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


def test_before_it_is_configured_only_warnings_are_shown_and_not_on_standard_output() -> None:
    program = (
        "from plumbing.logs import get_logger\n"
        "log = get_logger('early')\n"
        "log.info('chatter')\n"
        "log.warning('the bus redis://:S3CRET@h is away', task='cues')\n"
        "from plumbing.logs import configure_logging\n"
        "configure_logging('info', 'json', 'api')\n"
        "log.info('now as configured')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == ""
    early, late = done.stderr.splitlines()
    assert early == "event='the bus redis://***@h is away' task='cues'"
    assert json.loads(late)["event"] == "now as configured"
