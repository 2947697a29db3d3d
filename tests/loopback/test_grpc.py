"""gRPC on real sockets: what the adapter reports, what hostile servers cost, and what the commands make of it."""

from __future__ import annotations

import gzip
import itertools
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from otelctl import engine, otlp
from otelctl.adapters.machine import SystemClock, SystemEntropy
from otelctl.adapters.network import SystemNetwork
from otelctl.adapters.otlp_grpc import GrpcRpc
from otelctl.adapters.proxies import SystemProxies
from otelctl.checks.run import Run, Target
from otelctl.checks.table import table
from otelctl.diagnose import grpc as judge
from otelctl.endpoint import parse
from otelctl.facts.wire import Fault, FaultKind, Greeted, Proxy, Route, RpcAnswer, RpcRequest, Secured, Stage
from otelctl.model import Status
from otelctl.ports import Link, World
from otelctl.secret import Redactor, Secret
from otelctl.settings import Setting, Signal, Source, SourceKind, TlsOptions
from tests.support.ca import Authority
from tests.support.grpc_server import Server, failing, serving
from tests.support.http2 import (
    ANSWER,
    GOAWAY,
    GRPC,
    PING,
    RESET,
    frame,
    headers,
    message,
    more,
    status,
)
from tests.support.http2 import serving as framing
from tests.support.program import COMMAND, environment, run
from tests.support.servers import (
    Script,
    Scripted,
    answering,
    dripping,
    hanging_up,
    http,
    proxying,
    resetting,
    silent,
    speaking,
)

TIMEOUT = 1.0
SLACK = 0.9
METHOD = otlp.method(Signal.TRACES)
TOKEN = "glc_eyJvIjoiNjU0MzIxIiwibiI6InQiLCJrIjoiWnE3V3YwUmszWWI5WG41THAxVGQiLCJtIjp7InIiOiJldSJ9fQ=="
BASIC = "Basic MTIzNDU2OmdsY19leUp2SWpvaU5qVTBNekl4SWl3aWJpSTZJblFpTENKcklqb2lXbkUzVjNZd1VtczNXV0k1In0="


def call(
    port: int,
    *metadata: tuple[str, str],
    body: bytes = b"",
    packed: bool = False,
    tls: TlsOptions | None = None,
    host: str = "127.0.0.1",
    proxy: Proxy | None = None,
) -> RpcAnswer | Fault:
    """Make one call there, and return what came of it."""
    secret = tuple((key, Secret(value)) for key, value in metadata)
    route = Route(host, port, tls, proxy, TIMEOUT, 3 * TIMEOUT, ("h2",), tunnel=True)
    return GrpcRpc("otelctl/test").call(route, RpcRequest(METHOD, secret, body, gzip=packed))


def answered(outcome: RpcAnswer | Fault) -> RpcAnswer:
    """Return an answer, which it must be."""
    assert isinstance(outcome, RpcAnswer), outcome
    return outcome


