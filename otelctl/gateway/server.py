"""The server of the embedded gateway.

It is the standard library's threaded HTTP server: it serves one person's demo and the tests, on loopback only, where
a framework's speed is worth nothing and each dependency is one more to install. What the library leaves open is
closed here: every request has a deadline, a bound on its head and its body, and the number of connections has one too.
"""

from __future__ import annotations

import contextlib
import io
import ipaddress
import json
import socket
import socketserver
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import TYPE_CHECKING, Self

from otelctl import otlp
from otelctl.gateway import query
from otelctl.gateway.auth import INVALID_SCOPE, Tenant, judge
from otelctl.secret import Secret
from otelctl.settings import Protocol, Signal

if TYPE_CHECKING:
    from google.protobuf.message import Message

PREFIX = "/otlp"

_HEAD_LIMIT = 64 * 1024
_KEPT_REQUESTS = 1000
_KEPT_BYTES = 64 * 1024 * 1024
_CONNECTIONS = 32
_LINGER_SECONDS = 2.0
_PIECE = 64 * 1024
_INVALID_ARGUMENT = 3  # google.rpc.Code

# Headers whose value is a credential, whoever sends them.
_CREDENTIAL_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie"})

_SIGNALS = {f"{PREFIX}/v1/{signal}": signal for signal in Signal}


@dataclass(frozen=True, slots=True)
class Partial:
    """A partial success for every request that holds telemetry: how many items are rejected, and why.

    `rejected` 0 with a message is a warning (specification.md, "Partial Success").
    """

    rejected: int
    message: str


@dataclass(frozen=True, slots=True)
class Received:
    """One request that came, whether it was taken or refused.

    `headers` are as received, in order; the values of those that carry credentials are Secrets. `status` is what it
    was answered with. `message` is the decoded request, None where it was refused, and `size` its bytes as protobuf.
    `path` goes without a query, in which nobody sends telemetry and some send tokens.
    """

    at: datetime
    method: str
    path: str
    headers: tuple[tuple[str, str | Secret], ...]
    status: int
    signal: Signal | None = None
    protocol: Protocol | None = None
    message: Message | None = None
    size: int = 0

    @property
    def accepted(self) -> bool:
        """Whether the request was answered with 200."""
        return self.status == HTTPStatus.OK

    def header(self, name: str) -> str | Secret:
        """Return the first header of that name in any case, or an empty string."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


class _Journal:
    """What came, bounded in number and bytes, and a way to wait for more."""

    def __init__(self) -> None:
        self._items: deque[Received] = deque(maxlen=_KEPT_REQUESTS)
        self._crashes: list[Exception] = []
        self._changed = threading.Condition()

    def keep(self, item: Received) -> None:
        """Take one more, and drop the oldest beyond the bounds."""
        with self._changed:
            self._items.append(item)
            while len(self._items) > 1 and sum(kept.size for kept in self._items) > _KEPT_BYTES:
                self._items.popleft()
            self._changed.notify_all()

    def crashed(self, error: Exception) -> None:
        """Take a bug that a request has shown."""
        with self._changed:
            self._crashes.append(error)

    def items(self) -> tuple[Received, ...]:
        """Return what is kept, oldest first."""
        with self._changed:
            return tuple(self._items)

    def crashes(self) -> tuple[Exception, ...]:
        """Return the bugs met."""
        with self._changed:
            return tuple(self._crashes)

    def wait_for(self, wanted: Callable[[Received], bool], timeout: float) -> Received | None:
        """Return the first that is wanted, kept or yet to come, or None after `timeout` seconds."""

        def look() -> Received | None:
            return next((item for item in self._items if wanted(item)), None)

        with self._changed:
            return self._changed.wait_for(look, timeout)


class Gateway:
    """The embedded gateway, as a context manager: it listens while the context is open.

    `host` is a loopback address and `port` 0 takes a free one. `max_body` bounds a request's body, as sent and as
    decompressed, in bytes; `timeout` a whole request, in seconds. With `tls` it speaks HTTPS. It prints nothing.
    """

    def __init__(
        self,
        tenants: Sequence[Tenant],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        partial: Partial | None = None,
        max_body: int = 20 * 1024 * 1024,
        timeout: float = 10.0,
    ) -> None:
        if not ipaddress.ip_address(host).is_loopback:
            raise ValueError(f"the embedded gateway listens on loopback only, not on {host}")
        self.tenants = tuple(tenants)
        self.partial = partial
        self.max_body = max_body
        self.timeout = timeout
        self._journal = _Journal()
        self._server = _Server(self, self._journal, host, port, tls)
        name, bound = self._server.server_address[:2]
        shown = f"[{name!s}]" if ":" in host else name
        self.url = f"{'https' if tls else 'http'}://{shown!s}:{bound}{PREFIX}"
        """The base URL, as OTEL_EXPORTER_OTLP_ENDPOINT takes it."""
        self.tempo_url = self.url.removesuffix(PREFIX) + query.PREFIX
        """The base URL of its read side, as `--tempo-url` takes it."""
        self.port = int(bound)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def received(self) -> tuple[Received, ...]:
        """What came, oldest first: at most the last 1000 requests and 64 MiB of bodies."""
        return self._journal.items()

    @property
    def crashes(self) -> tuple[Exception, ...]:
        """The bugs of the gateway that requests have shown; each such request was answered with 500."""
        return self._journal.crashes()

    def wait_for(self, wanted: Callable[[Received], bool], timeout: float) -> Received | None:
        """Return the first request, kept or yet to come, that is wanted, or None after `timeout` seconds."""
        return self._journal.wait_for(wanted, timeout)

    def wait_for_trace(self, trace_id: str, timeout: float) -> Received | None:
        """Return the first accepted request that names a trace, by its id in lower-case hex."""
        return self.wait_for(
            lambda item: item.accepted and item.message is not None and trace_id in otlp.trace_ids(item.message),
            timeout,
        )


class _Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Connections, each in a thread of its own, at most 32 at a time."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, gateway: Gateway, journal: _Journal, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        self.gateway = gateway
        self.journal = journal
        self._tls = tls
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Handler)

    def get_request(self) -> tuple[socket.socket, object]:
        connection, address = super().get_request()
        if self._tls is not None:
            # The handshake waits for the connection's own thread: a silent client must not hold up the others.
            connection = self._tls.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False, suppress_ragged_eofs=True
            )
        return connection, address

    def verify_request(self, request: object, client_address: object) -> bool:
        del request, client_address
        with self._lock:
            return len(self._open) < _CONNECTIONS

    def process_request(self, request: object, client_address: object) -> None:
        with self._lock:
            self._open.add(request)  # type: ignore[arg-type]
        super().process_request(request, client_address)  # type: ignore[arg-type]

    def shutdown_request(self, request: object) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)  # type: ignore[arg-type]

    def server_close(self) -> None:
        super().server_close()
        with self._lock:
            waiting = list(self._open)
        for connection in waiting:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that breaks off is its own affair, and bugs are kept where they happen."""


