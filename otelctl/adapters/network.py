"""HTTP/1.1 over a connection that is made a stage at a time, each stage a fact with its own time.

httpx, which speaks HTTP by httpcore, hides the stages: one call resolves, connects, shakes hands and sends, and an
exception is all that is left of the one that failed. httpcore takes a byte stream from us instead. So the socket and
the TLS handshake are made here by the standard library, where certificates, alerts and a peer's first bytes can be
seen, and httpcore's HTTP11Connection speaks over them.

Limits: a stage ends after the route's `timeout`, everything after its `deadline`; of a body as much is kept as the
request says, 64 KiB mostly, whatever is sent and however it is compressed; httpcore bounds a header block at 100 KiB.
"""

from __future__ import annotations

import base64
import errno
import re
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeAlias, TypeVar

import httpcore

from otelctl.adapters import certificate
from otelctl.facts.wire import (
    Certificate,
    Connected,
    Fault,
    FaultKind,
    Greeted,
    HttpAnswer,
    HttpRequest,
    Proxy,
    Resolved,
    Route,
    Secured,
    Stage,
)
from otelctl.ports import Link
from otelctl.secret import Redactor, Secret
from otelctl.settings import TlsOptions

_READ_AT_MOST = 1024 * 1024
_CHUNK = 64 * 1024
_FIRST = 256
_GREETING = 1024
_LONGEST_TEXT = 300
_MOST_ADDRESSES = 16

# RFC 9113, 3.4: the preface, and SETTINGS that change nothing.
_HTTP2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])

Result = TypeVar("Result")
_Address: TypeAlias = tuple[int, int, int, str, Any]


class SystemNetwork:
    """Answers ports.Network with this machine's resolver, sockets and OpenSSL."""

    def open(self, route: Route) -> Link:
        """Return an unopened connection along the route; its deadline runs from now."""
        return _Link(route)


def _left(limit: float) -> float:
    """Return the seconds until `limit`; raises TimeoutError where none are left."""
    left = limit - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    return left


class _Wire(Protocol):
    """A two-way stream of bytes. Each call ends by `limit`, in monotonic seconds, with TimeoutError."""

    def receive(self, limit: float) -> bytes: ...
    def send(self, data: bytes, limit: float) -> None: ...
    def stale(self) -> bool: ...
    def close(self) -> None: ...


class _Socket:
    """Bytes over TCP."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def receive(self, limit: float) -> bytes:
        self._sock.settimeout(_left(limit))
        return self._sock.recv(_CHUNK)

    def send(self, data: bytes, limit: float) -> None:
        view = memoryview(data)
        while view:
            self._sock.settimeout(_left(limit))
            view = view[self._sock.send(view) :]

    def stale(self) -> bool:
        """Say whether something waits to be read: on an idle connection that is its end, or noise."""
        self._sock.setblocking(False)
        try:
            self._sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    def close(self) -> None:
        self._sock.close()


class _Begun:
    """A wire of which some bytes have been read already."""

    def __init__(self, below: _Wire, read: bytes) -> None:
        self._below = below
        self._read = read
        self.send = below.send
        self.close = below.close

    def receive(self, limit: float) -> bytes:
        data, self._read = self._read, b""
        return data or self._below.receive(limit)

    def stale(self) -> bool:
        return bool(self._read) or self._below.stale()


class _Tls:
    """Bytes over TLS over another wire. `first` is what the peer said first, as it came."""

    def __init__(self, below: _Wire, context: ssl.SSLContext, host: str) -> None:
        self._below = below
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self.session = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self.first = b""

    def shake(self, limit: float) -> None:
        """Do the handshake; raises ssl.SSLError and OSError as they come."""
        self._step(self.session.do_handshake, limit)

    def receive(self, limit: float) -> bytes:
        try:
            return self._step(partial(self.session.read, _CHUNK), limit)
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""

    def send(self, data: bytes, limit: float) -> None:
        view = memoryview(data)
        while view:
            chunk = view[:_CHUNK]
            view = view[self._step(partial(self.session.write, chunk), limit) :]

    def _step(self, action: Callable[[], Result], limit: float) -> Result:
        """Run one action of OpenSSL's, moving bytes between it and the wire below until it is done."""
        while True:
            try:
                result = action()
            except ssl.SSLWantReadError:
                self._flush(limit)
                data = self._below.receive(limit)
                if len(self.first) < _FIRST:
                    self.first += data[: _FIRST - len(self.first)]
                if data:
                    self._incoming.write(data)
                else:
                    self._incoming.write_eof()
            except ssl.SSLError:
                with suppress(OSError):  # the alert that tells the peer why
                    self._flush(limit)
                raise
            else:
                self._flush(limit)
                return result

    def _flush(self, limit: float) -> None:
        if self._outgoing.pending:
            self._below.send(self._outgoing.read(), limit)

    def stale(self) -> bool:
        return self._below.stale()

    def close(self) -> None:
        self._below.close()


