"""Unary calls over gRPC, by grpcio: bytes in, a status and bytes out.

grpcio makes its connection out of sight and reports every failure of it as a status, in words of its own. So the
statuses that it makes up are told by those words (of grpc core 1.75 to 1.85), and by whether the connection stands when
the call has failed. The way to the port is better seen by `network`, which names each stage.

A server can send what grpcio keeps and never looks at (frames of a kind that it does not know). So grpcio is given a
port of this process in place of the server's, behind which a relay passes on so many bytes and no more. TLS is between
grpcio and the server; the relay sees what anybody on the way sees.

Limits: connection and call together end after the route's `timeout`; a message is read up to 4 MiB, as the
OTLP specification says, and kept up to 64 KiB; headers and trailers are read up to 64 KiB.
"""

from __future__ import annotations

import os
import re
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from otelctl.adapters import network
from otelctl.facts.wire import Fault, FaultKind, Route, RpcAnswer, RpcRequest, Stage
from otelctl.secret import Redactor
from otelctl.settings import TlsOptions

_KEPT = 64 * 1024
_MESSAGE = 4 * 1024 * 1024
_READ_AT_MOST = 6 * 1024 * 1024  # a message of the largest size, in its frames, by TLS
_CHUNK = 64 * 1024
_LONGEST_TEXT = 4096
_LONGEST_FAULT = 300
_MOST_FIELDS = 64
_DETAILS = "grpc-status-details-bin"


class GrpcRpc:
    """Answers ports.Rpc with grpcio, which is loaded by the first call."""

    def __init__(self, user_agent: str) -> None:
        self._user_agent = user_agent

    def call(self, route: Route, request: RpcRequest) -> RpcAnswer | Fault:
        """Make one unary call on a connection of its own."""
        started = time.monotonic()
        wrong = _wrong_with(request)
        if wrong:
            return Fault(Stage.SEND, FaultKind.BAD_REQUEST, wrong, 0.0)
        try:
            grpc = _library()
        except ImportError as error:
            return Fault(Stage.SEND, FaultKind.NO_LIBRARY, _plain(str(error)), 0.0)
        try:
            credentials = _credentials(grpc, route, request)
        except OSError as error:
            why = error.strerror or str(error)
            return Fault(Stage.TLS, FaultKind.LOCAL_FILE, why, 0.0, file=str(error.filename or ""))
        wire = network.dial(route)
        if isinstance(wire, Fault):
            return wire
        # The call ends first, by its own deadline, so that what it reports is that.
        relay = _Relay(wire, started + min(route.timeout, route.deadline) + 1.0)
        channel = _channel(grpc, credentials, relay.port, _options(route, request, self._user_agent))
        try:
            outcome = _Call(grpc, channel, route, request, started).made()
        finally:
            channel.close()
            relay.close()
        if relay.flooded and isinstance(outcome, Fault):
            text = f"more than {_READ_AT_MOST} bytes came"
            return Fault(Stage.RECEIVE, FaultKind.TOO_LARGE, text, outcome.seconds, proxy=route.proxy)
        return outcome


def _library() -> Any:
    """Import grpcio, silenced: what it logs and traces holds the headers of every call."""
    os.environ["GRPC_VERBOSITY"] = "NONE"
    os.environ.pop("GRPC_TRACE", None)
    # No handlers for forks that never come.
    os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
    import grpc  # noqa: PLC0415  80 ms, and it need not be installed

    return grpc


def _channel(grpc: Any, credentials: Any, port: int, options: list[tuple[str, Any]]) -> Any:
    """Return a channel through the relay, not connected yet."""
    target = f"ipv4:127.0.0.1:{port}"
    if credentials is None:
        return grpc.insecure_channel(target, options)
    return grpc.secure_channel(target, credentials, options)


