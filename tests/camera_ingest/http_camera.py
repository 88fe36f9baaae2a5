"""A real HTTP server on a free loopback port whose answers a test writes."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Looks its answer up by path."""

    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self.server.seen.append((self.path, dict(self.headers.items())))
        answer = self.server.answers.get(self.path.partition("?")[0])
        if answer is None:
            self.reply(404, b"no such thing")
            return
        try:
            answer(self)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the client had enough

    def reply(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Tests are quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, Answer] = {}
        self.seen: list[tuple[str, dict[str, str]]] = []

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # else the client had enough
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class HttpCamera:
    """Enter it to listen, leave it to stop."""

    def __init__(self) -> None:
        self._server = _Server()
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}
        )
        self.ending = threading.Event()
        """Set when the server stops; endless answers look at it."""

    def __enter__(self) -> HttpCamera:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ending.set()
        self._server.shutdown()
        self._thread.join(5)
        self._server.server_close()

    @property
    def seen(self) -> list[tuple[str, dict[str, str]]]:
        """Path and headers of every request."""
        return self._server.seen

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self._server.server_port}{path}"

    def answer(self, path: str, answer: Answer) -> str:
        """Answer a path; its URL comes back."""
        self._server.answers[path] = answer
        return self.url(path)

    def answer_bytes(self, path: str, body: bytes, content_type: str) -> str:
        return self.answer(
            path, lambda handler: handler.reply(200, body, Content_Type=content_type)
        )