def dial(route: Route) -> _Wire | Fault:
    """Return a connection to the endpoint for somebody else to speak over: TCP, through a proxy where one is set."""
    link = _Link(route)
    for step in (link.resolve, link.connect):
        fact = step()
        if isinstance(fact, Fault):
            return fact
    return link.taken()


class _NotHttpError(Exception):
    """The peer's first bytes cannot begin an answer of HTTP/1."""


class _Stream(httpcore.NetworkStream):
    """What httpcore reads and writes: a wire, with one limit an exchange and a memory of its first bytes.

    A request goes out in one piece when its answer is wanted, so head and body share a packet.
    """

    def __init__(self, wire: _Wire) -> None:
        self._wire = wire
        self._unsent = b""
        self.begin(0.0)

    def begin(self, limit: float) -> None:
        """Start an exchange that must be over by `limit`."""
        self.limit = limit
        self.stage = Stage.SEND
        self.first = b""
        self.received = 0
        self.ended = False
        self.send_failed = False
        self.drained = False

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - limit and wire decide
        if self.drained:
            return b""
        if self._unsent:
            self._flush()
        self.stage = Stage.SEND if self.send_failed else Stage.RECEIVE
        data = self._wire.receive(self.limit)
        self.ended = not data
        self.received += len(data)
        if len(self.first) < _FIRST:
            self.first += data[: _FIRST - len(self.first)]
            if not b"HTTP/1.".startswith(self.first[:7]):
                raise _NotHttpError
        return data

    def _flush(self) -> None:
        data, self._unsent = self._unsent, b""
        try:
            self._wire.send(data, self.limit)
        except TimeoutError:
            raise
        except OSError:
            # A server may refuse before it has read everything; what it said is worth more than our broken pipe.
            self.send_failed = True

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 - the limit decides
        self._unsent += buffer

    def close(self) -> None:
        self._wire.close()

    def get_extra_info(self, info: str) -> Any:
        return self._wire.stale() if info == "is_readable" else None


@dataclass(frozen=True, slots=True)
class _Opened:
    """A TCP connection and, behind a proxy, its tunnel."""

    wire: _Wire
    address: str


class _FileError(Exception):
    """A local file that TLS needs cannot be used."""

    def __init__(self, file: str, why: str) -> None:
        super().__init__(why)
        self.file = file