class _RequestTooLargeError(Exception):
    """More than the bound has come."""


class _BadFramingError(Exception):
    """The end of the body cannot be told; says why."""


class _Source(io.RawIOBase):
    """The bytes of a connection, under a deadline and, while a head is read, a bound."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.deadline = 0.0
        self.head_left: int | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        if self.head_left is not None:
            if self.head_left <= 0:
                raise _RequestTooLargeError
            view = view[: self.head_left]
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the request took too long")
        self._connection.settimeout(left)
        count = self._connection.recv_into(view)
        if self.head_left is not None:
            self.head_left -= count
        return count


@dataclass(frozen=True, slots=True)
class _Reply:
    """An answer to be, and what the request was found to hold on the way."""

    status: int
    media_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    message: Message | None = None


def _text(status: int, text: str) -> _Reply:
    return _Reply(status, "text/plain; charset=utf-8", text.encode())


def _unauthorized(reason: str) -> _Reply:
    body = json.dumps({"status": "error", "error": f"authentication error: {reason}"}, separators=(",", ":"))
    # RFC 9110, section 15.5.2: a 401 names a challenge.
    return _Reply(401, "application/json", body.encode(), (("WWW-Authenticate", 'Basic realm="otlp"'),))


def _refusal(protocol: Protocol, status: int, text: str) -> _Reply:
    return _Reply(status, otlp.content_type(protocol), otlp.encode_status(protocol, _INVALID_ARGUMENT, text))


class _Handler(BaseHTTPRequestHandler):
    """One connection. The order of judgement is the gateway's: path, credential, method, scope, type, then the body."""

    server: _Server
    protocol_version = "HTTP/1.1"
    server_version = "otelctl-gateway"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1

    def setup(self) -> None:
        super().setup()
        self.rfile.close()
        self._source = _Source(self.connection)
        self.rfile = io.BufferedReader(self._source)
        self._unread: Iterator[bytes] = iter(())

    def version_string(self) -> str:
        return self.server_version

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing: an access log would hold what a client sent."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what is not HTTP, in plain text and without an echo of it."""
        del message, explain
        self.close_connection = True
        self._source.head_left = None
        self._send(_text(code, f"{code} {HTTPStatus(code).phrase}"))
        self._linger()

    def handle_one_request(self) -> None:
        """Read one request and answer it."""
        self._source.deadline = time.monotonic() + self.server.gateway.timeout
        self._source.head_left = _HEAD_LIMIT
        self.command, self.path, self.request_version = "", "", ""
        try:
            self.raw_requestline = self.rfile.readline(_HEAD_LIMIT + 1)
            if not self.raw_requestline:
                self.close_connection = True
                return
            if not self.parse_request():
                return
            self._source.head_left = None
            self._serve()
        except _RequestTooLargeError:
            self.send_error(431)
        except OSError:  # the client went away, stalled, or speaks something else than TLS
            self.close_connection = True
        except Exception as error:  # noqa: BLE001 - the fence of a server thread; kept for whoever asks
            self.server.journal.crashed(error)
            self.close_connection = True
            with contextlib.suppress(OSError):
                self._send(_text(500, "500 internal error"))

    def handle_expect_100(self) -> bool:
        """Ask for the body, past the buffer: the client waits for it."""
        asked = super().handle_expect_100()
        self.wfile.flush()
        return asked

    def _serve(self) -> None:
        path = self.path.partition("?")[0]
        signal = _SIGNALS.get(path)
        protocol = otlp.protocol_of(self.headers.get("Content-Type", ""))
        self._unread = self._body()
        try:
            reply = self._judge(path, signal, protocol)
        except _RequestTooLargeError:
            self.close_connection = True
            limit = self.server.gateway.max_body
            reply = _refusal(protocol or Protocol.HTTP_JSON, 413, f"request body too large: the limit is {limit} bytes")
        except _BadFramingError as error:
            self.close_connection = True
            reply = _text(400, f"400 Bad Request: {error}")
        self._discard()
        headers = tuple(
            (name, Secret(value) if name.lower() in _CREDENTIAL_HEADERS else value)
            for name, value in self.headers.items()
        )
        size = reply.message.ByteSize() if reply.message is not None else 0
        self.server.journal.keep(
            Received(
                datetime.now(UTC), self.command, path, headers, reply.status, signal, protocol, reply.message, size
            )
        )
        self._send(reply)
        if self.close_connection:
            self._linger()

    def _judge(self, path: str, signal: Signal | None, protocol: Protocol | None) -> _Reply:
        """Judge the head, then the body. Credentials come before what the request asks for, as at Grafana Cloud."""
        if path.startswith(f"{query.PREFIX}/"):
            return self._query(path.removeprefix(query.PREFIX))
        not_found = _text(404, "404 page not found\n")  # what Go's server says
        if path != PREFIX and not path.startswith(f"{PREFIX}/"):
            return not_found
        tenant = judge(self.headers.get("Authorization"), self.server.gateway.tenants)
        if isinstance(tenant, str):
            return _unauthorized(tenant)
        if signal is None:
            return not_found
        if self.command != "POST":
            return _text(405, "405 method not allowed, supported: [POST]")
        if signal not in tenant.scopes:
            return _unauthorized(INVALID_SCOPE)
        if protocol is None:
            return _text(415, "415 unsupported media type, supported: [application/json, application/x-protobuf]")
        return self._take(signal, protocol, b"".join(self._unread))

    def _query(self, path: str) -> _Reply:
        """Answer what Tempo is asked, from what has been accepted."""
        tenant = judge(self.headers.get("Authorization"), self.server.gateway.tenants)
        if isinstance(tenant, str):
            return _unauthorized(tenant)
        if Signal.TRACES not in tenant.reads:
            return _unauthorized(INVALID_SCOPE)
        if self.command not in ("GET", "HEAD"):
            return _text(405, "405 method not allowed")

        def own(item: Received) -> bool:
            sender = item.header("Authorization")
            return isinstance(sender, Secret) and judge(sender.reveal(), self.server.gateway.tenants) == tenant

        kept = [item for item in self.server.journal.items() if item.accepted and item.signal is Signal.TRACES]
        return _Reply(*query.answer(path, [item.message for item in kept if item.message is not None and own(item)]))

    def _take(self, signal: Signal, protocol: Protocol, body: bytes) -> _Reply:
        """Decode a body and answer it; the texts of refusals are the recorded ones where a record exists."""
        gateway = self.server.gateway
        encoding = self.headers.get("Content-Encoding", "").strip().lower()
        if encoding not in ("", "identity", "gzip"):
            return _refusal(protocol, 400, f"unsupported Content-Encoding: {encoding}")
        try:
            plain = otlp.gunzip(body, gateway.max_body) if encoding == "gzip" else body
            message = otlp.decode_request(signal, otlp.content_type(protocol), plain)
        except otlp.TooLargeError as error:
            raise _RequestTooLargeError from error
        except otlp.DecodeError as error:
            return _refusal(protocol, 400, str(error))
        bad_id = _bad_id(message, protocol)
        if bad_id:
            return _refusal(protocol, 400, bad_id)
        partial = gateway.partial if message.ByteSize() else None
        answer = (
            otlp.encode_response(signal, protocol, rejected=partial.rejected, message=partial.message)
            if partial
            else otlp.encode_response(signal, protocol)
        )
        return _Reply(200, otlp.content_type(protocol), answer, message=message)

    def _body(self) -> Iterator[bytes]:
        """Yield the body in pieces, up to the limit. Nothing is judged or read before the first piece is asked for."""
        lengths = set(self.headers.get_all("Content-Length", []))
        coding = self.headers.get("Transfer-Encoding")
        if coding is not None:
            # Both at once is how requests are smuggled (RFC 9112, section 6.1).
            if lengths or coding.strip().lower() != "chunked":
                raise _BadFramingError("unsupported transfer encoding")
            yield from self._chunks()
            return
        if not lengths:
            return
        length = lengths.pop()
        if lengths or not (length.isascii() and length.isdigit() and len(length) < 19):
            raise _BadFramingError("invalid Content-Length")
        if int(length) > self.server.gateway.max_body:
            raise _RequestTooLargeError
        yield from self._exactly(int(length))

    def _exactly(self, length: int) -> Iterator[bytes]:
        while length:
            piece = self.rfile.read1(min(length, _PIECE))
            if not piece:
                raise ConnectionError("the body ends early")
            length -= len(piece)
            yield piece

    def _chunks(self) -> Iterator[bytes]:
        """Yield a chunked body (RFC 9112, section 7.1)."""
        total = 0
        while True:
            size = self._line().partition(b";")[0].strip()
            if not size or len(size) > 16 or size.strip(b"0123456789abcdefABCDEF"):
                raise _BadFramingError("invalid chunk")
            length = int(size, 16)
            total += length
            if total > self.server.gateway.max_body:
                raise _RequestTooLargeError
            if not length:
                break
            yield from self._exactly(length)
            if self._line():
                raise _BadFramingError("invalid chunk")
        for _ in range(100):  # trailers
            if not self._line():
                return
        raise _BadFramingError("too many trailers")

    def _line(self) -> bytes:
        line = self.rfile.readline(1024)
        if not line.endswith(b"\n"):
            raise _BadFramingError("invalid chunk")
        return line.rstrip(b"\r\n")

    def _discard(self) -> None:
        """Read what is left of a refused body: a client may look for the answer only once all is sent."""
        try:
            for _ in self._unread:
                pass
        except (_RequestTooLargeError, _BadFramingError):
            self.close_connection = True

    def _linger(self) -> None:
        """Let the client finish sending before the connection closes: a reset would take the answer with it."""
        self._source.deadline = min(self._source.deadline, time.monotonic() + _LINGER_SECONDS)
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            while self.rfile.read1(_PIECE):
                pass

    def _send(self, reply: _Reply) -> None:
        if self.request_version in ("", self.default_request_version):
            # What is no HTTP/1 (TLS, HTTP/2's preface) the library takes for HTTP/0.9, and leaves the status line out.
            self.request_version = self.protocol_version
            self.close_connection = True
        self.connection.settimeout(self.server.gateway.timeout)
        self.send_response(reply.status)
        for name, value in (("Content-Type", reply.media_type), *reply.headers):
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)
        self.wfile.flush()


def _bad_id(request: Message, protocol: Protocol) -> str:
    """Return why an id of a trace request is refused, or an empty string.

    A wrong length stops the Collector's decoder; all zeros count as no id at all, and Tempo says so in bits.
    """
    for _, span in otlp.iter_spans(request):
        for value, size, name in ((span.trace_id, 16, "TraceID"), (span.span_id, 8, "SpanID")):
            if any(value) and len(value) != size:
                if protocol is Protocol.HTTP_JSON:
                    return "ID.UnmarshalJSONIter: length mismatch"
                return f"proto: invalid length for {name}"
        if not any(span.trace_id):
            return "trace ids must be 128 bit, received 0 bits"
        if not any(span.span_id):
            return "span ids must be 64 bit and not all zero, received 0 bits"
    return ""
