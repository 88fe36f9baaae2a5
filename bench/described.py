"""Whether the API does what its OpenAPI description says, whatever is sent: schemathesis over it.

`python -m bench.described --examples 100` starts an API of its own; needs the `test` extra.

For every operation lawful and unlawful requests are made up; the answer must not be a 5xx, and its
status, media type, headers and body must be described.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from bench.feed_servers import api_in_process
from incidents.people.accounts import Role
from incidents.store import Store
from plumbing.clock import SystemClock
from plumbing.embedded_bus import EmbeddedBus
from plumbing.settings import Settings

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

ENDLESS = ("/sse/v1/feed",)


@dataclass
class Found:
    """What came of all requests."""

    requests: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)
    """By operation and kind of fault, the first example of each."""


def probe(
    url: str,
    key: str,
    *,
    examples: int,
    with_seed: int = 1,
    leave_out: Callable[[str, str], bool] = lambda _method, _path: False,
    say: Callable[[str], None] = lambda _line: None,
) -> Found:
    """Send ``examples`` requests of each kind to every operation; the same seed sends the same."""
    session = requests.Session()
    session.trust_env = False
    session.headers["Authorization"] = f"Bearer {key}"
    described = session.get(f"{url}/openapi.json", timeout=20).json()
    schema = schemathesis.openapi.from_dict(described)
    schema.config.update(base_url=url)
    # The session signs in; made-up keys would get 401 and nothing else.
    schema.config.generation.update(with_security_parameters=False)
    found = Found()
    operation: Any
    for result in schema.get_all_operations():
        operation = result.ok()  # type: ignore[union-attr]
        if leave_out(operation.method.upper(), operation.path):
            continue
        say(f"{operation.method.upper()} {operation.path}")
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            _probe_operation(operation, mode, session, examples, with_seed, found)
    return found


def _probe_operation(
    operation: Any,
    mode: GenerationMode,
    session: requests.Session,
    examples: int,
    with_seed: int,
    found: Found,
) -> None:
    name = f"{operation.method.upper()} {operation.path}"

    @seed(with_seed)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        # A stream that is followed has no end; only its refusals can be looked at.
        answer = case.call(session=session, timeout=2 if operation.path in ENDLESS else 30)
        found.requests += 1
        found.statuses[answer.status_code] += 1
        for check in CHECKS:
            if check is not_a_server_error and answer.status_code in (503, 504):
                # Described, or the next check says so: a part that isn't there was needed.
                continue
            try:
                case.validate_response(answer, checks=[check])
            except BaseExceptionGroup as problems:
                told = "; ".join(str(one).split("\n\n")[0] for one in problems.exceptions)
                found.failures.setdefault(f"{name} {check.__name__}", f"{told}\n{_curl(case)}")

    try:
        send()
    except schemathesis.errors.SchemathesisError:
        # Nothing unlawful can be made up for it, such as where it takes nothing at all.
        return
    except Exception as error:  # noqa: BLE001 - told with the operation it happened in
        if "Unsatisfiable" not in type(error).__name__:
            found.failures.setdefault(f"{name} (request)", f"{type(error).__name__}: {error}"[:400])


def _curl(case: Any) -> str:
    return str(case.as_curl_command())[:600]


@contextmanager
def own_api(folder: Path) -> Iterator[tuple[str, str]]:
    """An API with its bus and an empty database, as they run in earnest; address and key."""
    bus = EmbeddedBus(folder)
    bus.start()
    # Not forked: threads of ours would be missing in the child.
    context = get_context("spawn")
    here, there = context.Pipe()
    made = Settings.model_validate(
        {
            "data_dir": folder,
            "api": {"port": 0},
            "bus": {"url": bus.url},
            "evidence": {"min_free_bytes": 0},
        }
    )
    key = asyncio.run(_issue(made))
    process = context.Process(target=api_in_process, args=(there, made), daemon=True)
    process.start()
    try:
        yield here.recv(), key
    finally:
        here.send("end")
        process.join(20)
        process.kill()
        bus.stop()


async def _issue(made: Settings) -> str:
    store = await Store.open(made.database_url, SystemClock())
    try:
        return await store.keys.issue("described", Role.SUPERVISOR)
    finally:
        await store.close()


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=int, default=50, help="of each kind, an operation")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    given_ = parser.parse_args()
    started_s = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, own_api(Path(folder)) as (url, key):
        found = probe(
            url,
            key,
            examples=given_.examples,
            with_seed=given_.seed,
            say=lambda line: print(line, file=sys.stderr),
        )
    figures = {
        "requests": found.requests,
        "seconds": round(time.monotonic() - started_s, 1),
        "statuses": dict(sorted(found.statuses.items())),
        "failures": found.failures,
    }
    if given_.json:
        sys.stdout.write(json.dumps(figures) + "\n")
    else:
        for name, told in found.failures.items():
            sys.stdout.write(f"{name}\n    {told}\n")
        sys.stdout.write(
            f"{found.requests} requests in {figures['seconds']} s, answers by status "
            f"{figures['statuses']}, {len(found.failures)} failures\n"
        )
    raise SystemExit(1 if found.failures else 0)


if __name__ == "__main__":
    main()
