"""The feed's bytes say what the nouns say, however they are put together."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from api.feed.line import text_frame
from api.wire import array, changes_message, encode_entry, members, ping_message, plain
from contracts import LogEntry, to_plain
from tests.support.nouns import log_entries


@given(entry=log_entries, prev_seq=st.integers(0, 2**53))
@settings(max_examples=50, deadline=None)
def test_a_change_is_the_entry_with_its_place_in_the_chain(entry: LogEntry, prev_seq: int) -> None:
    sent = json.loads(encode_entry(entry).after(prev_seq))
    assert sent == {"type": "change", "prev_seq": prev_seq, **to_plain(entry)}


@given(entries=st.lists(log_entries, min_size=1, max_size=4), first=st.integers(0, 1000))
@settings(max_examples=30, deadline=None)
def test_several_changes_are_one_message_and_a_chain(entries: list[LogEntry], first: int) -> None:
    from dataclasses import replace

    numbered = [replace(entry, seq=first + 1 + n) for n, entry in enumerate(entries)]  # type: ignore[arg-type]
    message = json.loads(changes_message([encode_entry(one) for one in numbered], first))
    items = message["items"] if message["type"] == "changes" else [message]
    assert (message["type"] == "change") == (len(entries) == 1)
    assert [item["seq"] for item in items] == [entry.seq for entry in numbered]
    assert [item["prev_seq"] for item in items] == [entry.seq - 1 for entry in numbered]


@given(st.binary(max_size=70_000))
@settings(max_examples=30, deadline=None)
def test_a_frame_is_what_the_library_would_send(payload: bytes) -> None:
    from websockets.server import ServerProtocol

    protocol = ServerProtocol()
    protocol.state = protocol.state.OPEN
    protocol.send_text(payload)
    assert b"".join(protocol.data_to_send()) == text_frame(payload)


def test_parts_are_put_together_as_json() -> None:
    made = members(a=array([b"1", b'"x"']), b=plain(None), c=plain({"é": [True]}))
    assert json.loads(made) == {"a": [1, "x"], "b": None, "c": {"é": [True]}}
    ping = json.loads(ping_message(7, datetime(2026, 11, 22, tzinfo=UTC)))
    assert ping == {"type": "ping", "seq": 7, "at": "2026-11-22T00:00:00+00:00"}