def _options(route: Route, request: RpcRequest, user_agent: str) -> list[tuple[str, Any]]:
    host = route.host.rstrip(".")
    names = request.leaf.names if request.leaf is not None else ()
    if route.tls is not None and route.tls.insecure and names and host not in names:
        host = names[0].replace("*", "any")  # grpcio compares the names, and there is no way to tell it not to
    authority = f"[{host}]:{route.port}" if ":" in host else f"{host}:{route.port}"
    return [
        ("grpc.default_authority", authority),
        ("grpc.primary_user_agent", user_agent),
        ("grpc.enable_retries", 0),
        ("grpc.enable_http_proxy", 0),  # the relay has gone through it
        ("grpc.max_receive_message_length", _MESSAGE),
        ("grpc.max_metadata_size", _KEPT),
        ("grpc.absolute_max_metadata_size", _KEPT),
        ("grpc.use_local_subchannel_pool", 1),
        # A message comes as it was packed: older cores unpack all of it before they look at its size.
        ("grpc.per_message_decompression", 0),
        ("grpc.compression_enabled_algorithms_bitset", 0b101),  # none and gzip
    ]


def _credentials(grpc: Any, route: Route, request: RpcRequest) -> Any:
    """Return what TLS needs, None where there is none; raises OSError for a file that cannot be read."""
    if route.tls is None:
        return None
    roots = _roots(route.tls)
    if route.tls.insecure and request.leaf is not None and request.leaf.der:
        # grpcio has no way to verify nothing. It can trust the one certificate that the port has just shown.
        roots = ssl.DER_cert_to_PEM_cert(request.leaf.der).encode()
    chain = key = None
    if route.tls.client_cert is not None:
        chain = Path(route.tls.client_cert).read_bytes()
        key = Path(route.tls.client_key or route.tls.client_cert).read_bytes()
    return grpc.ssl_channel_credentials(roots, key, chain)


def _roots(options: TlsOptions) -> bytes | None:
    """Return the authorities to trust in PEM: the file's, or this system's; None leaves grpcio to its own list."""
    if options.ca_file is not None:
        return Path(options.ca_file).read_bytes()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_default_certs()
    pem = "".join(ssl.DER_cert_to_PEM_cert(der) for der in context.get_ca_certs(binary_form=True))
    return pem.encode() or None


class _Wire(Protocol):
    """A connection as `network` makes it. Each call ends by `limit`, in monotonic seconds, with TimeoutError."""

    def receive(self, limit: float) -> bytes: ...
    def send(self, data: bytes, limit: float) -> None: ...
    def close(self) -> None: ...


class _Relay:
    """Passes bytes between one connection to a port of this process and one to the server, until either ends.

    `flooded` says that the server sent more than an answer can be, and was cut off.
    """

    def __init__(self, wire: _Wire, limit: float) -> None:
        self._wire = wire
        self._limit = limit
        self._near: socket.socket | None = None
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1)
        self.port: int = self._listener.getsockname()[1]
        self.flooded = False
        self._start(self._serve)

    def close(self) -> None:
        """End both connections, and the threads with them."""
        self._listener.close()
        self._hang_up()

    def _start(self, target: Callable[[], None]) -> None:
        threading.Thread(target=target, daemon=True).start()

    def _serve(self) -> None:
        try:
            with self._listener:
                self._listener.settimeout(max(0.01, self._limit - time.monotonic()))
                self._near, _ = self._listener.accept()
        except OSError:
            return
        self._start(self._up)
        self._down(self._near)

    def _up(self) -> None:
        near = self._near
        with suppress(OSError):
            while near is not None and (data := near.recv(_CHUNK)):
                self._wire.send(data, self._limit)
        self._hang_up()

    def _down(self, near: socket.socket) -> None:
        read = 0
        with suppress(OSError):
            while data := self._wire.receive(self._limit):
                read += len(data)
                if read > _READ_AT_MOST:
                    self.flooded = True
                    break
                near.sendall(data)
        self._hang_up()

    def _hang_up(self) -> None:
        near = self._near
        if near is not None:
            # A thread that reads from it wakes up by this, and not by its being closed.
            with suppress(OSError):
                near.shutdown(socket.SHUT_RDWR)
            near.close()
        self._wire.close()