def failed(outcome: RpcAnswer | Greeted | Secured | Fault) -> Fault:
    """Return a fault, which it must be."""
    assert isinstance(outcome, Fault), outcome
    return outcome


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Who issues the servers' certificates."""
    return Authority.create(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def server() -> Iterator[Server]:
    """A gRPC server that accepts everything."""
    with serving() as running:
        yield running


# A real server


@pytest.mark.parametrize("packed", [False, True])
def test_a_call_arrives_as_it_was_made(server: Server, *, packed: bool) -> None:
    """Method, message and metadata arrive, the message compressed or not; the answer is OK and empty."""
    body = b"\x0a\x00" * 2000
    answer = answered(call(server.port, ("authorization", BASIC), ("x-scope-orgid", "7"), body=body, packed=packed))
    assert (answer.code, answer.name, answer.message, answer.http_status) == (0, "OK", b"", None)
    (arrived,) = server.calls
    assert (arrived.method, arrived.message) == (METHOD, body)
    assert (arrived.metadata["authorization"], arrived.metadata["x-scope-orgid"]) == (BASIC, "7")
    assert arrived.metadata["user-agent"].startswith("otelctl/test")


def test_a_long_message_is_kept_in_part() -> None:
    """Of an answer's message 64 KiB are kept, however it is packed, and it says so."""
    with serving(lambda *_: b"\x0a\x00" * 500_000) as running:
        answer = answered(call(running.port))
    assert (len(answer.message), answer.truncated) == (65536, True)


@pytest.mark.parametrize("code", range(1, 17))
def test_a_status_is_an_answer(code: int) -> None:
    """Every status of gRPC's with its text, trailers and details comes as the server sent it."""
    with serving(failing(code, "why ü", ("x-why", "because"), ("grpc-status-details-bin", b"\x08\x01"))) as running:
        answer = answered(call(running.port))
    assert (answer.code, answer.text, answer.details) == (code, "why ü", b"\x08\x01")
    assert ("x-why", "because") in answer.metadata


@pytest.mark.parametrize(
    "text", ["failed to connect to all addresses; last error: x", "Connection reset by peer", "DNS resolution failed"]
)
def test_a_servers_own_trouble_is_not_ours(text: str) -> None:
    """UNAVAILABLE in the words that grpcio has for its own connections is the server's, where ours stands."""
    with serving(failing(14, text)) as running:
        assert answered(call(running.port)).text == text


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("authorization", "Basic é"),
        ("authorization", "hunter2\nhunter3"),
        ("authorization", " hunter2"),
        ("bad key", "hunter2"),
        ("Upper", "hunter2"),
    ],
)
def test_metadata_that_cannot_be_sent(server: Server, key: str, value: str) -> None:
    """What gRPC metadata cannot hold is a fault before anything is sent, and is not quoted."""
    fault = failed(call(server.port, (key, value)))
    assert (fault.stage, fault.kind) == (Stage.SEND, FaultKind.BAD_REQUEST)
    assert value not in fault.text
    assert server.calls == []


def test_binary_metadata(server: Server) -> None:
    """A header whose name ends in -bin goes out as bytes, and is no crash."""
    assert answered(call(server.port, ("x-trace-bin", "abc"))).code == 0


def test_nobody_listens() -> None:
    """A refused connection is told as the network adapter tells it."""
    with serving() as running:
        port = running.port
    fault = failed(call(port))
    assert (fault.stage, fault.kind) == (Stage.TCP, FaultKind.REFUSED)


# TLS and proxies


def test_tls_by_an_authority_and_by_nobodys(authority: Authority) -> None:
    """A server is trusted by the CA file; without it the call fails for the certificate."""
    with serving(certificate=authority.good()) as running:
        trusted = TlsOptions(ca_file=str(authority.file))
        assert answered(call(running.port, tls=trusted, host="localhost")).code == 0
        assert failed(call(running.port, tls=TlsOptions(), host="localhost")).kind is FaultKind.CERT_UNTRUSTED


def test_a_client_certificate(authority: Authority) -> None:
    """Mutual TLS works with the client's certificate, and without it the call ends in a fault."""
    client = authority.for_client()
    with serving(certificate=authority.good(), client_ca=authority) as running:
        own = TlsOptions(str(authority.file), str(client.cert_file), str(client.key_file))
        assert answered(call(running.port, tls=own, host="localhost")).code == 0
        assert isinstance(call(running.port, tls=TlsOptions(str(authority.file)), host="localhost"), Fault)


def test_a_missing_file_is_named(server: Server, tmp_path: Path) -> None:
    """A CA file that is not there is a fault that names it."""
    fault = failed(call(server.port, tls=TlsOptions(ca_file=str(tmp_path / "ca.pem"))))
    assert (fault.kind, fault.file) == (FaultKind.LOCAL_FILE, str(tmp_path / "ca.pem"))