class _Link:
    """Answers ports.Link."""

    def __init__(self, route: Route) -> None:
        self._route = route
        self._deadline = time.monotonic() + route.deadline
        self._addresses: tuple[_Address, ...] = ()
        self._wire: _Wire | None = None
        self._stream: _Stream | None = None
        self._http: httpcore.HTTP11Connection | None = None

    # Stages

    def resolve(self) -> Resolved | Fault:
        started = time.monotonic()
        host, port = self._peer()
        proxy = self._route.proxy
        if proxy is not None and (proxy.scheme not in ("http", "https") or not proxy.host):
            return self._fault(Stage.PROXY, FaultKind.PROXY_KIND, proxy.scheme if proxy.host else "no host", started)
        found: list[tuple[_Address, ...] | Exception] = []

        def look_up() -> None:
            try:
                found.append(tuple(dict.fromkeys(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))))
            except (OSError, ValueError, OverflowError) as error:
                found.append(error)

        # The resolver has time-outs of its own and no way to shorten them; a daemon thread lets us leave it behind.
        thread = threading.Thread(target=look_up, daemon=True)
        thread.start()
        thread.join(max(0.0, self._limit() - started))
        if not found:
            return self._fault(Stage.DNS, FaultKind.TIMEOUT, f"no answer for {host}", started)
        if isinstance(found[0], Exception):
            return self._fault(Stage.DNS, _resolver_kind(found[0]), _text(found[0]), started)
        self._addresses = found[0][:_MOST_ADDRESSES]
        addresses = tuple(str(address[4][0]) for address in self._addresses)
        return Resolved(host, addresses, time.monotonic() - started)

    def connect(self) -> Connected | Fault:
        started = time.monotonic()
        opened = self._open(self._limit(), started)
        if isinstance(opened, Fault):
            return opened
        self.close()
        self._wire = opened.wire
        proxy = self._route.proxy
        shown = None if proxy is None else f"{proxy.host}:{proxy.port}"
        return Connected(opened.address, self._peer()[1], time.monotonic() - started, shown)

    def secure(self) -> Secured | Fault:
        if self._wire is None or self._route.tls is None:
            raise RuntimeError("secure() needs a connection, and a route with TLS")
        started = time.monotonic()
        limit = self._limit()
        options = self._route.tls
        wire = self._wire
        try:
            tls = _Tls(wire, _context(options, self._route.alpn), self._route.host.rstrip("."))
        except _FileError as error:
            return self._fault(Stage.TLS, FaultKind.LOCAL_FILE, str(error), started, file=error.file)
        except ValueError as error:
            return self._fault(Stage.TLS, FaultKind.TLS_OTHER, str(error), started)
        try:
            tls.shake(limit)
            leaf = certificate.parse(tls.session.getpeercert(binary_form=True) or b"")
        except certificate.CertificateError as error:
            self.close()
            return self._fault(Stage.TLS, FaultKind.CERT_OTHER, str(error), started)
        except OSError as error:
            self.close()
            return self._tls_fault(error, tls, limit, started)
        self._wire = tls
        cipher = tls.session.cipher()
        return Secured(
            version=tls.session.version() or "",
            cipher=cipher[0] if cipher else "",
            alpn=tls.session.selected_alpn_protocol(),
            certificate=leaf,
            verified=not options.insecure,
            seconds=time.monotonic() - started,
        )

    def greet(self) -> Greeted | Fault:
        wire = self._wire
        if wire is None:
            raise RuntimeError("greet() needs a connection")
        started, limit = time.monotonic(), self._limit()
        stage, kind, text, said = Stage.SEND, FaultKind.CLOSED, "the connection was closed without a word", b""
        try:
            wire.send(_HTTP2_PREFACE, limit)
            stage = Stage.RECEIVE
            # A frame's head is 9 bytes, the first of which is 0 in SETTINGS; another protocol may say less, and wait.
            while (not said or (said[0] == 0 and len(said) < 9)) and (data := wire.receive(limit)):
                said += data
        except OSError as error:
            kind, text = _socket_kind(error), _text(error)
            if isinstance(error, ssl.SSLError):
                client_cert = bool(self._route.tls and self._route.tls.client_cert)
                stage, kind = Stage.TLS, _alert_kind(error, client_cert=client_cert) or FaultKind.TLS_OTHER
        finally:
            self.close()
        if said:
            return Greeted(said[:_GREETING], time.monotonic() - started)
        return self._fault(stage, kind, text, started)

    def exchange(self, request: HttpRequest) -> HttpAnswer | Fault:
        started = time.monotonic()
        wrong = _wrong_with(request)
        if wrong:
            return self._fault(Stage.SEND, FaultKind.BAD_REQUEST, wrong, started)
        reused = self._http is not None and not self._http.has_expired() and self._http.is_idle()
        outcome = self._exchange(request, self._limit(), started)
        if reused and isinstance(outcome, Fault) and outcome.kind in (FaultKind.CLOSED, FaultKind.RESET):
            # It hung up on an idle connection just as we wrote, before it answered a byte: its right, and no news.
            silent = outcome.stage in (Stage.SEND, Stage.RECEIVE) and not outcome.first_bytes
            return self._exchange(request, self._limit(), started) if silent else outcome
        return outcome

    def close(self) -> None:
        if self._wire is not None:
            self._wire.close()
        self._wire = self._stream = self._http = None

    def taken(self) -> _Wire:
        """Hand the connection over; closing it is then the taker's."""
        wire, self._wire = self._wire, None
        if wire is None:
            raise RuntimeError("taken() needs a connection")
        return wire

    # Connections

    def _limit(self) -> float:
        return min(time.monotonic() + self._route.timeout, self._deadline)

    def _peer(self) -> tuple[str, int]:
        """Return whom we connect to: the proxy where one stands between, else the host."""
        proxy = self._route.proxy
        return (self._route.host, self._route.port) if proxy is None else (proxy.host, proxy.port)

    def _open(self, limit: float, started: float) -> _Opened | Fault:
        """Connect, and dig the tunnel where a proxy stands before a TLS endpoint."""
        proxy = self._route.proxy
        opened = self._dial(limit, started)
        if isinstance(opened, Fault) or proxy is None:
            return opened
        wire: _Wire = opened.wire
        if proxy.tls:
            tls = _Tls(wire, _context(TlsOptions()), proxy.host)
            try:
                tls.shake(limit)
            except OSError as error:
                wire.close()
                kind = _tls_kind(error, tls, client_cert=False)
                return self._fault(Stage.PROXY, kind, _text(error), started, first_bytes=tls.first)
            wire = tls
        if self._route.tls is not None or self._route.tunnel:
            tunnel = self._tunnel(wire, proxy, limit, started)
            if isinstance(tunnel, Fault):
                wire.close()
                return tunnel
            wire = tunnel
        return _Opened(wire, opened.address)

    def _dial(self, limit: float, started: float) -> _Opened | Fault:
        """Try the addresses in turn; each may take its share of the time that is left, so that all get a chance."""
        if not self._addresses:
            raise RuntimeError("connect() needs resolve()")
        failed: list[tuple[FaultKind, str]] = []
        for number, (family, transport, protocol, _, address) in enumerate(self._addresses):
            sock = None
            try:
                share = _left(limit) / (len(self._addresses) - number)
                sock = socket.socket(family, transport, protocol)
                sock.settimeout(share)
                sock.connect(address)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except (OSError, OverflowError) as error:
                if sock is not None:
                    sock.close()
                failed.append((_socket_kind(error), f"{address[0]}: {_text(error)}"))
            else:
                return _Opened(_Socket(sock), str(address[0]))
        # A family that this machine has no route for says nothing about the endpoint when another one got further.
        told = [kind for kind, _ in failed if kind is not FaultKind.UNREACHABLE]
        kind = told[-1] if told else FaultKind.UNREACHABLE
        return self._fault(Stage.TCP, kind, "; ".join(text for _, text in failed), started)

    def _tunnel(self, wire: _Wire, proxy: Proxy, limit: float, started: float) -> _Wire | Fault:
        """Ask the proxy for a way to the endpoint (RFC 9110, 9.3.6), and return it."""
        target = _authority(self._route.host, self._route.port)
        headers = [(b"Host", target), *_proxy_authorization(proxy)]
        url = httpcore.URL(scheme=b"http", host=proxy.host.encode(), port=proxy.port, target=target)
        stream = _Stream(wire)
        stream.begin(limit)
        http = httpcore.HTTP11Connection(url.origin, stream)
        try:
            response = http.handle_request(httpcore.Request(b"CONNECT", url, headers=headers))
        except (OSError, httpcore.RemoteProtocolError, httpcore.LocalProtocolError, _NotHttpError) as error:
            fault = self._exchange_fault(error, stream, started)
            return replace(fault, stage=Stage.PROXY)
        if 200 <= response.status < 300:
            # An endpoint that speaks first, as gRPC servers do, may be heard in one packet with the proxy's answer.
            stream.drained = True
            return _Begun(wire, response.extensions["network_stream"].read(_CHUNK))
        kind = FaultKind.PROXY_AUTH if response.status == 407 else FaultKind.PROXY_DENIED
        reason = response.extensions.get("reason_phrase", b"").decode("latin-1")
        wanted = [value.split(b" ")[0] for name, value in response.headers if name.lower() == b"proxy-authenticate"]
        asks = f" (asks for {', '.join(value.decode('latin-1') for value in wanted[:4])})" if wanted else ""
        return self._fault(Stage.PROXY, kind, f"{response.status} {reason}{asks}", started, status=response.status)

    def _reopen(self, limit: float) -> Fault | None:
        """Make a connection with all its stages, within what one stage may take."""
        self.close()
        outer = self._deadline
        self._deadline = limit
        try:
            steps: list[Callable[[], Resolved | Connected | Secured | Fault]]
            steps = [self.connect] if self._addresses else [self.resolve, self.connect]
            if self._route.tls is not None:
                steps.append(self.secure)
            for step in steps:
                fact = step()
                if isinstance(fact, Fault):
                    return fact
        finally:
            self._deadline = outer
        return None

    # Exchanges

    def _exchange(self, request: HttpRequest, limit: float, started: float) -> HttpAnswer | Fault:
        spent = self._http is not None and (self._http.has_expired() or not self._http.is_idle())
        if self._wire is None or spent:
            fault = self._reopen(limit)
            if fault is not None:
                return fault
        if self._wire is None:
            raise RuntimeError("no connection after it was made")
        url, headers = self._address(request)
        if self._http is None or self._stream is None:
            self._stream = _Stream(self._wire)
            self._http = httpcore.HTTP11Connection(url.origin, self._stream)
        self._stream.begin(limit)
        began = time.monotonic()
        try:
            response = self._http.handle_request(
                httpcore.Request(request.method.encode(), url, headers=headers, content=request.body)
            )
        except (OSError, httpcore.RemoteProtocolError, httpcore.LocalProtocolError, _NotHttpError) as error:
            fault = self._exchange_fault(error, self._stream, started)
            self.close()
            return fault
        answer = _read(response, self._stream, began, request.keep)
        if self._http.is_closed():
            self.close()
        return answer

    def _address(self, request: HttpRequest) -> tuple[httpcore.URL, list[tuple[bytes, bytes]]]:
        """Return where the request goes, and its headers with what HTTP itself needs."""
        route = self._route
        host = _authority(route.host, route.port if route.port != (443 if route.tls else 80) else None)
        headers = [(name.encode(), value.reveal().encode()) for name, value in request.headers]
        names = {name.lower() for name, _ in headers}
        if b"host" not in names:
            headers.insert(0, (b"Host", host))
        if request.body and not names & {b"content-length", b"transfer-encoding"}:
            headers.append((b"Content-Length", b"%d" % len(request.body)))
        target = request.path.encode()
        if route.proxy is not None and route.tls is None:
            # Without a tunnel the proxy needs the whole URL (RFC 9112, 3.2.2).
            target = b"http://" + host + target
            headers += _proxy_authorization(route.proxy)
        scheme = b"https" if route.tls else b"http"
        return httpcore.URL(scheme=scheme, host=host, port=route.port, target=target), headers

    # Faults

    def _fault(self, stage: Stage, kind: FaultKind, text: str, started: float, **more: Any) -> Fault:
        proxy = self._route.proxy
        if proxy is not None and proxy.password is not None:
            text = Redactor([proxy.password])(text)
        return Fault(stage, kind, _plain(text), time.monotonic() - started, proxy=proxy, **more)

    def _exchange_fault(self, error: Exception, stream: _Stream, started: float) -> Fault:
        """Say what became of an exchange that ended before its answer's head was complete.

        The HTTP parser's own words quote what the peer sent, which may be our credential: they are not passed on.
        """
        stage, kind, text = stream.stage, FaultKind.OTHER, _text(error)
        if isinstance(error, _NotHttpError):
            kind, text = FaultKind.NOT_HTTP, "the first bytes do not begin an answer of HTTP/1"
        elif isinstance(error, httpcore.LocalProtocolError):
            kind, text = FaultKind.BAD_REQUEST, "the request cannot be written as HTTP"
        elif isinstance(error, httpcore.RemoteProtocolError):
            kind, text = FaultKind.NOT_HTTP, "the head of the answer is not HTTP"
            if stream.ended:
                kind, text = FaultKind.CLOSED, "the connection was closed before the answer was complete"
            elif stream.received > httpcore.HTTP11Connection.MAX_INCOMPLETE_EVENT_SIZE:
                kind, text = FaultKind.TOO_LARGE, "the head of the answer never ends"
        elif isinstance(error, ssl.SSLError):
            options = self._route.tls
            stage = Stage.TLS
            kind = _alert_kind(error, client_cert=bool(options and options.client_cert)) or FaultKind.TLS_OTHER
        elif isinstance(error, OSError):
            kind = _socket_kind(error)
        return self._fault(stage, kind, text, started, first_bytes=stream.first)

    def _tls_fault(self, error: OSError, tls: _Tls, limit: float, started: float) -> Fault:
        """Say why a handshake failed, with the certificate where it is about that."""
        options = self._route.tls or TlsOptions()
        kind = _tls_kind(error, tls, client_cert=bool(options.client_cert))
        leaf = None
        if isinstance(error, ssl.SSLCertVerificationError):
            leaf = self._look_again(limit)
            kind = _leaf_kind(kind, leaf)
        text = error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else _text(error)
        first = tls.first if kind is FaultKind.NOT_TLS else b""
        return self._fault(Stage.TLS, kind, text, started, first_bytes=first, certificate=leaf)

    def _look_again(self, limit: float) -> Certificate | None:
        """Shake hands once more without verifying, only to read the certificate; nothing is sent over it."""
        opened = self._open(limit, time.monotonic())
        if isinstance(opened, Fault):
            return None
        context = _context(TlsOptions(insecure=True), self._route.alpn)
        tls = _Tls(opened.wire, context, self._route.host.rstrip("."))
        try:
            tls.shake(limit)
            return certificate.parse(tls.session.getpeercert(binary_form=True) or b"")
        except (OSError, certificate.CertificateError):
            return None
        finally:
            tls.close()