# What gRPC lets through (PROTOCOL-HTTP2.md, "Custom-Metadata"), which is less than HTTP does.
_KEY = re.compile(r"[0-9a-z_.-]+")
_VALUE = re.compile(r"[\x20-\x7e]*")


def _wrong_with(request: RpcRequest) -> str:
    """Say what of the metadata gRPC cannot carry, without quoting it; else nothing."""
    for key, value in request.metadata:
        if not _KEY.fullmatch(key):
            return "a header's name is no name that gRPC metadata may have"
        text = value.reveal()
        if not _VALUE.fullmatch(text) or text != text.strip(" "):
            return f"the value of {key} holds a character that gRPC metadata forbids, or a space at its edge"
    return ""


class _Call:
    """One call over one channel."""

    def __init__(self, grpc: Any, channel: Any, route: Route, request: RpcRequest, started: float) -> None:
        self._grpc = grpc
        self._channel = channel
        self._route = route
        self._request = request
        self._started = started
        self._limit = started + min(route.timeout, route.deadline)
        secrets = [] if route.proxy is None or route.proxy.password is None else [route.proxy.password]
        self._redact = Redactor([*secrets, *(value for _, value in request.metadata)])

    def made(self) -> RpcAnswer | Fault:
        """Make the call, and the connection with it."""
        kind = self._grpc.Compression
        method = self._channel.unary_unary(self._request.method, None, None)
        try:
            message, call = method.with_call(
                self._request.message,
                timeout=max(0.01, self._limit - time.monotonic()),
                metadata=[
                    (key, value.reveal().encode() if key.endswith("-bin") else value.reveal())
                    for key, value in self._request.metadata
                ],
                compression=kind.Gzip if self._request.gzip else kind.NoCompression,
            )
        except self._grpc.RpcError as error:
            return self._failed(error)
        try:
            return self._answer(call, _unpacked(message or b""))
        except zlib.error:
            return self._fault(Stage.RECEIVE, FaultKind.NOT_GRPC, "the message is not packed as its head says")

    def _failed(self, error: Any) -> RpcAnswer | Fault:
        """Tell the server's status from those that grpcio makes of what it met."""
        text = error.details() or ""
        http = re.match(r"Received http2 header with status: (\d{3})", text)
        if http is not None:
            return self._answer(error, b"", int(http[1]))
        if error.code() is self._grpc.StatusCode.DEADLINE_EXCEEDED and time.monotonic() >= self._limit - 0.05:
            return self._fault(Stage.RECEIVE, FaultKind.TIMEOUT, "the call was not answered in time")
        for pattern, stage, kind in _DURING:
            if re.search(pattern, text):
                return self._fault(stage, kind, text)
        found = next(((stage, kind) for pattern, stage, kind in _BEFORE if re.search(pattern, text)), None)
        # A server that is a client of others passes such words on; then the connection to it stands.
        if found is None or error.code() is not self._grpc.StatusCode.UNAVAILABLE or self._stands():
            return self._answer(error, b"")
        return self._fault(*found, text)

    def _stands(self) -> bool:
        """Say whether the connection is there after a call."""
        told = threading.Event()
        seen: list[Any] = []

        def watch(state: Any) -> None:
            seen.append(state)
            told.set()

        self._channel.subscribe(watch)
        told.wait(1.0)
        self._channel.unsubscribe(watch)
        return bool(seen) and seen[0] is self._grpc.ChannelConnectivity.READY

    def _answer(self, call: Any, message: bytes, http_status: int | None = None) -> RpcAnswer:
        fields: list[tuple[str, str]] = []
        details = b""
        for key, value in (*(call.initial_metadata() or ()), *(call.trailing_metadata() or ())):
            if key == _DETAILS and isinstance(value, bytes):
                details = value[:_KEPT]
            elif isinstance(value, str) and len(fields) < _MOST_FIELDS:
                fields.append((key, value[:_LONGEST_TEXT]))
        return RpcAnswer(
            code=call.code().value[0],
            name=call.code().name,
            text=(call.details() or "")[:_LONGEST_TEXT],
            metadata=tuple(fields),
            details=details,
            message=message[:_KEPT],
            seconds=time.monotonic() - self._started,
            http_status=http_status,
            truncated=len(message) > _KEPT,
        )

    def _fault(self, stage: Stage, kind: FaultKind, text: str) -> Fault:
        seconds = time.monotonic() - self._started
        return Fault(stage, kind, _plain(self._redact(text)), seconds, proxy=self._route.proxy)