@pytest.mark.parametrize("name", ["good", "wrong_name"])
def test_insecure_trusts_what_the_port_shows(authority: Authority, name: str) -> None:
    """With --insecure a private CA's certificate passes, one for another name too, and nothing is verified."""
    with serving(certificate=getattr(authority, name)()) as running:
        result = run(
            "check-endpoint",
            f"https://localhost:{running.port}",
            "--protocol",
            "grpc",
            "--insecure",
            "--format",
            "json",
        )
    assert (result.code, result.found) == (0, [])
    assert "NOT verified" in result.check("tls")["detail"]


def test_a_proxy_is_gone_through(server: Server) -> None:
    """Where a proxy stands between, a call without TLS digs a tunnel too, with the proxy's credential."""
    seen: list[bytes] = []
    with Scripted(proxying(seen, "me:hunter2")) as relay:
        proxy = Proxy(
            "127.0.0.1", relay.port, tls=False, source="https_proxy", username="me", password=Secret("hunter2")
        )
        assert answered(call(server.port, proxy=proxy)).code == 0
        wrong = Proxy("127.0.0.1", relay.port, tls=False, source="https_proxy")
        fault = failed(call(server.port, proxy=wrong))
    assert seen[0].startswith(f"CONNECT 127.0.0.1:{server.port} ".encode())
    assert (fault.stage, fault.kind) == (Stage.PROXY, FaultKind.PROXY_AUTH)


@pytest.mark.parametrize(
    ("variables", "through"),
    [
        (("https_proxy", "grpc_proxy"), True),
        (("http_proxy",), True),
        (("HTTPS_PROXY",), False),
        (("https_proxy", "no_proxy=127.0.0.0/8"), False),
        (("https_proxy", "no_grpc_proxy=127.0.0.1"), False),
        (("https_proxy", "no_proxy=example.com"), True),
    ],
)
def test_proxies_are_those_of_grpc(server: Server, variables: tuple[str, ...], *, through: bool) -> None:
    """The variables that gRPC's C core reads lead through the proxy, in lower case alone, and its exceptions do not."""
    seen: list[bytes] = []
    with Scripted(proxying(seen)) as relay:
        given = {name: f"http://127.0.0.1:{relay.port}" for name in variables if "=" not in name}
        given |= dict(name.split("=") for name in variables if "=" in name)
        result = run("check-endpoint", server.url, "--protocol", "grpc", "--format", "json", variables=given)
    assert [finding for finding in result.found if finding != "NET-PROXY-LOOPBACK"] == []
    assert bool(seen) is through


# Greetings


def greet(port: int, tls: TlsOptions | None = None, host: str = "127.0.0.1") -> Greeted | Fault:
    """Say HTTP/2's preface there."""
    link = SystemNetwork().open(Route(host, port, tls, None, TIMEOUT, 3 * TIMEOUT, ("h2", "http/1.1")))
    try:
        assert not isinstance(link.resolve(), Fault)
        assert not isinstance(link.connect(), Fault)
        if tls is not None:
            assert isinstance(link.secure(), Secured)
        return link.greet()
    finally:
        link.close()


def test_a_grpc_port_greets_with_settings(server: Server, authority: Authority) -> None:
    """A gRPC server answers the preface with SETTINGS, in the clear and by TLS, where it chooses h2."""
    fact = greet(server.port)
    assert isinstance(fact, Greeted)
    assert judge.spoken(fact.first_bytes) is judge.Spoken.HTTP2
    with serving(certificate=authority.good()) as running:
        fact = greet(running.port, TlsOptions(ca_file=str(authority.file)), "localhost")
    assert isinstance(fact, Greeted)
    assert judge.spoken(fact.first_bytes) is judge.Spoken.HTTP2


@pytest.mark.parametrize(
    ("script", "first"),
    [
        (speaking(b"SSH-2.0-OpenSSH_9.2\r\n"), b"SSH-2.0-OpenSSH_9.2\r\n"),
        (answering(b"-ERR unknown command 'PRI'\r\n"), b"-ERR unknown command 'PRI'\r\n"),
        (answering(http("400 Bad Request")), http("400 Bad Request")),
        (speaking(b"\x00"), b"\x00"),
    ],
)
def test_what_a_port_says_is_reported(script: Script, first: bytes) -> None:
    """The first bytes of any protocol come as they were said, at once where they cannot be HTTP/2's."""
    with Scripted(script) as other:
        started = time.monotonic()
        fact = greet(other.port)
    assert isinstance(fact, Greeted)
    assert fact.first_bytes == first
    assert time.monotonic() - started < (TIMEOUT + SLACK if first == b"\x00" else TIMEOUT / 2)