# Requests and answers


def _authority(host: str, port: int | None) -> bytes:
    name = f"[{host}]".encode() if ":" in host else host.encode()
    return name if port is None else b"%s:%d" % (name, port)


def _proxy_authorization(proxy: Proxy) -> list[tuple[bytes, bytes]]:
    if proxy.username is None:
        return []
    password = "" if proxy.password is None else proxy.password.reveal()
    pair = base64.b64encode(f"{proxy.username}:{password}".encode())
    return [(b"Proxy-Authorization", b"Basic " + pair)]


_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"([^\x00-\x20\x7f]([^\x00-\x08\x0a-\x1f\x7f]*[^\x00-\x20\x7f])?)?")
_TARGET = re.compile(r"/[\x21-\x7e]*")


def _wrong_with(request: HttpRequest) -> str:
    """Say what of a request HTTP cannot carry (RFC 9110, 5.5 and 9112, 3.2), without quoting it; else nothing."""
    if not _TOKEN.fullmatch(request.method):
        return "the method is no HTTP token"
    if not _TARGET.fullmatch(request.path):
        return "the path holds a character that no URL may hold"
    for name, value in request.headers:
        if not _TOKEN.fullmatch(name):
            return "a header's name is no HTTP token"
        if not _encodes(value) or not _VALUE.fullmatch(value.reveal()):
            return f"the value of {name} holds a character that HTTP forbids, or a space at its edge"
    return ""


