"""Programs that the supervisor's tests run: a role that behaves as told, and a supervisor of such.

``role NAME FOLDER BEHAVIOUR`` notes what happens to it in ``FOLDER/events``; ``supervisor FOLDER
PLAN`` supervises the roles of ``PLAN`` (JSON: name -> behaviour).
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from plumbing.processes import die_with_parent
from siaga.supervisor import Role, Supervisor, SupervisorBusyError, Waits


def _note(folder: Path, text: str) -> None:
    with (folder / "events").open("a") as events:
        events.write(f"{text}\n")


def _role(name: str, folder: Path, behaviour: str) -> None:
    die_with_parent()
    if behaviour == "broken":
        sys.exit(f"{name}: no such camera park")
    if behaviour == "parent":
        grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        (folder / "grandchild").write_text(str(grandchild.pid))

    def stop(*_: object) -> None:
        _note(folder, f"{name} stopping")
        if behaviour in ("stubborn", "immovable"):
            return
        time.sleep(0.1)
        _note(folder, f"{name} stopped")
        os._exit(0)

    signal.signal(signal.SIGTERM, stop)
    if behaviour == "slow":
        time.sleep(0.5)
    _note(folder, f"{name} ready")
    (folder / f"{name}.ready").touch()
    while True:
        time.sleep(60)


async def _supervise(folder: Path, plan: dict[str, str]) -> None:
    def role(name: str, behaviour: str) -> Role:
        path = folder / f"{name}.ready"
        return Role(
            name=name,
            argv=[
                sys.executable,
                "-m",
                "tests.siaga.supervised",
                "role",
                name,
                str(folder),
                behaviour,
            ],
            stop_after_s=60.0 if behaviour == "immovable" else 0.5,
            ready=(lambda: False) if behaviour == "broken" else path.exists,
        )

    supervisor = Supervisor(
        [role(name, behaviour) for name, behaviour in plan.items()],
        folder / "run",
        waits=Waits(first_s=0.05, longest_s=0.4, healthy_after_s=1.0),
        say=lambda line: print(line, flush=True),
    )
    await supervisor.run()


if __name__ == "__main__":
    if sys.argv[1] == "role":
        _role(sys.argv[2], Path(sys.argv[3]), sys.argv[4])
    else:
        try:
            asyncio.run(_supervise(Path(sys.argv[2]), json.loads(sys.argv[3])))
        except SupervisorBusyError as busy:
            sys.exit(str(busy))
