"""How a command says that it failed: one clear line, and exit code 1."""

from __future__ import annotations


class Failure(Exception):
    """What the user should know; printed as it is on standard error."""


def raised_on_purpose(error: Exception) -> bool:
    """Whether an error is one of the packages' own, whose text tells the user what to do.

    The families are imported here, when something has failed, so that `siaga --help` needn't load
    a video library and a neural network's run time.
    """
    from api.server import ServeError
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
    from plumbing.tracing import TracingUnavailable
    from siaga.supervisor import SupervisorBusyError
    from simulator.rtsp import UnplayableVideoError
    from simulator.scenario import ScenarioError

    families = (
        AddressRefused,
        BusUnavailable,
        ContractError,
        DetectionError,
        EvidenceError,
        Failure,
        IngestError,
        OSError,
        ScenarioError,
        SealingError,
        ServeError,
        SettingsError,
        SpoolError,
        StoreError,
        SupervisorBusyError,
        TracingUnavailable,
        UnplayableVideoError,
    )
    return isinstance(error, families)