def _encodes(value: Secret) -> bool:
    try:
        value.reveal().encode()
    except UnicodeEncodeError:
        return False
    return True


class _Inflater:
    """Takes a content coding off, never making more than it is asked for."""

    def __init__(self, coding: str) -> None:
        self._coding = coding
        self._inflate = {
            "gzip": lambda: zlib.decompressobj(16 + zlib.MAX_WBITS),
            "x-gzip": lambda: zlib.decompressobj(16 + zlib.MAX_WBITS),
            "deflate": zlib.decompressobj,
        }.get(coding, lambda: None)()
        self._begun = False

    def feed(self, data: bytes, most: int) -> bytes:
        """Return up to `most` bytes; raises zlib.error where the data is not what its header says."""
        if self._inflate is None:
            return data[:most]
        try:
            return self._inflate.decompress(data, most)
        except zlib.error:
            if self._coding != "deflate" or self._begun:
                raise
            # Some servers send deflate without its zlib wrapper (RFC 9110, 8.4.1.2 notes it).
            self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
            return self._inflate.decompress(data, most)
        finally:
            self._begun = True

    @property
    def complete(self) -> bool:
        """Whether the coded data has come to its end."""
        return self._inflate is None or not self._begun or self._inflate.eof


def _read(response: httpcore.Response, stream: _Stream, began: float, keep: int) -> HttpAnswer:
    """Read an answer's body as far as it is kept; what stops it early is part of the answer."""
    headers = tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in response.headers)
    codings = [value.strip().lower() for name, value in headers if name == "content-encoding"]
    inflater = _Inflater(codings[0] if len(codings) == 1 else "")
    kept = bytearray()
    read = 0
    fault: FaultKind | None = None
    truncated = False
    try:
        for chunk in response.iter_stream():
            read += len(chunk)
            kept += inflater.feed(chunk, keep + 1 - len(kept))
            if len(kept) > keep or read > max(_READ_AT_MOST, keep):
                truncated = True
                break
        else:
            fault = None if inflater.complete else FaultKind.BAD_ENCODING
    except zlib.error:
        fault = FaultKind.BAD_ENCODING
    except httpcore.RemoteProtocolError:
        fault = FaultKind.CLOSED if stream.ended else FaultKind.NOT_HTTP
    except ssl.SSLError:
        fault = FaultKind.TLS_OTHER
    except OSError as error:
        fault = _socket_kind(error)
    response.close()
    return HttpAnswer(
        status=response.status,
        reason=_plain(response.extensions.get("reason_phrase", b"").decode("latin-1")),
        http_version=response.extensions.get("http_version", b"").decode("latin-1"),
        headers=headers,
        body=bytes(kept[:keep]),
        seconds=time.monotonic() - began,
        truncated=truncated,
        body_fault=fault,
    )


