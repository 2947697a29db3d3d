"""The table of checks run to its end: against a server that is a function here, or against a real one on loopback."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from otelctl import __version__, otlp
from otelctl.adapters.machine import SystemClock, SystemEntropy
from otelctl.adapters.network import SystemNetwork
from otelctl.checks.run import Run, Target
from otelctl.checks.table import table
from otelctl.engine import run
from otelctl.facts.wire import (
    Certificate,
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
from otelctl.model import Report
from otelctl.ports import Network, World
from otelctl.secret import Redactor, Secret
from otelctl.settings import Protocol, Setting, Signal, Source, SourceKind, is_per_signal

Server = Callable[[HttpRequest], HttpAnswer | Fault]
"""What a server answers to a request."""

GATEWAY = "https://otlp-gateway-prod-eu-west-2.grafana.net/otlp"
_LEAF = Certificate(
    "CN=x", "CN=a CA", ("x",), datetime(2026, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC), self_signed=False
)


@dataclass(slots=True)
class Link:
    """A connection on which all goes well, up to the answers, which are the server's."""

    server: Server
    route: Route
    requests: list[HttpRequest]

    def resolve(self) -> Resolved | Fault:
        """Find one address."""
        return Resolved(self.route.host, ("192.0.2.1",), 0.001)

    def connect(self) -> Connected | Fault:
        """Connect at once."""
        return Connected("192.0.2.1", self.route.port, 0.001)

    def secure(self) -> Secured | Fault:
        """Shake hands on a good certificate."""
        return Secured("TLSv1.3", "a cipher", None, _LEAF, verified=True, seconds=0.001)

    def greet(self) -> Greeted | Fault:
        """Say nothing to HTTP/2's preface."""
        return Greeted(b"", 0.001)

    def exchange(self, request: HttpRequest) -> HttpAnswer | Fault:
        """Keep the request and return the server's answer."""
        self.requests.append(request)
        return self.server(request)

    def close(self) -> None:
        """Nothing is open."""


@dataclass(slots=True)
class AnsweringNetwork:
    """A network behind every address of which this server stands; `requests` are those that it got."""

    server: Server
    requests: list[HttpRequest] = field(default_factory=list)

    def open(self, route: Route) -> Link:
        """Return a connection to the server."""
        return Link(self.server, route, self.requests)


class NoRpc:
    """No gRPC: what is checked here speaks HTTP."""

    def call(self, route: Route, request: RpcRequest) -> RpcAnswer | Fault:
        """Fail: nobody should ask."""
        raise AssertionError(f"a call of {request.method} at {route.host}")


class NoProxies:
    """No proxy anywhere."""

    def proxy_for(self, scheme: str, host: str, port: int) -> Proxy | None:  # noqa: ARG002 - the port's form
        """Return none."""
        return None


def world(server: Server | None = None) -> World:
    """Return the real world without proxies, or one in which `server` answers whatever is asked."""
    network: Network = SystemNetwork()
    if server is not None:
        network = AnsweringNetwork(server)
    return World(network, NoProxies(), SystemClock(), SystemEntropy(), {}, NoRpc())


def target(
    endpoint: str = GATEWAY,
    headers: str | None = None,
    *,
    signals: Iterable[Signal] = (Signal.TRACES,),
    protocol: str = Protocol.HTTP_PROTOBUF,
    variable: str = "OTEL_EXPORTER_OTLP_ENDPOINT",
    kind: SourceKind = SourceKind.VARIABLE,
    headers_kind: SourceKind = SourceKind.VARIABLE,
    trace: otlp.SyntheticTrace | None = None,
    disabled: Setting[str] | None = None,
) -> Target:
    """Return a target as the command line would make it of these variables."""
    source = Source(kind, variable)
    return Target(
        endpoint=Setting(endpoint, source),
        headers=None
        if headers is None
        else Setting(Secret(headers), Source(headers_kind, "OTEL_EXPORTER_OTLP_HEADERS")),
        signals=tuple(signals),
        protocol=Setting(protocol, Source(SourceKind.VARIABLE, "OTEL_EXPORTER_OTLP_PROTOCOL")),
        per_signal=is_per_signal(source),
        timeout=5,
        deadline=15,
        trace=trace,
        disabled=disabled,
    )


def check(aim: Target, server: Server | None = None, *, send: bool = False) -> Report:
    """Run the whole table and return the report."""
    state = Run(world(server), aim, Redactor())
    try:
        results = tuple(
            run(
                table(aim.signals, send=(Signal.TRACES,) if send else (), grpc=aim.protocol.value == Protocol.GRPC),
                state,
                state.world.clock,
                state.redact,
            )
        )
    finally:
        state.close()
    return Report("check-endpoint", __version__, aim.endpoint.value, results)


def span() -> otlp.SyntheticTrace:
    """Return a trace to send."""
    return otlp.synthetic_trace(service="tests", attributes={}, now_ns=time.time_ns(), entropy=os.urandom)


def answer(status: int, body: bytes = b"", media: str = "", **headers: str) -> HttpAnswer:
    """Return an answer; underscores of header names stand for hyphens."""
    pairs = [("content-type", media)] if media else []
    pairs += [(name.replace("_", "-"), value) for name, value in headers.items()]
    return HttpAnswer(status, "", "HTTP/1.1", tuple(pairs), body, 0.001)


def grafana_401(text: str) -> HttpAnswer:
    """Return Grafana Cloud's 401 with one of its texts."""
    body = json.dumps({"status": "error", "error": f"authentication error: {text}"})
    return answer(401, body.encode(), "application/json")


def status(code: int, number: int, message: str) -> HttpAnswer:
    """Return an error as OTLP has it: google.rpc.Status in JSON."""
    return answer(code, json.dumps({"code": number, "message": message}).encode(), "application/json")


SUCCESS = answer(200, b"", "application/x-protobuf")
NOT_FOUND = answer(404, b"404 page not found\n", "text/plain; charset=utf-8")


def always(one: HttpAnswer) -> Server:
    """Return a server that has one answer."""
    return lambda _request: one


def receiver(*paths: str, otherwise: HttpAnswer = NOT_FOUND) -> Server:
    """Return a server that accepts what comes to these paths."""
    return lambda request: SUCCESS if request.path in paths else otherwise


def authorization(request: HttpRequest) -> str | None:
    """Return what a request carries as Authorization."""
    return next((value.reveal() for name, value in request.headers if name == "authorization"), None)