# What grpcio says of a call that got no status from the server, and of a connection that did not come about.
_DURING = (
    (r"^(?:Stream removed \()?CLIENT: Received message larger than max", Stage.RECEIVE, FaultKind.TOO_LARGE),
    (r"^(?:Stream removed \()?.{0,40}metadata size exceeds", Stage.RECEIVE, FaultKind.TOO_LARGE),
    (r"^Stream removed \(.{0,40}(?:RST_STREAM|GOAWAY|[Ss]ocket closed|recvmsg:|sendmsg:|reset|pipe|[Ss]hutdown|EOF)",
     Stage.RECEIVE, FaultKind.RESET),
    (r"^(?:Received )?RST_STREAM|^GOAWAY received", Stage.RECEIVE, FaultKind.RESET),
    (r"^Stream removed|^Compression bit set|^Failed to decompress|^Failed parsing HTTP/2",
     Stage.RECEIVE, FaultKind.NOT_GRPC),
    (r"^Invalid metadata$", Stage.SEND, FaultKind.BAD_REQUEST),
)  # fmt: skip
_BEFORE = (
    (r"DNS resolution failed|^errors resolving|Domain name not found", Stage.DNS, FaultKind.NAME_NOT_FOUND),
    (r"http1\.x server|Failed parsing HTTP/2|SETTINGS frame", Stage.RECEIVE, FaultKind.NOT_HTTP),
    (r"ALPN", Stage.TLS, FaultKind.ALPN),
    (r"[Hh]ostname [Vv]erification", Stage.TLS, FaultKind.CERT_HOSTNAME),
    (r"certificate has expired", Stage.TLS, FaultKind.CERT_EXPIRED),
    (r"certificate is not yet valid", Stage.TLS, FaultKind.CERT_NOT_YET_VALID),
    (r"CERTIFICATE_VERIFY_FAILED", Stage.TLS, FaultKind.CERT_UNTRUSTED),
    (r"WRONG_VERSION_NUMBER", Stage.TLS, FaultKind.NOT_TLS),
    (r"SSL_ERROR|[Hh]andshake failed", Stage.TLS, FaultKind.TLS_OTHER),
    (r"Connection refused", Stage.TCP, FaultKind.REFUSED),
    (r"unreachable|No route", Stage.TCP, FaultKind.UNREACHABLE),
    (r"HTTP proxy returned", Stage.PROXY, FaultKind.PROXY_DENIED),
    (r"timed out|[Tt]imeout", Stage.TCP, FaultKind.TIMEOUT),
    (r"reset|[Cc]losed|recvmsg|sendmsg|EOF|pipe|GOAWAY", Stage.RECEIVE, FaultKind.RESET),
    (r"^failed to connect to all addresses", Stage.TCP, FaultKind.OTHER),
)


def _unpacked(message: bytes) -> bytes:
    """Take gzip off a message, as far as it is kept; no message in protobuf begins as gzip does (RFC 1952, 2.3.1)."""
    if not message.startswith(b"\x1f\x8b"):
        return message
    return zlib.decompressobj(wbits=31).decompress(message, _KEPT + 1)


def _plain(text: str) -> str:
    """Return one printable line of bounded length."""
    shown = "".join(char if char.isprintable() else " " for char in text[: _LONGEST_FAULT * 2])
    return " ".join(shown.split())[:_LONGEST_FAULT]
