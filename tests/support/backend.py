"""Backends for tests: what Tempo and Jaeger were recorded to answer, over sockets or without any."""

from __future__ import annotations

import base64
import re
import socket
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from otelctl.backend import Backend
from otelctl.checks_backend import Quest, Search, begin, table
from otelctl.engine import run
from otelctl.facts.wire import (
    Connected,
    Fault,
    Greeted,
    HttpAnswer,
    HttpRequest,
    Proxy,
    Resolved,
    Route,
    RpcAnswer,
    RpcRequest,
    Secured,
)
from otelctl.model import CheckResult, Finding
from otelctl.ports import Link, World
from otelctl.secret import Redactor, Secret
from otelctl.settings import Setting, Source, SourceKind
from tests.support.gateway import transcripts
from tests.support.servers import Script, read_request

TRACE = "87b88b25bc81d995efcdd38356cb880c"
"""The trace that was recorded, and the ids of its two spans."""
ROOT, CHILD = "49b4b375cde2cb79", "2a1b07d77d8e62c3"
MISSING = "00000000000000000000000000000001"

JAEGER_ABSENT = b'{"error":{"httpCode":404,"message":"No traces found"}}\n'
"""What Jaeger 2.13 answers with 404 for a trace that it does not have."""
JAEGER_PAGE = b'<!DOCTYPE html>\n<html lang="en"><title>Jaeger UI</title></html>'
"""How Jaeger answers to every path that it does not know: its page, with 200."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One answer as it came over the wire."""

    head: str
    body: bytes

    @property
    def wire(self) -> bytes:
        """The answer's bytes but for its date, which is long past and would be told as a wrong clock."""
        return re.sub(r"\r\nDate: [^\r]*", "", f"{self.head}\r\n\r\n").encode() + self.body

    @property
    def answer(self) -> HttpAnswer:
        """The answer as the network adapter reports it."""
        status, *lines = self.head.split("\r\n")
        pairs = tuple((name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines))
        _, number, reason = status.split(" ", 2)
        return HttpAnswer(int(number), reason, "HTTP/1.1", pairs, self.body, 0.001)


def tempo() -> dict[str, Recorded]:
    """Return what Tempo was recorded to answer, by path."""
    return {
        row["request"]["path"]: Recorded(row["answer"]["head"], base64.b64decode(row["answer"]["body_base64"]))
        for row in transcripts()
        if row["server"].endswith("query API")
    }


def answer(status: int, body: bytes = b"", media: str = "application/json", **headers: str) -> Recorded:
    """Return an invented answer; underscores in header names stand for hyphens."""
    lines = [f"HTTP/1.1 {status} Some Reason", f"Content-Type: {media}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return Recorded("\r\n".join([*lines, "Connection: close"]), body)


NOT_FOUND = answer(404, b"404 page not found\n", "text/plain; charset=utf-8")


def serving(answers: Mapping[str, Recorded], seen: list[bytes] | None = None) -> Script:
    """Answer each path with its bytes, one request a connection, as the recorded heads say; anything else with 404."""

    def script(conn: socket.socket, over: threading.Event) -> None:  # noqa: ARG001 - the form of a script
        request = read_request(conn)
        if not request:
            return
        if seen is not None:
            seen.append(request)
        path = request.split(b" ", 2)[1].decode()
        conn.sendall(answers.get(path, NOT_FOUND).wire)

    return script


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def now(self) -> datetime:
        """Return the time of day."""
        return datetime(2026, 11, 20, 20, 47, 11, tzinfo=UTC) + timedelta(seconds=self.seconds - 1000.0)

    def monotonic(self) -> float:
        """Return the seconds slept, and a thousand."""
        return self.seconds

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.seconds += seconds


Said = Recorded | Fault


@dataclass
class Wire:
    """A network without sockets: each path gives its answers in turn, the last one again and again."""

    answers: Mapping[str, Said | Sequence[Said]]
    requests: list[HttpRequest] = field(default_factory=list)

    def open(self, route: Route) -> Link:
        """Return a connection along any route."""
        del route
        return _Line(self)

    def asked(self) -> list[str]:
        """Return the paths that were asked for, in order."""
        return [request.path for request in self.requests]


@dataclass
class _Line:
    wire: Wire

    def resolve(self) -> Resolved | Fault:
        return Resolved("tempo.example.com", ("192.0.2.1",), 0.0)

    def connect(self) -> Connected | Fault:
        return Connected("192.0.2.1", 443, 0.0)

    def secure(self) -> Secured | Fault:
        raise AssertionError("these backends speak plain HTTP")

    def greet(self) -> Greeted | Fault:
        raise AssertionError("nobody asks a query API what it speaks")

    def exchange(self, request: HttpRequest) -> HttpAnswer | Fault:
        said = self.wire.answers.get(request.path, NOT_FOUND)
        turn = sum(path == request.path for path in self.wire.asked())
        self.wire.requests.append(request)
        if not isinstance(said, Recorded | Fault):
            said = said[min(turn, len(said) - 1)]
        return said.answer if isinstance(said, Recorded) else said

    def close(self) -> None:
        """Hang up."""


class _NoProxies:
    def proxy_for(self, scheme: str, host: str, port: int) -> Proxy | None:
        del scheme, host, port
        return None


class _NoRpc:
    def call(self, route: Route, request: RpcRequest) -> RpcAnswer | Fault:
        raise AssertionError("queries go over HTTP", route, request)


class _NoEntropy:
    def bytes(self, count: int) -> bytes:
        return b"\x01" * count


@dataclass(frozen=True, slots=True)
class Ended:
    """A search that has ended."""

    results: tuple[CheckResult, ...]
    search: Search
    wire: Wire

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings."""
        return tuple(one for result in self.results for one in result.findings)

    @property
    def codes(self) -> list[str]:
        """The codes of all findings."""
        return [one.code for one in self.findings]

    @property
    def statuses(self) -> dict[str, str]:
        """The status of each check by its id."""
        return {result.check: result.status.value for result in self.results}


def look(
    answers: Mapping[str, Said | Sequence[Said]],
    url: str = "http://tempo.internal:3200",
    *,
    trace_id: str = TRACE,
    kind: Backend = Backend.TEMPO,
    header: str | None = None,
    tenant: str | None = None,
    within: float = 0,
    sent: frozenset[str] = frozenset(),
) -> Ended:
    """Look for a trace in a backend that answers so; with `sent`, right after those spans were accepted."""
    clock, wire = Clock(), Wire(answers)
    option = Source(SourceKind.OPTION, {Backend.TEMPO: "--tempo-url", Backend.JAEGER: "--jaeger-url"}[kind])
    headers = None if header is None else Setting(Secret(header), Source(SourceKind.FILE, "header.txt"))
    since = clock.monotonic() if sent else None
    quest = Quest(kind, Setting(url, option), headers, tenant, trace_id, within, sent=sent, since=since)
    redact = Redactor()
    search = begin(World(wire, _NoProxies(), clock, _NoEntropy(), {}, _NoRpc()), quest, redact)
    return Ended(tuple(run(table(), search, clock, redact)), search, wire)
