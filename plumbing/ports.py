"""Free ports, for servers that others must know the address of before they are up."""

from __future__ import annotations

import contextlib
import random
import socket

PORTS = range(20_000, 32_768)
"""Below those that systems give to outgoing connections (Linux from 32768, macOS from 49152): a
server that is started anew at its old port would else find somebody's connection there."""
_TRIES = 200


def free_port(host: str = "127.0.0.1") -> int:
    """A port of `PORTS` at which nothing listens now.

    Raises:
        OSError: none was found, or the host isn't this machine.
    """
    # Not the shared generator: who seeds that in two processes gets the same ports in both.
    for port in random.SystemRandom().sample(PORTS, _TRIES):
        with contextlib.closing(socket.socket()) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind((host, port))
                return port
    with contextlib.closing(socket.socket()) as probe:
        # Says what is wrong with the host, if that is it.
        probe.bind((host, 0))
    raise OSError(f"no free port from {PORTS[0]} to {PORTS[-1]} on {host}")