@pytest.mark.parametrize(
    ("script", "kind"),
    [(silent, FaultKind.TIMEOUT), (hanging_up, FaultKind.CLOSED), (resetting, FaultKind.RESET)],
)
def test_a_port_that_says_nothing(script: Script, kind: FaultKind) -> None:
    """Silence, an end and a reset are faults of their kind, within the time-out."""
    with Scripted(script) as other:
        fault = failed(greet(other.port))
    assert fault.kind in (kind, FaultKind.RESET)  # what we sent may be unread when the other side ends
    assert fault.seconds < TIMEOUT + SLACK


# Hostile servers


@dataclass(frozen=True)
class Hostile:
    """A server, and what must come of a call: the codes of a fault, or none where the answer as such is sound."""

    name: str
    script: Script
    codes: tuple[str, ...] = ()


BAD, BROKEN, LATE = ("GRPC-BAD-ANSWER",), ("GRPC-BROKEN-OFF",), ()
MEGABYTE = bytes(1024 * 1024)
DATA = frame(0, 0, 1, bytes(16384))
BOMB = gzip.compress(bytes(200 * 1024 * 1024), 9)
PACKED = headers(*GRPC, ("grpc-encoding", "gzip"))
FLOOD = [(f"x-flood-{number}", "y" * 1000) for number in range(10)]

CASES = [
    Hostile("message that claims 100 MB", framing(ANSWER, message(b"x", size=10**8), then=itertools.repeat(DATA)), BAD),
    Hostile("messages without end", framing(ANSWER, then=itertools.repeat(message(bytes(1000)))), BAD),
    Hostile("gzip bomb", framing(PACKED, message(BOMB, packed=True), status(0))),
    Hostile("broken gzip", framing(PACKED, message(b"\x1f\x8bnonsense", packed=True), status(0)), BAD),
    Hostile(
        "header block without end",
        framing(headers(*GRPC, whole=False), then=itertools.repeat(more(*FLOOD))),
        BAD,
    ),
    Hostile("trailers of 300 fields", framing(ANSWER, status(14, "", *((f"x-{one}", "y") for one in range(300))))),
    Hostile("status text of 12 KB", framing(ANSWER, status(14, "y" * 12_000))),
    Hostile("control sequences in the text", framing(ANSWER, status(14, "%1b]0;owned%07%0a[red]no[/red]%e2%80%ae"))),
    Hostile("flood of PING", framing(then=itertools.repeat(PING * 1000)), BAD),
    Hostile("flood of SETTINGS", framing(then=itertools.repeat(frame(4) * 1000)), BAD),
    Hostile("frames of a kind that nobody knows", framing(then=itertools.repeat(frame(0xFA, 0, 0, bytes(16384)))), BAD),
    Hostile("empty frames without end", framing(ANSWER, then=itertools.repeat(frame(0, 0, 1) * 1000)), BAD),
    Hostile("frame beyond the size allowed", framing(frame(0, 0, 1, MEGABYTE), then=itertools.repeat(MEGABYTE)), BAD),
    Hostile("GOAWAY", framing(GOAWAY), BROKEN),
    Hostile("GOAWAY without end", framing(then=itertools.repeat(GOAWAY * 100)), BROKEN),
    Hostile("RST_STREAM without end", framing(then=itertools.repeat(RESET * 1000)), BROKEN),
    Hostile("end of the connection", framing(ANSWER, hold=False), BROKEN),
    Hostile("no status", framing(ANSWER, message(b""), frame(0, 1, 1)), BAD),
    Hostile("a status that is no number", framing(ANSWER, headers(("grpc-status", "x"), end=True)), BAD),
    Hostile("a web page by HTTP/2", framing(headers((":status", "200"), ("content-type", "text/html")),
                                             frame(0, 1, 1, b"<html>hello</html>")), BAD),
    Hostile("silence after SETTINGS", framing(), LATE),
    Hostile("silence", silent, LATE),
    Hostile("slow drip of what is no frame", dripping(b"", itertools.repeat(b"\x00"), 0.05), BAD),
]  # fmt: skip
PLACE = judge.Place(parse("http://127.0.0.1:4317"), "here", Setting("grpc", Source(SourceKind.OPTION, "--protocol")))


