"""Ten thousand inputs that nobody should send: `python -m tests.hostile --inputs 10000`.

AML forms, text messages and PIDF-LO documents that were spoilt, addresses of CAP that can't be, and
whatever bytes at the websocket's door and through it. No answer may be a 5xx, every message that
was answered with 2xx must be kept, and in the end a call that was taken before is there, the feed
still tells of a new one, and the log has no gap. A seeded share runs with the tests.
"""

from __future__ import annotations

import argparse
import json
import random
import socket
import string
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from incidents.people.accounts import Role
from plumbing.embedded_bus import EmbeddedBus
from tests.api.intake.test_anything import DOCUMENTS, FORMS, KEY, TEXTS, spoilt
from tests.api.made import a_call
from tests.support.api import ApiThread, api_in_thread, api_settings

FAULTS = ("server_errors", "unforeseen", "not_kept", "lost", "gaps_in_log")
MESSAGES = (("/aml", FORMS), ("/api/v1/sms", TEXTS), ("/pidf-lo", DOCUMENTS))


def assault(api: ApiThread, inputs: int, seed: int) -> dict[str, Any]:
    """Send them all; what should be 0 stands in `FAULTS`."""
    chance = random.Random(seed)  # noqa: S311 - a scenario, no secret
    statuses: Counter[int] = Counter()
    kept: set[str] = set()
    unread = 0
    with api.client(Role.DISPATCH) as client:
        before = client.post("/api/v1/calls", json=a_call()).json()["call"]["id"]
        for number in range(inputs):
            kind = number % 5
            if kind < 3:
                path, messages = MESSAGES[kind]
                answer = client.post(path, content=spoilt(chance, chance.choice(messages)))
                if answer.status_code < 300:
                    receipt = answer.json()
                    kept.add(receipt["message_id"])
                    unread += any("could not be" in why for why in receipt["problems"])
                statuses[answer.status_code] += 1
            elif kind == 3:
                statuses[client.get(_cap_address(chance)).status_code] += 1
            else:
                _at_the_websocket(api, chance)
        stored = api.run(api.api.store.messages.count())
        with connect(api.api.feed_url, additional_headers=api.api.headers(Role.VIEWER)) as feed:
            start = json.loads(feed.recv(timeout=20))
            client.post("/api/v1/calls", json=a_call()).raise_for_status()
            change = json.loads(feed.recv(timeout=20))
        is_there = client.get(f"/api/v1/calls/{before}").status_code == 200
    entries = api.run(api.api.store.log.after(0, limit=1_000_000))
    told = change["items"][0] if change["type"] == "changes" else change
    return {
        "inputs": inputs,
        "statuses": dict(sorted(statuses.items())),
        "server_errors": sum(count for status, count in statuses.items() if status >= 500),
        "messages_answered": len(kept),
        "unforeseen": unread,
        "not_kept": max(0, len(kept) - stored),
        "lost": int(not is_there) + int(told["prev_seq"] != start["seq"]),
        "gaps_in_log": len(entries) - (entries[-1].seq - entries[0].seq + 1),
    }


def _cap_address(chance: random.Random) -> str:
    word = quote("".join(chance.choices(string.printable, k=chance.randrange(1, 40))), safe="")
    return chance.choice(
        (
            f"/api/v1/incidents/{word}.cap.xml",
            f"/cap/feed?level={word}",
            f"/cap/feed?exercise={word}&{word}={word}",
        )
    )


def _at_the_websocket(api: ApiThread, chance: random.Random) -> None:
    """Bytes that are no handshake, or a reader that talks nonsense."""
    noise = chance.randbytes(chance.randrange(1, 400))
    if chance.random() < 0.5:
        address = urlsplit(api.api.url)
        with socket.create_connection((address.hostname, address.port), timeout=5) as raw:
            request = b"GET /ws/v1/feed HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
            raw.sendall(request + noise + b"\r\n\r\n")
        return
    after = chance.choice(("", "?after=0", "?after=-1", "?after=9e9", f"?after={2**60}", "?x=y"))
    try:
        with connect(
            api.api.feed_url + after, additional_headers=api.api.headers(Role.VIEWER)
        ) as feed:
            feed.socket.sendall(noise)
            feed.send(noise)
            feed.send(noise.decode("latin-1"))
    except (WebSocketException, OSError):
        # Refused or cut off, as it should be.
        return


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    started_s = time.monotonic()
    with tempfile.TemporaryDirectory() as name, EmbeddedBus(Path(name)) as bus:
        settings = api_settings(Path(name) / "api", calls__aml_key=KEY)
        with api_in_thread(settings, bus.url, "hostile") as api:
            figures = assault(api, given.inputs, given.seed)
    figures["seconds"] = round(time.monotonic() - started_s, 1)
    sys.stdout.write("\n".join(f"{key:<18} {value}" for key, value in figures.items()) + "\n")
    raise SystemExit(1 if any(figures[fault] for fault in FAULTS) else 0)


if __name__ == "__main__":
    main()
