"""The ordered table of checks: the product on one screen.

`table` reads from top to bottom as the way of a request. A row's title is the good state, its needs are the rows
that must hold before it is worth asking. The bodies fetch facts through ports and have judges judge them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from otelctl.checks import way
from otelctl.checks.answers import Probe, Send
from otelctl.checks.offline import OFFLINE
from otelctl.checks.run import Run
from otelctl.engine import Check
from otelctl.settings import Signal

SENDS = {Signal.TRACES: "send", Signal.METRICS: "send-metrics", Signal.LOGS: "send-logs"}
"""The check that sends each signal in earnest."""

_SENT = {Signal.TRACES: "a test span", Signal.METRICS: "test metrics", Signal.LOGS: "a test log record"}


def table(
    signals: Collection[Signal],
    *,
    send: Iterable[Signal] = (),
    probe: bool = True,
    grpc: bool = False,
    detect: bool = False,
) -> tuple[Check[Run], ...]:
    """Return the checks of an endpoint: whether each signal is taken and, at the end, whether each of `send` is.

    `grpc` and `detect` say that gRPC is asked for, or that it is to be found out.
    """
    path: tuple[str, ...] = ("settings", "endpoint", "credential", "dns", "tcp", "tls")
    rows = [
        *OFFLINE,
        Check("dns", "the host name resolves", ("endpoint",), way.dns),
        Check("tcp", "the port takes connections", ("dns",), way.tcp),
        Check("tls", "TLS is sound", ("tcp",), way.tls),
    ]
    if detect:
        rows[-1:] = [
            Check("spoken", "the port speaks HTTP or gRPC", ("tcp",), way.spoken),
            Check("agreement", "the settings ask for what the port speaks", ("spoken",), way.agreement),
            Check("tls", "TLS is sound", ("spoken",), way.tls),
        ]
    elif grpc:
        rows.append(Check("http2", "the port speaks HTTP/2, as gRPC does", ("tls",), way.http2))
        path = (*path, "http2")
    if probe:
        rows += [Check(signal.value, f"the endpoint accepts {signal.value}", path, Probe(signal)) for signal in signals]
    for signal in send:
        needs = (*path, signal.value) if probe and signal in signals else path
        rows.append(Check(SENDS[signal], f"the endpoint accepts {_SENT[signal]}", needs, Send(signal)))
    rows.append(Check("clock", "this clock agrees with the server's", ("tls",), way.clock))
    return tuple(rows)