# TLS


def _context(options: TlsOptions, alpn: tuple[str, ...] = ("http/1.1",)) -> ssl.SSLContext:
    """Return how to shake hands, offering to speak `alpn`; raises _FileError for a file that cannot be used.

    Not ssl.create_default_context(): since Python 3.13 it also refuses CA certificates that are sloppy by RFC 5280,
    which OpenSSL, curl and Go accept; an endpoint is not broken by that.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_alpn_protocols(list(alpn))
    context.verify_flags |= ssl.VERIFY_X509_TRUSTED_FIRST
    # As curl and Go do: whatever is in the file is trusted, a leaf or an intermediate too.
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    if options.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif options.ca_file is None:
        context.load_default_certs()
    else:
        _readable(options.ca_file)
        try:
            context.load_verify_locations(cafile=options.ca_file)
        except OSError as error:
            raise _FileError(options.ca_file, f"holds no certificate in PEM ({_text(error)})") from error
    if options.client_cert is not None:
        _readable(options.client_cert)
        if options.client_key is not None:
            _readable(options.client_key)
        try:
            # OpenSSL would ask for a passphrase at the terminal.
            context.load_cert_chain(options.client_cert, options.client_key, password=lambda: "")
        except (OSError, ValueError) as error:
            mismatch = "KEY_VALUES_MISMATCH" in str(getattr(error, "reason", ""))
            why = "the key does not belong to the certificate" if mismatch else _pem_trouble(error)
            raise _FileError(options.client_key or options.client_cert, why) from error
    return context


def _pem_trouble(error: Exception) -> str:
    return f"holds no usable certificate and key in PEM without a passphrase ({_text(error)})"


def _readable(file: str) -> None:
    try:
        with Path(file).open("rb") as opened:
            opened.read(1)
    except (OSError, ValueError) as error:
        raise _FileError(file, _text(error)) from error


# OpenSSL's X509_V_ERR_… (x509_vfy.h).
_VERIFY_KINDS = {
    2: FaultKind.CERT_UNTRUSTED,
    9: FaultKind.CERT_NOT_YET_VALID,
    10: FaultKind.CERT_EXPIRED,
    18: FaultKind.CERT_UNTRUSTED,
    19: FaultKind.CERT_UNTRUSTED,
    20: FaultKind.CERT_UNTRUSTED,
    21: FaultKind.CERT_UNTRUSTED,
    27: FaultKind.CERT_UNTRUSTED,
    62: FaultKind.CERT_HOSTNAME,
    64: FaultKind.CERT_HOSTNAME,
}
# Alerts (RFC 8446, 6.2) that are about the client's certificate: where one was shown, and where none was.
_REFUSALS = ("BAD_CERTIFICATE", "UNKNOWN_CA", "CERTIFICATE_UNKNOWN", "CERTIFICATE_EXPIRED", "CERTIFICATE_REVOKED")


def _alert_kind(error: ssl.SSLError, *, client_cert: bool) -> FaultKind | None:
    """Return what a peer's alert says of the client's certificate or of ALPN, if it does."""
    said = f"{error.reason or ''} {error}".upper().replace(" ", "_")
    if "ALERT" not in said:
        return None
    if "NO_APPLICATION_PROTOCOL" in said:
        return FaultKind.ALPN
    if "CERTIFICATE_REQUIRED" in said:
        return FaultKind.CLIENT_CERT_WANTED
    if any(word in said for word in (*_REFUSALS, "UNSUPPORTED_CERTIFICATE", "ACCESS_DENIED")):
        return FaultKind.CLIENT_CERT_REFUSED if client_cert else FaultKind.CLIENT_CERT_WANTED
    return None


def _tls_kind(error: OSError, tls: _Tls, *, client_cert: bool) -> FaultKind:
    """Classify what ended a handshake."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _VERIFY_KINDS.get(error.verify_code, FaultKind.CERT_OTHER)
    if tls.first and not (0x14 <= tls.first[0] <= 0x17 and tls.first[1:2] in (b"", b"\x03")):
        return FaultKind.NOT_TLS  # the peer's first bytes are no TLS record (RFC 8446, 5.1)
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return FaultKind.CLOSED
    if not isinstance(error, ssl.SSLError):
        return _socket_kind(error)
    kind = _alert_kind(error, client_cert=client_cert)
    if kind is not None:
        return kind
    if "ALERT_HANDSHAKE_FAILURE" in (error.reason or "") and tls.session.cipher() is not None:
        # The server had agreed on a cipher, so it is our answer to its hello that it dismissed; all that the answer
        # lacks or holds is a certificate (OpenSSL's servers say so before TLS 1.3).
        return FaultKind.CLIENT_CERT_REFUSED if client_cert else FaultKind.CLIENT_CERT_WANTED
    return FaultKind.TLS_OTHER


