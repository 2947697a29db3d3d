"""Servers on loopback that say exactly what a test wants: over TCP or TLS, in a thread, however rude."""

from __future__ import annotations

import base64
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from types import TracebackType
from typing import Self

Script = Callable[[socket.socket, threading.Event], None]
"""What a server does with one connection; the event is set when the test is over."""

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n"


class Scripted:
    """A server that runs a script for each connection; a context manager. `connections` counts them.

    `context` puts TLS before the script; a failed handshake ends the connection and is kept in `tls_errors`.
    """

    def __init__(self, script: Script, context: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.socket(family)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((host, 0))
        self._listener.listen(16)
        self._script = script
        self._context = context
        self._over = threading.Event()
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.host = host
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        self.tls_errors: list[str] = []

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for conn in self._open:
            with suppress(OSError):
                conn.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                conn, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(conn)
            self._start(self._serve, conn)

    def _serve(self, conn: socket.socket) -> None:
        conn.settimeout(30)
        try:
            if self._context is not None:
                raw = conn
                conn = self._context.wrap_socket(conn, server_side=True)
                self._open[self._open.index(raw)] = conn
            self._script(conn, self._over)
        except ssl.SSLError as error:
            self.tls_errors.append(str(error))
        except OSError:
            pass  # the client went away, which most of these scripts drive it to
        finally:
            conn.close()


def read_request(conn: socket.socket) -> bytes:
    """Read one request, head and body by its Content-Length; empty where the client hung up."""
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = conn.recv(65536)
        if not chunk:
            return data
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    while len(body) < length:
        chunk = conn.recv(65536)
        if not chunk:
            break
        body += chunk
    return head + b"\r\n\r\n" + body


def http(status: str, body: bytes = b"", *headers: str) -> bytes:
    """Write an answer of HTTP/1.1 with its Content-Length."""
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def answering(*answers: bytes, seen: list[bytes] | None = None) -> Script:
    """Answer the first request on a connection with the first of these, the next with the next, then hang up."""

    def script(conn: socket.socket, over: threading.Event) -> None:  # noqa: ARG001 - the form of a script
        for answer in answers:
            request = read_request(conn)
            if not request:
                return
            if seen is not None:
                seen.append(request)
            conn.sendall(answer)

    return script


def speaking(greeting: bytes) -> Script:
    """Say something at once, as SSH, SMTP and MySQL do, and then only listen."""

    def script(conn: socket.socket, over: threading.Event) -> None:
        conn.sendall(greeting)
        over.wait(30)

    return script


def silent(conn: socket.socket, over: threading.Event) -> None:  # noqa: ARG001 - the form of a script
    """Say nothing, ever."""
    over.wait(30)


def hanging_up(conn: socket.socket, over: threading.Event) -> None:
    """Close at once."""


def resetting(conn: socket.socket, over: threading.Event) -> None:  # noqa: ARG001 - the form of a script
    """Read a little, then end the connection with RST."""
    conn.recv(16)
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def dripping(head: bytes, pieces: Iterable[bytes], pause: float) -> Script:
    """Answer with `head`, then with a piece each `pause` seconds until the client leaves."""

    def script(conn: socket.socket, over: threading.Event) -> None:
        read_request(conn)
        conn.sendall(head)
        for piece in pieces:
            if over.wait(pause):
                return
            conn.sendall(piece)
        over.wait(30)

    return script


def flooding(head: bytes, pieces: Iterable[bytes]) -> Script:
    """Answer with `head`, then with the pieces as fast as the client takes them."""

    def script(conn: socket.socket, over: threading.Event) -> None:
        read_request(conn)
        conn.sendall(head)
        for piece in pieces:
            if over.is_set():
                return
            conn.sendall(piece)

    return script


def proxying(seen: list[bytes], credential: str | None = None) -> Script:
    """Be an HTTP proxy: dig tunnels for CONNECT, forward the rest. `credential` is the `user:password` it wants."""
    wanted = None if credential is None else b"Basic " + base64.b64encode(credential.encode())

    def script(conn: socket.socket, over: threading.Event) -> None:
        request = read_request(conn)
        seen.append(request)
        if wanted is not None and b"Proxy-Authorization: " + wanted not in request:
            conn.sendall(http("407 Proxy Authentication Required", b"", 'Proxy-Authenticate: Basic realm="x"'))
            return
        method, target, _ = request.split(b" ", 2)
        if method == b"CONNECT":
            host, _, port = target.decode().rpartition(":")
            with socket.create_connection((host, int(port)), 5) as far:
                conn.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                _relay(conn, far, over)
            return
        authority, _, path = target.removeprefix(b"http://").partition(b"/")
        host, _, port = authority.decode().rpartition(":")
        with socket.create_connection((host, int(port)), 5) as far:
            far.sendall(request.replace(target, b"/" + path, 1))
            _relay(conn, far, over)

    return script


def _relay(near: socket.socket, far: socket.socket, over: threading.Event) -> None:
    def pump(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while not over.is_set() and (data := source.recv(65536)):
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    back = threading.Thread(target=pump, args=(far, near), daemon=True)
    back.start()
    pump(near, far)
    back.join(5)
