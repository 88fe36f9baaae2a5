"""The command `siaga`: one small file a command in `siaga.commands`, put together here.

Exit codes: 0 success, 2 wrong usage, 1 failure with one line on standard error. What the packages
raise on purpose becomes that line; anything else is a fault of ours and shows its traceback.
"""

from __future__ import annotations

import sys

import typer

from camera_ingest.errors import IngestError
from contracts import ContractError
from detection.errors import DetectionError
from incidents.errors import StoreError
from plumbing.address_guard import AddressRefused
from plumbing.bus import BusUnavailable
from plumbing.evidence import EvidenceError
from plumbing.sealing import SealingError
from plumbing.settings import SettingsError
from plumbing.spool import SpoolError
from siaga.commands import (
    accounts,
    bench,
    calibrate,
    cameras,
    evaluate,
    incidents,
    replay,
    run,
    train,
    watch,
)
from siaga.failures import Failure
from siaga.supervisor import SupervisorBusyError

ON_PURPOSE = (
    AddressRefused,
    BusUnavailable,
    ContractError,
    DetectionError,
    EvidenceError,
    Failure,
    IngestError,
    SealingError,
    SettingsError,
    SpoolError,
    StoreError,
    SupervisorBusyError,
    OSError,
)

app = typer.Typer(
    name="siaga",
    help="CCTV and geolocation situational awareness for a city's emergency call centre.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
run.register(app)
watch.register(app)
app.command()(incidents.incidents)
app.command()(calibrate.calibrate)
app.command()(replay.replay)
app.add_typer(cameras.app, name="cameras")
app.add_typer(accounts.users, name="users")
app.add_typer(accounts.keys, name="keys")
app.add_typer(evaluate.app, name="eval")
app.add_typer(train.app, name="train")
app.add_typer(bench.app, name="bench")


def main() -> None:
    """Run the command line of this process."""
    try:
        app()
    except ON_PURPOSE as error:
        sys.stderr.write(f"siaga: {' '.join(str(error).split())}\n")
        raise SystemExit(1) from None
