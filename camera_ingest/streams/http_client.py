"""Cameras over HTTP: our own client, so that FFmpeg opens no address by itself.

Every connection goes through `GuardedNetwork`; sizes, redirects and times are bounded; the answer's
faults become `IngestError` in our own words.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpcore
import httpx

from camera_ingest.credentials import Credentials
from camera_ingest.errors import (
    BROKE,
    NO_ROUTE,
    NO_VIDEO,
    NOBODY_LISTENS,
    IngestError,
    fell_silent,
    judge_status,
    no_answer,
    untrusted,
)
from camera_ingest.receiver.judging import tls_context
from camera_ingest.stopping import StopSignal
from camera_ingest.streams.sockets import GuardedNetwork
from contracts import CameraId, CameraState
from plumbing.address_guard import AddressGuard, AddressRefused
from plumbing.settings import IngestSettings

_MAX_REDIRECTS = 5


@dataclass(frozen=True, slots=True)
class Fetched:
    """A whole answer."""

    body: bytes
    url: str
    """Where it came from in the end: relative references in it start here."""


class CameraHttp:
    """One camera's HTTP client; for one thread, but stopped from any. Close it after use.

    Args:
        camera_id: For errors.
        url: The camera's. Its user name and password are sent to its host and nowhere else.
        guard: Says which addresses may be opened, for every connection anew.
        credentials: Answer to a Basic or Digest challenge.
        headers: Sent with every request (portals want a ``Referer``).
        settings: Timeouts.
        stop: Ends every wait.
    """

    def __init__(
        self,
        camera_id: CameraId,
        url: str,
        guard: AddressGuard,
        credentials: Credentials | None,
        headers: tuple[tuple[str, str], ...],
        settings: IngestSettings,
        stop: StopSignal,
    ) -> None:
        self._camera_id = camera_id
        self._host = urlsplit(url).hostname
        self._auth = _CameraAuth(credentials) if credentials is not None else None
        self._settings = settings
        self._client = httpx.Client(
            transport=_Transport(
                GuardedNetwork(guard, stop), tls_context(is_checked=settings.check_certificates)
            ),
            headers=[("User-Agent", "siaga"), ("Accept-Encoding", "identity"), *headers],
            timeout=httpx.Timeout(settings.read_timeout_s, connect=settings.open_timeout_s),
            follow_redirects=True,
            max_redirects=_MAX_REDIRECTS,
            trust_env=False,  # a proxy would connect for us, where no guard looks
        )

    def close(self) -> None:
        """Drop all connections."""
        self._client.close()

    def fetch(self, url: str, max_bytes: int) -> Fetched:
        """A whole answer, of at most ``max_bytes`` and within a bounded time.

        Raises:
            IngestError: no answer, an error status, too large, or too slow.
            Stopped: on order.
        """
        response = self.open(url)
        return Fetched(self._whole(response, max_bytes), str(response.url))

    def post(self, url: str, content: bytes, content_type: str, max_bytes: int) -> bytes:
        """Send something; the answer's body, that of an error of the camera's (400, 500) too.

        Raises:
            IngestError: as of `fetch`, and where the sign-in is refused or nothing is there.
            Stopped: on order.
        """
        response = self._send("POST", url, content, content_type)
        if response.status_code >= 300 and response.status_code not in (400, 500):
            response.close()
            raise self._error(
                *judge_status(response.status_code, has_credentials=self._auth is not None)
            )
        return self._whole(response, max_bytes)

    def _whole(self, response: httpx.Response, max_bytes: int) -> bytes:
        limit_s = self._settings.open_timeout_s + self._settings.read_timeout_s
        deadline_s = time.monotonic() + limit_s
        body = bytearray()
        with closing(response), self._judging():
            for chunk in response.iter_raw():
                body += chunk
                if len(body) > max_bytes:
                    detail = f"an answer is larger than {max_bytes:,} bytes: {NO_VIDEO}"
                    raise IngestError(self._camera_id, CameraState.INVALID, detail)
                if time.monotonic() > deadline_s:
                    detail = f"an answer took longer than {limit_s:g} s: the network is too slow"
                    raise IngestError(self._camera_id, CameraState.STALLED, detail)
        return bytes(body)

    def open(self, url: str) -> httpx.Response:
        """An answer whose body is still to come; the caller reads it (`chunks`) and closes it.

        Raises:
            IngestError: no answer, or an error status.
            Stopped: on order.
        """
        response = self._send("GET", url)
        if response.status_code >= 300:
            response.close()
            state, detail = judge_status(
                response.status_code, has_credentials=self._auth is not None
            )
            raise self._error(state, detail)
        return response

    def _send(
        self, method: str, url: str, content: bytes | None = None, content_type: str = ""
    ) -> httpx.Response:
        auth = self._auth if urlsplit(url).hostname == self._host else None
        headers = {"Content-Type": content_type} if content_type else {}
        with self._judging():
            request = self._client.build_request(method, url, content=content, headers=headers)
            return self._client.send(request, auth=auth, stream=True)

    def chunks(self, response: httpx.Response) -> Iterator[bytes]:
        """The body's bytes as they come.

        Raises:
            IngestError: STALLED where nothing comes in time or the connection breaks.
            Stopped: on order.
        """
        with self._judging(reading=True):
            yield from response.iter_raw()

    @contextmanager
    def _judging(self, *, reading: bool = False) -> Iterator[None]:
        """Turn the network's errors into ours. Their texts are not passed on: URLs are in them."""
        try:
            yield
        except AddressRefused as refusal:
            raise self._error(CameraState.UNREACHABLE, refusal.reason) from None
        except TimeoutError:
            timeout_s = self._settings.read_timeout_s
            if reading:
                raise self._error(CameraState.STALLED, fell_silent(timeout_s)) from None
            raise self._error(CameraState.UNREACHABLE, no_answer(timeout_s)) from None
        except ConnectionRefusedError:
            raise self._error(CameraState.REFUSED, NOBODY_LISTENS) from None
        except ssl.SSLCertVerificationError as error:
            detail = untrusted(error.verify_message)
            raise self._error(CameraState.UNREACHABLE, detail) from None
        except ssl.SSLError as error:
            detail = f"no encrypted connection ({error.reason}): does the camera speak https?"
            raise self._error(CameraState.UNREACHABLE, detail) from None
        except ConnectionError:
            raise self._error(CameraState.STALLED, BROKE) from None
        except OSError:
            raise self._error(CameraState.UNREACHABLE, NO_ROUTE) from None
        except httpx.TooManyRedirects:
            detail = f"more than {_MAX_REDIRECTS} redirections: check the URL"
            raise self._error(CameraState.INVALID, detail) from None
        except (
            httpx.HTTPError,
            httpx.InvalidURL,
            httpcore.ProtocolError,
            httpcore.UnsupportedProtocol,
        ):
            raise self._error(CameraState.INVALID, NO_VIDEO) from None

    def _error(self, state: CameraState, detail: str) -> IngestError:
        return IngestError(self._camera_id, state, detail)


