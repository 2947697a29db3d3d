"""Frames of HTTP/2, written by hand, for gRPC servers that behave as no library lets them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable

from tests.support.servers import Script


def frame(kind: int, flags: int = 0, stream: int = 0, payload: bytes = b"") -> bytes:
    """Write one frame (RFC 9113, section 4.1)."""
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


SETTINGS = frame(4) + frame(4, 1)
"""A server's settings, and its word that it has read the client's."""
GOAWAY = frame(7, 0, 0, bytes(4) + (11).to_bytes(4, "big") + b"go away")
RESET = frame(3, 0, 1, (2).to_bytes(4, "big"))
PING = frame(6, 0, 0, b"12345678")


def field(name: str, value: str) -> bytes:
    """Write one header field without compression (RFC 7541, section 6.2.2)."""

    def text(data: bytes) -> bytes:
        if len(data) < 127:
            return bytes([len(data)]) + data
        rest, out = len(data) - 127, b"\x7f"
        while rest >= 128:
            out += bytes([rest % 128 + 128])
            rest //= 128
        return out + bytes([rest]) + data

    return b"\x00" + text(name.encode()) + text(value.encode())


def headers(*fields: tuple[str, str], end: bool = False, whole: bool = True) -> bytes:
    """Write a HEADERS frame on the first stream; `end` ends the stream, without `whole` more fields are to come."""
    block = b"".join(field(name, value) for name, value in fields)
    return frame(1, (4 if whole else 0) | (1 if end else 0), 1, block)


def more(*fields: tuple[str, str]) -> bytes:
    """Write a CONTINUATION frame that is not the last."""
    return frame(9, 0, 1, b"".join(field(name, value) for name, value in fields))


def message(data: bytes, *, size: int | None = None, packed: bool = False) -> bytes:
    """Write DATA frames with one gRPC message; `size` is what its head claims, where that is not its size."""
    body = bytes([packed]) + (len(data) if size is None else size).to_bytes(4, "big") + data
    pieces = [body[at : at + 16384] for at in range(0, len(body), 16384)]
    return b"".join(frame(0, 0, 1, piece) for piece in pieces)


GRPC = ((":status", "200"), ("content-type", "application/grpc"))
ANSWER = headers(*GRPC)


def status(code: int, text: str = "", *fields: tuple[str, str]) -> bytes:
    """Write the trailers that end a call."""
    return headers(("grpc-status", str(code)), ("grpc-message", text), *fields, end=True)


def serving(*frames: bytes, then: Iterable[bytes] = (), hold: bool = True) -> Script:
    """Greet, wait for a call, write these frames, then `then` as fast as it goes; `hold` keeps the connection open."""

    def script(conn: socket.socket, over: threading.Event) -> None:
        conn.recv(65536)
        conn.sendall(SETTINGS)
        if frames or then:
            read_call(conn)
        conn.sendall(b"".join(frames))
        for piece in then:
            if over.is_set():
                return
            conn.sendall(piece)
        if hold:
            over.wait(30)

    return script


def read_call(conn: socket.socket) -> bytes:
    """Read until a client has ended its first stream, or hung up; return what it sent."""
    data = b""
    while chunk := conn.recv(65536):
        data += chunk
        at = data.find(b"SM\r\n\r\n")
        at = at + 6 if at >= 0 else 0
        while at + 9 <= len(data):
            size, kind, flags = int.from_bytes(data[at : at + 3], "big"), data[at + 3], data[at + 4]
            if kind in (0, 1) and flags & 1:
                return data
            at += 9 + size
    return data