@pytest.mark.parametrize("hostile", CASES, ids=lambda hostile: hostile.name)
def test_a_hostile_server_costs_the_time_out_at_most(hostile: Hostile) -> None:
    """The call ends in time with a bounded fact, of which the right diagnosis is made."""
    with Scripted(hostile.script) as other:
        started = time.monotonic()
        fact = call(other.port, ("authorization", BASIC))
        took = time.monotonic() - started
    assert took < TIMEOUT + SLACK
    if isinstance(fact, Fault):
        assert fact.text.isprintable()
        assert len(fact.text) <= 300
        found = tuple(finding.code for finding in judge.judge_fault(fact, PLACE))
        # A flood may be cut by the relay or by grpcio, whoever is first.
        assert found == hostile.codes or (set(found) | set(hostile.codes)) <= {*BAD, *BROKEN}, fact
        assert found or fact.kind is FaultKind.TIMEOUT
        return
    assert hostile.codes == ()
    assert len(fact.text) <= 4096
    assert len(fact.metadata) <= 64
    assert len(fact.message) <= 65536
    assert otlp.read_rpc(Signal.TRACES, fact).message.isprintable()


_CLIENT = """
import json, sys
from otelctl.adapters.otlp_grpc import GrpcRpc
from otelctl.facts.wire import Route, RpcRequest
def visit(port):
    return GrpcRpc("t").call(Route("127.0.0.1", port, None, None, 1.0, 3.0), RpcRequest("/a.B/C", (), b""))
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


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
def test_hostile_servers_cost_little_memory() -> None:
    """After all of the hostile servers the peak of a client's memory is within 64 MiB of what it was when idle."""
    servers = [Scripted(framing(ANSWER, message(b""), status(0))), *(Scripted(hostile.script) for hostile in CASES)]
    for other in servers:
        other.__enter__()
    try:
        ports = [str(other.port) for other in servers]
        done = subprocess.run(
            [sys.executable, "-c", _CLIENT, *ports],
            capture_output=True,
            text=True,
            timeout=50,
            check=True,
            env=environment(),
        )
    finally:
        for other in servers:
            other.__exit__(None, None, None)
    grown = dict(zip((hostile.name for hostile in CASES), json.loads(done.stdout), strict=True))
    assert max(grown.values()) < 64 * 1024 * 1024, grown


# Commands


def check(url: str, *more: str, **variables: str) -> tuple[int, list[str]]:
    """Run check-endpoint, and return the exit code and the codes that were found."""
    result = run("check-endpoint", url, "--timeout", "2", *more, "--format", "json", variables=variables)
    return result.code, result.found


