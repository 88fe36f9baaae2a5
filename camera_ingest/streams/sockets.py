"""TCP connections to checked addresses, whose every wait ends with a stop signal."""

from __future__ import annotations

import contextlib
import errno
import os
import selectors
import socket
import ssl
import time
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import httpcore

from camera_ingest.stopping import StopSignal
from plumbing.address_guard import AddressGuard

_Result = TypeVar("_Result")

_LOOK_S = 0.1
"""How often a wait for a connection looks at the stop signal."""


def connect(ip: str, port: int, timeout_s: float, stop: StopSignal) -> socket.socket:
    """A TCP connection to a literal address; never asks a name server.

    Raises:
        OSError: as the system says; TimeoutError after ``timeout_s``.
        Stopped: on order.
    """
    connection = socket.socket(socket.AF_INET6 if ":" in ip else socket.AF_INET)
    try:
        connection.setblocking(False)
        code = connection.connect_ex((ip, port))
        if code == errno.EINPROGRESS:
            code = _await_connected(connection, timeout_s, stop)
        if code:
            raise OSError(code, os.strerror(code))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(timeout_s)
    except BaseException:
        connection.close()
        raise
    return connection


def _await_connected(connection: socket.socket, timeout_s: float, stop: StopSignal) -> int:
    deadline_s = time.monotonic() + timeout_s
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_WRITE)
        while not selector.select(_LOOK_S):
            stop.check()
            if time.monotonic() > deadline_s:
                return errno.ETIMEDOUT
    return connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)


class GuardedNetwork(httpcore.NetworkBackend):
    """Where an HTTP client gets its connections from: only addresses that the guard pinned.

    The check stands where the connection is made, so redirects, playlists and segments can't get
    round it, and no name is resolved a second time.
    """

    def __init__(self, guard: AddressGuard, stop: StopSignal) -> None:
        self._guard = guard
        self._stop = stop

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect.

        Raises:
            AddressRefused: the guard says no.
            OSError: nobody there, or no way to it.
            Stopped: on order.
        """
        shown = f"[{host}]" if ":" in host else host
        pinned = self._guard.resolve(f"http://{shown}:{port}/")
        timeout_s = 10.0 if timeout is None else timeout
        return StoppableStream(connect(pinned.ip, port, timeout_s, self._stop), self._stop)

    def sleep(self, seconds: float) -> None:
        """Wait, unless stopped."""
        self._stop.sleep(seconds)


class StoppableStream(httpcore.NetworkStream):
    """A connection whose every wait ends with the stop signal."""

    def __init__(self, connection: socket.socket, stop: StopSignal) -> None:
        self._socket = connection
        self._stop = stop

    @property
    def socket(self) -> socket.socket:
        """The connection itself, for whoever goes on with it elsewhere."""
        return self._socket

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """At most so many bytes; empty at the end."""

        def receive() -> bytes:
            return self._socket.recv(max_bytes)

        return self._waiting(receive, timeout)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """All of it."""
        self._waiting(lambda: self._socket.sendall(buffer), timeout)

    def close(self) -> None:
        """Drop the connection."""
        self._socket.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        """The same connection, encrypted."""

        def wrap() -> ssl.SSLSocket:
            return ssl_context.wrap_socket(self._socket, server_hostname=server_hostname)

        return StoppableStream(self._waiting(wrap, timeout), self._stop)

    def get_extra_info(self, info: str) -> Any:
        """What httpcore asks of a connection."""
        if info == "is_readable":  # asked before a kept connection is used again
            with selectors.DefaultSelector() as selector:
                selector.register(self._socket, selectors.EVENT_READ)
                return bool(selector.select(0))
        return None

    def _waiting(self, act: Callable[[], _Result], timeout_s: float | None) -> _Result:
        self._socket.settimeout(timeout_s)
        try:
            with self._stop.calling(self._hang_up):
                return act()
        finally:
            self._stop.check()  # what came out of a connection that we hung up means nothing

    def _hang_up(self) -> None:
        # Ends the other thread's wait. The plain socket's: TLS would want to say goodbye first.
        with contextlib.suppress(OSError):  # gone already
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
