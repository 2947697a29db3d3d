"""Servers that mean harm: each costs at most the time-out and little memory, and gets a fact that can be judged."""

from __future__ import annotations

import gzip
import itertools
import json
import subprocess
import sys
import time
from dataclasses import dataclass

import pytest

from otelctl.adapters.network import SystemNetwork
from otelctl.diagnose.network import judge_answer, judge_fault
from otelctl.facts.wire import Fault, HttpAnswer, HttpRequest, Route
from otelctl.settings import TlsOptions
from tests.support.servers import (
    Script,
    Scripted,
    answering,
    dripping,
    flooding,
    hanging_up,
    http,
    resetting,
    silent,
    speaking,
)

TIMEOUT = 1.0
SLACK = 0.7
URL = "http://127.0.0.1:4318"
MEGABYTE = bytes(1024 * 1024)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\n"
ENDLESS = HEAD + b"\r\n"
LONG = HEAD + b"Content-Length: 104857600\r\n\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
GZIPPED = HEAD + b"Content-Encoding: gzip\r\n\r\n"
BOMB = (gzip.compress(bytes(64 * 1024 * 1024), 1),)
# A gzip stream that never says anything: its header, then empty stored blocks without end (RFC 1951, 3.2.4).
GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"
EMPTY_BLOCKS = b"\x00\x00\x00\xff\xff" * 13000
RUDE = "\x1b]0;owned\x07\x1b[2J[red]no[/red][/v1/traces] \u202e".encode() + b"\xff\xfe\x00\x9b31m"


@dataclass(frozen=True)
class Hostile:
    """A server, and the codes of which one must be found; none where the answer as such is sound."""

    name: str
    script: Script
    codes: tuple[str, ...]