def _leaf_kind(kind: FaultKind, leaf: Certificate | None) -> FaultKind:
    """Return `kind` if it is true of the leaf; dates may have failed for a certificate further up the chain."""
    now = time.time()
    if leaf is None:
        return kind
    if kind is FaultKind.CERT_EXPIRED and leaf.not_after.timestamp() > now:
        return FaultKind.CERT_OTHER
    if kind is FaultKind.CERT_NOT_YET_VALID and leaf.not_before.timestamp() <= now:
        return FaultKind.CERT_OTHER
    return kind


# Errors


def _resolver_kind(error: Exception) -> FaultKind:
    if isinstance(error, socket.gaierror):
        absent = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", None)}
        return FaultKind.NAME_NOT_FOUND if error.errno in absent else FaultKind.RESOLVER_FAILED
    # No name that the resolver could be asked for: an empty or overlong label, a forbidden character.
    return FaultKind.NAME_NOT_FOUND if isinstance(error, ValueError) else FaultKind.RESOLVER_FAILED


_UNREACHABLE = {
    errno.ENETUNREACH,
    errno.EHOSTUNREACH,
    errno.ENETDOWN,
    errno.EHOSTDOWN,
    errno.EADDRNOTAVAIL,
    errno.EAFNOSUPPORT,
    errno.EACCES,
    errno.EPERM,
}


def _socket_kind(error: Exception) -> FaultKind:
    if isinstance(error, TimeoutError):
        return FaultKind.TIMEOUT
    if isinstance(error, ConnectionRefusedError):
        return FaultKind.REFUSED
    if isinstance(error, ConnectionResetError | ConnectionAbortedError | BrokenPipeError):
        return FaultKind.RESET
    unreachable = isinstance(error, OSError) and error.errno in _UNREACHABLE
    return FaultKind.UNREACHABLE if unreachable else FaultKind.OTHER


def _text(error: Exception) -> str:
    """Return the library's sentence, without the place in C from which OpenSSL reports."""
    text = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
    return re.sub(r"\s*\(_ssl\.c:\d+\)", "", text)


def _plain(text: str) -> str:
    """Return one printable line of bounded length."""
    shown = "".join(char if char.isprintable() else " " for char in text[: _LONGEST_TEXT * 2])
    return " ".join(shown.split())[:_LONGEST_TEXT]