BANNERS = [
    (speaking(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"), "this is an SSH server"),
    (answering(b"-ERR unknown command 'PRI', with args beginning with: \r\n"), "this is Redis"),
    (speaking(b"220 mail.example.com ESMTP Postfix\r\n"), "this is a mail server"),
]


@pytest.mark.parametrize(("scheme", "protocol"), [("http", "grpc"), ("http", "auto"), ("https", "auto")])
@pytest.mark.parametrize(("script", "named"), BANNERS)
def test_another_service_is_named_by_its_banner(script: Script, named: str, scheme: str, protocol: str) -> None:
    """Whatever is asked for, a port of another service is named by what it says, and nothing else is found."""
    with Scripted(script) as other:
        url = f"{scheme}://127.0.0.1:{other.port}"
        result = run("check-endpoint", url, "--protocol", protocol, "--timeout", "2", "--format", "json")
    assert (result.code, result.found) == (1, ["NET-NOT-HTTP"])
    assert named in result.finding("NET-NOT-HTTP")["summary"]


def test_auto_with_tls(authority: Authority) -> None:
    """By TLS a gRPC port is found to be one; asked for without TLS it is told, and checked by TLS."""
    ca = ("--ca-file", str(authority.file))
    with serving(certificate=authority.good()) as running:
        url = f"https://localhost:{running.port}"
        assert check(url, "--protocol", "auto", *ca) == (0, [])
        result = run(
            "check-endpoint", url.replace("https", "http"), "--protocol", "auto", *ca, "--format", "json",
            variables={"OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"},
        )  # fmt: skip
    assert result.found == ["CONF-PROTOCOL-DIFFERS", "NET-PLAIN-ON-TLS"]
    assert result.check("spoken")["detail"] == "gRPC by TLS"
    assert result.check("traces")["status"] == "passed"


@dataclass(frozen=True)
class Elsewhere:
    """The ways out of this machine, which all lead to this machine whatever host is named."""

    rpc: GrpcRpc

    def open(self, route: Route) -> Link:
        """Open a connection to the port of that number here."""
        return SystemNetwork().open(replace(route, host="127.0.0.1"))

    def call(self, route: Route, request: RpcRequest) -> RpcAnswer | Fault:
        """Call the port of that number here."""
        return self.rpc.call(replace(route, host="127.0.0.1"), request)


def test_auto_sends_no_credential_in_the_clear_where_tls_was_asked_for(server: Server) -> None:
    """Where https:// on a public host turns out to speak without TLS, the credential stays here, and that is told."""
    out = Elsewhere(GrpcRpc("otelctl/test"))
    world = World(out, SystemProxies(), SystemClock(), SystemEntropy(), {}, out)
    option = Source(SourceKind.OPTION, "--protocol")
    target = Target(
        endpoint=Setting(f"https://collector.example.com:{server.port}", Source(SourceKind.ARGUMENT, "ENDPOINT")),
        headers=Setting(Secret(f"Authorization={BASIC}"), Source(SourceKind.VARIABLE, "OTEL_EXPORTER_OTLP_HEADERS")),
        signals=(Signal.TRACES,),
        protocol=Setting("grpc", option),
        timeout=2.0,
        detect=True,
    )
    state = Run(world, target, Redactor())
    results = list(engine.run(table(target.signals, detect=True), state, world.clock, str))
    state.close()
    found = [finding.code for result in results for finding in result.findings]
    assert found == ["NET-TLS-ON-PLAIN"]
    assert {result.check: result.status for result in results}["traces"] is Status.SKIPPED
    assert [each.metadata.get("authorization") for each in server.calls] == [None]


def test_the_call_that_finds_out_carries_no_credential() -> None:
    """What a port speaks is found out without the credential, which goes out with the check alone."""
    with serving() as running:
        headers_ = {"OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20abcdefghijkl"}
        assert run("check-endpoint", running.url, "--protocol", "auto", variables=headers_).code == 0
        arrived = [each.metadata.get("authorization") for each in running.calls]
    assert arrived == [None, "Bearer abcdefghijkl"]


def test_without_the_library() -> None:
    """Where grpcio is not installed the way is checked, and the call is not: exit code 3 and the command to install."""
    program = "import sys; sys.modules['grpc'] = None; from otelctl.__main__ import main; sys.exit(main())"
    with serving() as running:
        done = subprocess.run(
            [sys.executable, "-c", program, "check-endpoint", running.url, "--protocol", "grpc"],
            capture_output=True,
            text=True,
            env=environment(),
            timeout=30,
            check=False,
        )
    assert done.returncode == 3
    assert "GRPC-NOT-INSTALLED" in done.stdout
    assert "python -m pip install 'otelctl[grpc]'" in done.stdout
    assert done.stderr == ""


def test_debug_output_of_grpc_shows_no_secret(server: Server) -> None:
    """With every trace of gRPC's switched on nothing of it is written, and neither is the token."""
    variables = {
        "GRPC_VERBOSITY": "DEBUG",
        "GRPC_TRACE": "all",
        "OTEL_EXPORTER_OTLP_HEADERS": f"Authorization={BASIC},x-api-key={TOKEN}",
    }
    for format_ in ("text", "json"):
        result = run(
            "check-endpoint", server.url, "--protocol", "grpc", "--verbose", "--format", format_, variables=variables
        )
        assert result.stderr == ""
        for secret in (BASIC[10:40], TOKEN[4:40]):
            assert secret not in result.stdout
    assert server.calls[0].metadata["authorization"] == BASIC


@pytest.mark.parametrize("echo", ["authorization", "x-api-key"])
def test_a_server_that_echoes_the_credential(echo: str) -> None:
    """A status text that quotes the metadata is shown without it."""

    def repeat(method: str, body: bytes, context: object) -> bytes:
        metadata = dict(context.invocation_metadata())  # type: ignore[attr-defined]  # grpcio has no types
        return failing(13, f"bad header {metadata[echo]}")(method, body, context)

    variables = {"OTEL_EXPORTER_OTLP_HEADERS": f"Authorization={BASIC},x-api-key={TOKEN}"}
    with serving(repeat) as running:
        result = run("check-endpoint", running.url, "--protocol", "grpc", "--verbose", variables=variables)
    assert "OTLP-500" in result.stdout
    for secret in (BASIC[10:30], TOKEN[4:24]):
        assert secret not in result.stdout + result.stderr


def test_http_alone_does_not_load_grpc() -> None:
    """A check over HTTP, and a command without a connection, leave grpcio on the disk."""
    program = (
        "import sys\nfrom otelctl.__main__ import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print([name for name in sys.modules if name == 'grpc' or name.startswith('grpc.')])"
    )
    with Scripted(answering(http("200 OK", b"", "Content-Type: application/x-protobuf"))) as receiver:
        for words in (("check-endpoint", f"http://127.0.0.1:{receiver.port}"), ("--version",)):
            done = subprocess.run(
                [sys.executable, "-c", program, *words],
                capture_output=True,
                text=True,
                env=environment(),
                timeout=30,
                check=True,
            )
            assert done.stdout.splitlines()[-1] == "[]"


_EXPORT = """
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(timeout=3)))
with provider.get_tracer("t").start_as_current_span("s"):
    pass
"""


def test_a_span_goes_out_as_the_sdk_sends_it(server: Server) -> None:
    """Method and metadata of otelctl's call are those of the SDK's exporter with the same settings."""
    variables = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": server.url,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
        "OTEL_EXPORTER_OTLP_HEADERS": f"Authorization={BASIC.replace(' ', '%20')},X-Scope-OrgID=7",
    }
    subprocess.run([sys.executable, "-c", _EXPORT], env=environment(variables), timeout=30, check=True)
    assert run("send-test-span", variables=variables).code == 0
    theirs, ours = server.calls
    assert theirs.method == ours.method
    assert theirs.metadata.keys() == ours.metadata.keys()
    differing = {key for key in ours.metadata if ours.metadata[key] != theirs.metadata[key]}
    assert differing == {"user-agent"}


def test_an_interrupt_ends_a_call() -> None:
    """Ctrl-C while a server does not answer ends the program with 130, at once."""
    import signal  # noqa: PLC0415  here alone

    with Scripted(framing()) as other:
        url = f"http://127.0.0.1:{other.port}"
        process = subprocess.Popen(
            [*COMMAND, "check-endpoint", url, "--protocol", "grpc", "--timeout", "20"],
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        end = time.monotonic() + 15
        while other.connections < 2 and time.monotonic() < end:
            time.sleep(0.05)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        started = time.monotonic()
        _, said = process.communicate(timeout=15)
    assert process.returncode == 130
    assert time.monotonic() - started < 3
    assert b"Traceback" not in said
