"""The whole system in real processes, as its user starts it, for end-to-end tests."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

T = TypeVar("T")

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]


def eventually(check: Callable[[], T | None], within_s: float, what: str) -> T:
    """Ask until the answer is truthy; fails with what was waited for."""
    deadline = time.monotonic() + within_s
    answer = check()
    while not answer:
        if time.monotonic() > deadline:
            pytest.fail(f"not within {within_s:.0f} s: {what}")
        time.sleep(0.25)
        answer = check()
    return answer


class RunningSystem:
    """`siaga demo` in a process of its own, and a signed-in client."""

    def __init__(self, folder: Path, arguments: list[str], settings: Mapping[str, str]) -> None:
        self._output: list[str] = []
        self._folder = folder
        environment = {
            **os.environ,
            "SIAGA__DATA_DIR": str(folder),
            "SIAGA__API__PORT": "0",
            **settings,
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "siaga", "demo", *arguments],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.url = self._told(r"(http://\S+)")
        self.username = self._told(r"user (\S+)")
        self.password = self._told(r"password (\S+)")
        self.client = httpx.Client(base_url=self.url, timeout=10)
        eventually(lambda: self._answers("/readyz"), 60, "the API is ready")
        self.client.post(
            "/api/v1/session", json={"username": self.username, "password": self.password}
        ).raise_for_status()

    @property
    def output(self) -> str:
        """What the system has written so far."""
        return "".join(self._output)

    def get(self, path: str) -> Any:
        """A resource, tried again while the API is being restarted."""

        def ask() -> httpx.Response | None:
            try:
                return self.client.get(path)
            except httpx.TransportError:
                return None

        answer = eventually(ask, 30, f"an answer to GET {path}")
        answer.raise_for_status()
        return answer.json()

    def roles(self) -> dict[str, int]:
        """The roles' process numbers by name."""
        pids: dict[str, int] = json.loads(next(self._folder.rglob("roles.json")).read_text())
        return pids

    def kill(self, role: str) -> None:
        """End a role at once, and wait until the supervisor has a new one."""
        old = self.roles()[role]
        os.kill(old, signal.SIGKILL)
        eventually(lambda: self.roles().get(role, old) != old, 30, f"{role} is restarted")

    def stop(self) -> int:
        """Stop as Ctrl-C does; returns the exit code."""
        self.client.close()
        self._process.send_signal(signal.SIGINT)
        try:
            code = self._process.wait(40)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            self._close()
            pytest.fail(f"did not stop within 40 s; its last words:\n{self.output[-3000:]}")
        self._close()
        return code

    def _close(self) -> None:
        self._reader.join(5)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _answers(self, path: str) -> bool:
        try:
            return self.client.get(path).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def _told(self, pattern: str) -> str:
        def look() -> str | None:
            if self._process.poll() is not None:
                pytest.fail(f"ended with {self._process.returncode}:\n{self.output[-3000:]}")
            found = re.search(pattern, self.output)
            return found.group(1) if found else None

        return eventually(look, 60, f"a line with {pattern}")

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._output.append(line)


def chromium() -> Iterator[Browser]:
    """A real Chromium: Debian's where it is installed, else playwright's own."""
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


def open_console(browser: Browser, system: RunningSystem) -> Page:
    """A signed-in console in a browser of its own (no shared cookies)."""
    context = browser.new_context(viewport={"width": 1600, "height": 1000})
    page = context.new_page()
    page.goto(system.url)
    page.get_by_test_id("signin-user").fill(system.username)
    page.get_by_test_id("signin-password").fill(system.password)
    page.get_by_test_id("signin-submit").click()
    page.get_by_test_id("connection").wait_for()
    return page