CASES = [
    Hostile(
        "slow drip of headers", dripping(b"HTTP/1.1 200 OK\r\n", itertools.repeat(b"A"), 0.05), ("NET-TIMEOUT-ANSWER",)
    ),
    Hostile("slow drip of body", dripping(LONG, itertools.repeat(b"A"), 0.05), ("NET-TIMEOUT-BODY",)),
    Hostile("slow drip of chunks", dripping(CHUNKED, itertools.repeat(b"1\r\nA\r\n"), 0.05), ("NET-TIMEOUT-BODY",)),
    Hostile(
        "interim answers without end",
        flooding(b"", itertools.repeat(b"HTTP/1.1 100 Go\r\n\r\n" * 99)),
        ("NET-TIMEOUT-ANSWER",),
    ),
    Hostile("endless body", flooding(ENDLESS, itertools.repeat(MEGABYTE)), ()),
    Hostile("body of 100 MB", flooding(LONG, itertools.repeat(MEGABYTE, 100)), ()),
    Hostile("one chunk of 4 GB", flooding(CHUNKED + b"FFFFFFFF\r\n", itertools.repeat(MEGABYTE)), ()),
    Hostile("gzip bomb", flooding(GZIPPED, BOMB), ()),
    Hostile("gzip of nothing without end", flooding(GZIPPED + GZIP_HEADER, itertools.repeat(EMPTY_BLOCKS)), ()),
    Hostile("broken chunking", answering(CHUNKED + b"zz\r\nhello\r\n"), ("NET-BAD-ANSWER",)),
    Hostile(
        "chunk extension without end", flooding(CHUNKED + b"5;", itertools.repeat(b"x" * 65536)), ("NET-BAD-ANSWER",)
    ),
    Hostile("two lengths", answering(HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nabc"), ("NET-BAD-ANSWER",)),
    Hostile("negative length", answering(HEAD + b"Content-Length: -1\r\n\r\n"), ("NET-BAD-ANSWER",)),
    Hostile(
        "length of a thousand digits",
        answering(HEAD + b"Content-Length: " + b"9" * 1000 + b"\r\n\r\n"),
        ("NET-BAD-ANSWER",),
    ),
    Hostile("flood of headers", flooding(HEAD, itertools.repeat(b"X-Flood: yes\r\n" * 1000)), ("NET-BAD-ANSWER",)),
    Hostile("one header without end", flooding(HEAD + b"X: ", itertools.repeat(b"x" * 65536)), ("NET-BAD-ANSWER",)),
    Hostile("status line without end", flooding(b"HTTP/1.1 200 ", itertools.repeat(b"x" * 65536)), ("NET-BAD-ANSWER",)),
    Hostile("control sequences instead of HTTP", speaking(RUDE), ("NET-NOT-HTTP",)),
    Hostile(
        "control sequences in the status line", answering(b"HTTP/1.1 200 " + RUDE + b"\r\n\r\n"), ("NET-BAD-ANSWER",)
    ),
    Hostile("control sequences in the body", answering(http("200 OK", RUDE)), ()),
    Hostile("markup in the reason", answering(http("200 [red]OK[/red] [/v1/traces]")), ()),
    Hostile("body cut short", answering(LONG + b"hello"), ("NET-ANSWER-CUT",)),
    Hostile("hanging up", hanging_up, ("NET-RESET",)),
    Hostile("RST", resetting, ("NET-RESET",)),
    Hostile("silence", silent, ("NET-TIMEOUT-ANSWER",)),
    Hostile("HTTP/2", speaking(b"\x00\x00\x06\x04\x00\x00\x00\x00\x00" + RUDE), ("NET-HTTP-ON-GRPC-PORT",)),
    Hostile("HTTP/9.9", answering(b"HTTP/9.9 200 OK\r\n\r\n"), ("NET-BAD-ANSWER",)),
]


def visit(port: int, tls: TlsOptions | None = None) -> HttpAnswer | Fault:
    """Send one request there, and return what came of it."""
    link = SystemNetwork().open(Route("127.0.0.1", port, tls, None, TIMEOUT, TIMEOUT * 3))
    try:
        return link.exchange(HttpRequest("POST", "/v1/traces", (), b"\x0a\x00"))
    finally:
        link.close()


@pytest.mark.parametrize("hostile", CASES, ids=lambda hostile: hostile.name)
def test_a_hostile_server_costs_the_time_out_at_most_and_gets_a_diagnosis(hostile: Hostile) -> None:
    """The exchange ends in time with a bounded fact, and the right diagnosis is made of it, in printable words."""
    with Scripted(hostile.script) as server:
        started = time.monotonic()
        fact = visit(server.port)
        took = time.monotonic() - started
    assert took < TIMEOUT + SLACK
    if isinstance(fact, Fault):
        assert fact.text.isprintable()
        assert len(fact.text) <= 300
        assert len(fact.first_bytes) <= 256
        findings = judge_fault(fact, url=URL, subject="here")
    else:
        assert len(fact.body) <= 64 * 1024
        assert fact.reason.isprintable()
        findings = judge_answer(fact, url=URL, subject="here")
    assert tuple(finding.code for finding in findings) == hostile.codes, fact
    for finding in findings:
        assert finding.summary.isprintable()
        assert len(finding.summary) < 600


@pytest.mark.parametrize("script", [silent, dripping(b"", itertools.repeat(b"\x16"), 0.05)], ids=["silence", "drip"])
def test_a_handshake_that_never_ends(script: Script) -> None:
    """A TLS port that says nothing, or a byte now and then, costs the time-out."""
    with Scripted(script) as server:
        started = time.monotonic()
        fact = visit(server.port, TlsOptions())
        took = time.monotonic() - started
    assert isinstance(fact, Fault)
    assert took < TIMEOUT + SLACK


_CLIENT = """
import json, sys
from otelctl.adapters.network import SystemNetwork
from otelctl.facts.wire import HttpRequest, Route
def visit(port):
    link = SystemNetwork().open(Route("127.0.0.1", port, None, None, 1.0, 3.0))
    link.exchange(HttpRequest("POST", "/v1/traces", (), b"\\x0a\\x00"))
    link.close()
def peak():  # not ru_maxrss: exec leaves the parent's peak in it
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
sound, *hostile = map(int, sys.argv[1:])
visit(sound)
idle = peak()
grown = []
for port in hostile:
    visit(port)
    grown.append(peak() - idle)
print(json.dumps(grown))
"""

GREEDY = (
    "endless body",
    "body of 100 MB",
    "one chunk of 4 GB",
    "gzip bomb",
    "gzip of nothing without end",
    "flood of headers",
    "one header without end",
    "chunk extension without end",
    "interim answers without end",
)


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
def test_hostile_servers_cost_little_memory() -> None:
    """After each of the greedy servers the peak of a client's memory is within 8 MiB of what it was when idle."""
    greedy = [hostile for hostile in CASES if hostile.name in GREEDY]
    assert len(greedy) == len(GREEDY)
    servers = [Scripted(answering(http("200 OK"))), *(Scripted(hostile.script) for hostile in greedy)]
    for server in servers:
        server.__enter__()
    try:
        ports = [str(server.port) for server in servers]
        done = subprocess.run(
            [sys.executable, "-c", _CLIENT, *ports], capture_output=True, text=True, timeout=50, check=True
        )
    finally:
        for server in servers:
            server.__exit__(None, None, None)
    grown = dict(zip((hostile.name for hostile in greedy), json.loads(done.stdout), strict=True))
    assert max(grown.values()) < 8 * 1024 * 1024, grown