class _CameraAuth(httpx.Auth):
    """Answers whichever challenge the camera makes, and remembers which."""

    def __init__(self, credentials: Credentials) -> None:
        self._basic = httpx.BasicAuth(credentials.username, credentials.password)
        self._digest = httpx.DigestAuth(credentials.username, credentials.password)
        self._chosen: httpx.Auth | None = None

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if self._chosen is None:
            response = yield request
            if response.status_code != 401:
                return
            # A camera that offers both is given Digest: the password stays unsaid.
            challenges = response.headers.get("www-authenticate", "").lower()
            self._chosen = self._digest if "digest" in challenges else self._basic
        yield from self._chosen.auth_flow(request)


class _Transport(httpx.BaseTransport):
    """httpx on an httpcore pool with a network of our own."""

    def __init__(self, network: httpcore.NetworkBackend, context: ssl.SSLContext) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=4,
            max_keepalive_connections=2,
            keepalive_expiry=30.0,
            network_backend=network,
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if not isinstance(request.stream, httpx.SyncByteStream):
            raise TypeError("only synchronous requests can be sent")
        answer = self._pool.handle_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(
                    scheme=request.url.raw_scheme,
                    host=request.url.raw_host,
                    port=request.url.port,
                    target=request.url.raw_path,
                ),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx.Response(
            status_code=answer.status,
            headers=answer.headers,
            stream=_Body(answer),
            extensions=answer.extensions,
        )

    def close(self) -> None:
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        yield from self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()
