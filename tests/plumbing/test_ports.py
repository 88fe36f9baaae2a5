from __future__ import annotations

import socket
from pathlib import Path

import pytest

from plumbing.ports import PORTS, free_port

OUTGOING = Path("/proc/sys/net/ipv4/ip_local_port_range")


def test_a_free_port_can_be_listened_at_and_is_another_one_next_time() -> None:
    with (
        socket.create_server(("127.0.0.1", free_port())) as first,
        socket.create_server(("127.0.0.1", free_port())) as second,
    ):
        assert first.getsockname() != second.getsockname()


@pytest.mark.skipif(not OUTGOING.exists(), reason="no Linux: it doesn't say its range")
def test_no_outgoing_connection_gets_it() -> None:
    lowest = int(OUTGOING.read_text().split()[0])
    if lowest < PORTS.stop:
        pytest.skip(f"this machine gives outgoing connections ports from {lowest}")
    assert max(PORTS) < lowest


def test_a_host_that_is_not_this_one_is_told() -> None:
    with pytest.raises(OSError, match="assign"):
        free_port("192.0.2.1")
