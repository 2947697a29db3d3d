"""The ordered tables of checks: the product on one screen.

`table` reads from top to bottom as the way of a request. A row's title is the good state, its needs are the rows
that must hold before it is worth asking. The bodies fetch facts through ports and have judges judge them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from otelctl import __version__, otlp
from otelctl.credential import Header, is_instance_id, read_header
from otelctl.diagnose import credential as credential_judge
from otelctl.diagnose import endpoint as endpoint_judge
from otelctl.diagnose import grpc as grpc_judge
from otelctl.diagnose import network as network_judge
from otelctl.diagnose import otlp as otlp_judge
from otelctl.diagnose import settings as settings_judge
from otelctl.diagnose.otlp import Exchange
from otelctl.endpoint import (
    Alternative,
    Endpoint,
    EndpointError,
    GrafanaHost,
    alternatives,
    parse,
    parse_grpc,
    signal_endpoint,
    without_signal,
)
from otelctl.engine import Check, Outcome
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
    RpcAnswer,
    RpcRequest,
    Secured,
    Stage,
)
from otelctl.model import Certainty, Finding, Severity
from otelctl.ports import Link, World
from otelctl.secret import Redactor, Secret
from otelctl.settings import GRAFANA_ENDPOINT, Protocol, Setting, Signal, Source, SourceKind, TlsOptions

if TYPE_CHECKING:
    from google.protobuf.message import Message

_TEXT = 160

SENDS = {Signal.TRACES: "send", Signal.METRICS: "send-metrics", Signal.LOGS: "send-logs"}
"""The check that sends each signal in earnest."""

_SENT = {Signal.TRACES: "a test span", Signal.METRICS: "test metrics", Signal.LOGS: "a test log record"}
_ACCEPTED = {
    Signal.TRACES: "the span was accepted",
    Signal.METRICS: "the metrics were accepted",
    Signal.LOGS: "the log record was accepted",
}


@dataclass(frozen=True, slots=True)
class Target:
    """What one run is aimed at: one endpoint with the settings that an exporter of these signals would have.

    `per_signal` says that the URL is used as it is. `mend_command` prints or sets the mended header. `timeout` bounds
    each stage and `deadline` the whole, in seconds. `gzip` compresses what is sent. `plaintext` is *_INSECURE, which
    gRPC reads where no scheme says it; `detect` finds out what the port speaks, whatever `protocol` says.
    `stores` says that a store is to hold the settings: under which names they came does not matter then.
    """

    endpoint: Setting[str]
    headers: Setting[Secret] | None
    signals: tuple[Signal, ...]
    protocol: Setting[str]
    per_signal: bool = False
    mend_command: str = "otelctl inspect-auth --fix"
    tls: TlsOptions = field(default_factory=TlsOptions)
    timeout: float = 10.0
    deadline: float = 30.0
    gzip: bool = False
    disabled: Setting[str] | None = None
    exporter: Setting[str] | None = None
    trace: otlp.SyntheticTrace | None = None
    metrics: otlp.SyntheticMetrics | None = None
    log: otlp.SyntheticLog | None = None
    plaintext: Setting[str] | None = None
    detect: bool = False
    stores: bool = False

    def payload(self, signal: Signal) -> Message | None:
        """Return what is sent of a signal, None where nothing is."""
        made = {Signal.TRACES: self.trace, Signal.METRICS: self.metrics, Signal.LOGS: self.log}[signal]
        return made.request if made is not None else None


@dataclass(slots=True)
class Run:
    """One run as it goes: its world, its target, and what the checks so far have learned.

    `suspicions` are findings that are not certain, put aside until an answer bears them out. `detected` is what the
    port was found to speak, `given` the endpoint before that; `leaf` is the certificate that was seen.
    """

    world: World
    target: Target
    redact: Redactor
    endpoint: Endpoint | None = None
    header: Header | None = None
    suspicions: list[Finding] = field(default_factory=list)
    link: Link | None = None
    proxy: Proxy | None = None
    accepted: set[Signal] = field(default_factory=set)
    date: tuple[str, datetime] | None = None
    leaf: Certificate | None = None
    detected: grpc_judge.Detected | None = None
    given: Endpoint | None = None

    def __post_init__(self) -> None:
        headers = self.target.headers
        if headers is None:
            return
        self.header = header = read_header(headers.value.reveal())
        hidden = [header.token, header.wire, header.meant, *(value for _, value in header.other)]
        if not _numeric(header):
            hidden.append(header.instance_id)  # what stands there may be a token
        for secret in hidden:
            if secret is not None:
                self.redact.add(secret)

    @property
    def url(self) -> str:
        """The endpoint as it is shown."""
        return self.endpoint.url if self.endpoint else "ENDPOINT"

    @property
    def subject(self) -> str:
        """Where the endpoint came from."""
        return str(self.target.endpoint.source)

    @property
    def grpc(self) -> bool:
        """Whether gRPC is spoken."""
        return self.target.protocol.value == Protocol.GRPC if self.detected is None else self.detected.grpc

    @property
    def place(self) -> grpc_judge.Place:
        """What gRPC's judge needs to know besides a fact."""
        assert self.endpoint is not None  # noqa: S101  the table has it after `endpoint`
        return grpc_judge.Place(self.endpoint, self.subject, self.target.protocol)

    def close(self) -> None:
        """Close the connection, if one is open."""
        if self.link is not None:
            self.link.close()


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
        Check("settings", "the protocol is one that can be checked", (), _settings),
        Check("endpoint", "the endpoint is an OTLP URL", (), _endpoint),
        Check("credential", "the credential is well formed", (), _credential),
        Check("dns", "the host name resolves", ("endpoint",), _dns),
        Check("tcp", "the port takes connections", ("dns",), _tcp),
        Check("tls", "TLS is sound", ("tcp",), _tls),
    ]
    if detect:
        rows[-1:] = [
            Check("spoken", "the port speaks HTTP or gRPC", ("tcp",), _spoken),
            Check("agreement", "the settings ask for what the port speaks", ("spoken",), _agreement),
            Check("tls", "TLS is sound", ("spoken",), _tls),
        ]
    elif grpc:
        rows.append(Check("http2", "the port speaks HTTP/2, as gRPC does", ("tls",), _http2))
        path = (*path, "http2")
    if probe:
        rows += [
            Check(signal.value, f"the endpoint accepts {signal.value}", path, _Probe(signal)) for signal in signals
        ]
    for signal in send:
        needs = (*path, signal.value) if probe and signal in signals else path
        rows.append(Check(SENDS[signal], f"the endpoint accepts {_SENT[signal]}", needs, _Send(signal)))
    rows.append(Check("clock", "this clock agrees with the server's", ("tls",), _clock))
    return tuple(rows)


def _split(run: Run, findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Keep what is certain; put what is only suspected aside until the answer is known."""
    sure = [one for one in findings if one.certainty is Certainty.CERTAIN]
    run.suspicions += [one for one in findings if one not in sure]
    return tuple(sure)


def _parse(run: Run) -> Endpoint | None:
    try:
        return _read_endpoint(run)
    except EndpointError:
        return None


def _read_endpoint(run: Run) -> Endpoint:
    """Parse the endpoint as an exporter of the protocol does; raises EndpointError."""
    text, plaintext = run.target.endpoint.value, run.target.plaintext
    if run.grpc or (run.target.detect and "://" not in text):
        return parse_grpc(text, insecure=plaintext is not None and plaintext.value.strip().lower() == "true")
    return parse(text)


def _settings(run: Run) -> Outcome:
    target = run.target
    findings = _split(run, settings_judge.judge_protocol(target.protocol, _parse(run)))
    switches = settings_judge.judge_switches(target.disabled, target.exporter)
    said = target.protocol.value
    if _asked(run) is None:
        said = "to be found out" if target.detect else f"no setting names one, {said} is probed"
    return Outcome((*findings, *switches), said)


def _asked(run: Run) -> Setting[str] | None:
    """Return the setting that names a protocol, None where nothing does."""
    protocol = run.target.protocol
    return None if protocol.source.kind is SourceKind.DEFAULT else protocol


def _endpoint(run: Run) -> Outcome:
    target = run.target
    try:
        run.endpoint = _read_endpoint(run)
    except EndpointError as error:
        return Outcome(endpoint_judge.judge_unreadable(target.endpoint, str(error)))
    for secret in (run.endpoint.username, run.endpoint.password, Secret(run.endpoint.query)):
        if secret is not None:
            run.redact.add(secret)
    if run.grpc:
        if around := endpoint_judge.judge_text(target.endpoint, run.endpoint, as_is=True):
            return Outcome(around)
        findings = grpc_judge.judge_endpoint(target.endpoint, run.endpoint, credential=_confidential(run))
        # A path matters only once it is known that gRPC is spoken.
        run.suspicions += [one for one in findings if one.code == _PATH_DROPPED]
        findings = tuple(one for one in findings if one.code != _PATH_DROPPED)
    else:
        findings = endpoint_judge.judge_endpoint(
            target.endpoint,
            run.endpoint,
            target.signals[0],
            per_signal=target.per_signal,
            credential=_confidential(run),
        )
    ours = target.endpoint.source.name == GRAFANA_ENDPOINT and not target.stores
    read = ", which SDKs do not read (they read OTEL_EXPORTER_OTLP_ENDPOINT)" if ours else ""
    return Outcome(_split(run, findings), f"{run.url} from {run.subject}{read}")


_PATH_DROPPED = "GRPC-PATH-DROPPED"


def _confidential(run: Run) -> bool:
    return run.header is not None and run.header.confidential


def grafana_of(endpoint: Endpoint | None) -> bool | None:
    """Return whether Grafana Cloud's rules for credentials apply; None where the host alone cannot tell."""
    if endpoint is None or endpoint.loopback:
        return None
    return endpoint.grafana is not GrafanaHost.NONE


def _credential(run: Run) -> Outcome:
    headers, endpoint = run.target.headers, run.endpoint
    grafana = grafana_of(endpoint)
    if headers is None:
        if endpoint is not None and endpoint.grafana is GrafanaHost.GATEWAY:
            return Outcome(credential_judge.judge_absent(endpoint.host))
        return Outcome(skipped="no OTLP headers are configured")
    header = run.header
    assert header is not None  # noqa: S101  it was read when the run began
    judged = credential_judge.judge_header(header, headers.source, run.target.mend_command, grafana=grafana)
    findings = [one for one in judged if one.severity is not Severity.NOTICE]
    if endpoint is not None:
        findings += credential_judge.judge_region(header.claims, endpoint.zone, str(headers.source))
    return Outcome(_split(run, findings), describe(header, headers.source))


def describe(header: Header, source: Source) -> str:
    """Say in a few words what a header is, and where it came from, without its secret part."""
    said = [f"instance ID {header.instance_id.reveal()}"] if _numeric(header) and header.instance_id else []
    claims = header.claims
    said += [f"{label} {value}" for label, value in (("token", claims.name), ("region", claims.region)) if value]
    if not said:
        said = [header.scheme.capitalize() or header.form.value]
    return f"{', '.join(said)} from {source}"


def _numeric(header: Header) -> bool:
    return header.instance_id is not None and is_instance_id(header.instance_id.reveal())


_HTTP, _HTTP2 = ("http/1.1",), ("h2",)


def _route(run: Run, *, tls: bool | None = None, alpn: tuple[str, ...] | None = None) -> Route:
    """Return the way to the endpoint: by TLS as its scheme says, and offering what the protocol needs."""
    endpoint, target = run.endpoint, run.target
    assert endpoint is not None  # noqa: S101  the table has it after `endpoint`
    offered = alpn or (_HTTP2 if run.grpc else _HTTP)
    return Route(
        endpoint.host,
        endpoint.port,
        target.tls if (endpoint.tls if tls is None else tls) else None,
        run.proxy,
        target.timeout,
        target.deadline,
        offered,
        tunnel="h2" in offered,
    )


def _dns(run: Run) -> Outcome:
    endpoint = run.endpoint
    assert endpoint is not None  # noqa: S101  the table has it after `endpoint`
    scheme = "grpc" if run.grpc else endpoint.scheme
    proxy = run.proxy = run.world.proxies.proxy_for(scheme, endpoint.host, endpoint.port)
    run.link = run.world.network.open(_route(run))
    fact = run.link.resolve()
    findings = network_judge.judge_resolve(fact, url=run.url, subject=run.subject)
    detail = ", ".join(fact.addresses[:2]) if isinstance(fact, Resolved) else ""
    return Outcome(findings, f"proxy {proxy.host}:{proxy.port} ({proxy.source}), {detail}" if proxy else detail)


def _tcp(run: Run) -> Outcome:
    assert run.link is not None  # noqa: S101  the table has it after `dns`
    fact = run.link.connect()
    findings = network_judge.judge_connect(fact, url=run.url, subject=run.subject)
    return Outcome(findings, f"{fact.address} port {fact.port}" if isinstance(fact, Connected) else "")


def _tls(run: Run) -> Outcome:
    assert run.link is not None and run.endpoint is not None  # noqa: S101, PT018  the table has it after `tcp`
    if not run.endpoint.tls:
        return Outcome(skipped="plain HTTP/2" if run.grpc else "plain HTTP")
    fact = run.link.secure()
    if run.grpc and isinstance(fact, Fault) and fact.kind is FaultKind.ALPN:
        fact = _look(run, tls=True)[0] or fact  # offered HTTP/1 too, it shows its certificate and what it chooses
    findings = grpc_judge.judge_secure(fact, run.place) if run.grpc else ()
    findings = findings or network_judge.judge_secure(fact, url=run.url, subject=run.subject)
    if not isinstance(fact, Secured):
        return Outcome(findings)
    run.leaf = fact.certificate
    alpn = f", {fact.alpn}" if fact.alpn else ""
    until = fact.certificate.not_after.date().isoformat()
    verified = "" if fact.verified else ", NOT verified (--insecure)"
    return Outcome(findings, f"{fact.version}{alpn}, {fact.certificate.issuer} until {until}{verified}")


def _http2(run: Run) -> Outcome:
    """Greet the port by HTTP/2, so that what speaks something else is named by what it says."""
    assert run.link is not None and run.endpoint is not None  # noqa: S101, PT018  the table has it after `tcp`
    fact = run.link.greet()
    hung_up = isinstance(fact, Fault) and fact.kind in (FaultKind.CLOSED, FaultKind.RESET)
    tls_instead = hung_up and not run.endpoint.tls and _speaks_tls(*_look(run, tls=True))
    findings = grpc_judge.judge_greeting(fact, run.place, tls_instead=tls_instead)
    if not findings and isinstance(fact, Greeted) and _kind(fact) is grpc_judge.Spoken.HTTP2:
        return Outcome(_suspected(run, _PATH_DROPPED))
    if findings:
        return Outcome(findings)
    return Outcome(network_judge.judge_fault(_as_fault(fact), url=run.url, subject=run.subject))


def _look(run: Run, *, tls: bool, alpn: tuple[str, ...] = (*_HTTP2, *_HTTP)) -> tuple[Secured | None, Greeted | Fault]:
    """Return what a connection of its own shows of a port: the handshake if TLS is spoken, and the greeting."""
    link = run.world.network.open(_route(run, tls=tls, alpn=alpn))
    try:
        for step in (link.resolve, link.connect):
            fact = step()
            if isinstance(fact, Fault):
                return None, fact
        secured = link.secure() if tls else None
        if isinstance(secured, Fault):
            return None, secured
        return secured, link.greet()
    finally:
        link.close()


def _kind(fact: Greeted | Fault) -> grpc_judge.Spoken | None:
    """Return what a peer speaks by its first bytes, None where it said nothing."""
    return grpc_judge.spoken(fact.first_bytes) if fact.first_bytes else None


def _as_fault(fact: Greeted | Fault) -> Fault:
    if isinstance(fact, Fault):
        return fact
    return Fault(Stage.RECEIVE, FaultKind.NOT_HTTP, "no HTTP", fact.seconds, fact.first_bytes)


_OTLP = (grpc_judge.Spoken.HTTP1, grpc_judge.Spoken.HTTP2)
# Faults of a handshake that only a peer that speaks TLS can cause.
_OF_TLS = frozenset(
    {
        FaultKind.CERT_UNTRUSTED,
        FaultKind.CERT_HOSTNAME,
        FaultKind.CERT_EXPIRED,
        FaultKind.CERT_NOT_YET_VALID,
        FaultKind.CERT_OTHER,
        FaultKind.CLIENT_CERT_WANTED,
        FaultKind.CLIENT_CERT_REFUSED,
    }
)


def _speaks_tls(secured: Secured | None, said: Greeted | Fault) -> bool:
    return secured is not None or (isinstance(said, Fault) and said.kind in _OF_TLS)


def _spoken(run: Run) -> Outcome:
    """Find out what the port speaks, by TLS or not, and go on with that."""
    endpoint = run.endpoint
    assert endpoint is not None and run.link is not None  # noqa: S101, PT018  the table has it after `tcp`
    tls = endpoint.tls
    secured, said = _look(run, tls=tls)
    if secured is None and _kind(said) is not grpc_judge.Spoken.OTHER and (tls or _kind(said) not in _OTLP):
        other, answer = _look(run, tls=not tls)
        if _speaks_tls(other, answer) or _kind(answer) in (*_OTLP, grpc_judge.Spoken.OTHER):
            tls, secured, said = not tls, other, answer
    run.given, run.endpoint = endpoint, endpoint
    if tls is not endpoint.tls:
        run.endpoint = replace(endpoint, scheme="https" if tls else "http", port_written=True)
    if isinstance(said, Fault) or _kind(said) not in _OTLP:
        return Outcome(network_judge.judge_fault(_as_fault(said), url=run.url, subject=run.subject))
    run.leaf = secured.certificate if secured else None
    detected = grpc_judge.Detected(_kind(said) is grpc_judge.Spoken.HTTP2 and _takes_grpc(run), tls)
    if endpoint.tls and not tls and _confidential(run) and not endpoint.private:
        # The user asked for TLS: the credential does not go out without it.
        return Outcome(grpc_judge.judge_agreement(None, detected, replace(run.place, at=endpoint)), str(detected))
    run.detected = detected
    run.proxy = run.world.proxies.proxy_for("grpc" if run.grpc else run.endpoint.scheme, endpoint.host, endpoint.port)
    run.link.close()
    run.link = run.world.network.open(_route(run))
    for step in (run.link.resolve, run.link.connect):
        fact = step()
        if isinstance(fact, Fault):
            return Outcome(network_judge.judge_fault(fact, url=run.url, subject=run.subject), str(detected))
    return Outcome(detail=str(detected))


def _takes_grpc(run: Run) -> bool:
    """Tell whether HTTP/2 on a port is gRPC's: an HTTP server may speak it too, or one port both."""
    asked = _asked(run)
    if asked is not None and asked.value != Protocol.GRPC and _takes_http(run):
        return False
    request = RpcRequest(otlp.method(run.target.signals[0]), (), b"", leaf=run.leaf)
    fact = run.world.rpc.call(_route(run, alpn=_HTTP2), request)
    if isinstance(fact, RpcAnswer) and fact.http_status is None:
        return True
    return not _takes_http(run)


def _takes_http(run: Run) -> bool:
    """Tell whether a port answers HTTP/1.1, to a request without a credential, as an HTTP server does."""
    link = run.world.network.open(_route(run, alpn=_HTTP))
    try:
        answer = link.exchange(HttpRequest("POST", "/v1/traces", _content(Protocol.HTTP_JSON), b"{}"))
    finally:
        link.close()
    return isinstance(answer, HttpAnswer) and not network_judge.judge_answer(answer, url=run.url, subject="")


def _agreement(run: Run) -> Outcome:
    assert run.detected is not None and run.given is not None  # noqa: S101, PT018  the table has it after `spoken`
    asked = _asked(run)
    findings = grpc_judge.judge_agreement(asked, run.detected, replace(run.place, at=run.given))
    if run.grpc:
        findings += _suspected(run, _PATH_DROPPED)
    if asked is None and not findings:
        return Outcome(skipped="no setting names a protocol")
    return Outcome(findings, f"{asked.value} from {asked.source}" if asked else "")


def _authorization(run: Run) -> Secret | None:
    """Return what goes out as Authorization: what an exporter sends, or what was meant where it sends none.

    A probe of what was meant tells whether syntax alone is at fault.
    """
    header = run.header
    return None if header is None else header.wire or header.mended() or header.meant


def _content(protocol: Protocol) -> tuple[tuple[str, Secret], ...]:
    agent = Secret(f"otelctl/{__version__}")
    return (("user-agent", agent), ("content-type", Secret(otlp.content_type(protocol))))


def _headers(run: Run, protocol: Protocol, *, gzip: bool) -> tuple[tuple[str, Secret], ...]:
    """Return the headers of one request, as an exporter with these settings sends them."""
    fields = dict(_content(protocol))
    if gzip:
        fields["content-encoding"] = Secret("gzip")
    if run.header is not None:
        fields |= {name: value for name, value in run.header.other if name not in fields}
    authorization = _authorization(run)
    if authorization is not None:
        fields["authorization"] = authorization
    return tuple(fields.items())


def _exchange(
    run: Run, posted: Endpoint, signal: Signal, protocol: Protocol, body: bytes | None = None
) -> Exchange | Fault:
    """Send one request: `body`, or an empty one, which leaves nothing behind."""
    if protocol is Protocol.GRPC:
        return _call(run, signal, body)
    assert run.link is not None  # noqa: S101  the table has it after `tcp`
    empty = body is None
    gzip = run.target.gzip and not empty
    sent = otlp.empty_request(protocol) if body is None else body
    answer = run.link.exchange(HttpRequest("POST", posted.target, _headers(run, protocol, gzip=gzip), sent))
    if isinstance(answer, Fault):
        return answer
    read = otlp.read_answer(signal, answer.header("content-type"), answer.body, truncated=answer.truncated)
    return _seen(run, Exchange(run.url, posted, run.subject, answer, read, "", protocol, len(sent), empty))


def _seen(run: Run, exchange: Exchange) -> Exchange:
    """Return an exchange with the words of its answer, cleaned; the server's time is kept for the clock.

    Cleaned before anybody cuts them: what is left of a secret after a cut may be too short to be known again.
    """
    raw = exchange.answer
    headers = tuple((name, run.redact(value)) for name, value in raw.headers)
    answer = replace(raw, reason=run.redact(raw.reason), headers=headers)
    if run.date is None and answer.header("date"):
        run.date = (answer.header("date"), run.world.clock.now())
    if run.target.headers is not None:
        exchange = replace(exchange, tenant_command=_with_tenant(run.target.headers.source, run.target.mend_command))
    return replace(exchange, answer=answer, text=(run.redact(exchange.read.message) or answer.reason)[:_TEXT])


def _with_tenant(source: Source, mend_command: str) -> str:
    """Return the command that adds a tenant's header to the headers of that source, and loses none of them."""
    variable = source.kind is SourceKind.VARIABLE
    if variable and source.name.endswith("_HEADERS"):
        return f'export {source.name}="${source.name},X-Scope-OrgID=TENANT"'
    made = "otelctl encode-auth" if variable else mend_command
    return f'export OTEL_EXPORTER_OTLP_HEADERS="$({made}),X-Scope-OrgID=TENANT"'


# What gRPC says by itself, and takes from nobody.
_RESERVED = ("user-agent", "content-type", "content-encoding", "te", "host", "connection")


def _call(run: Run, signal: Signal, body: bytes | None) -> Exchange | Fault:
    """Make one call over gRPC, with the headers as metadata; its answer is read as its twin of HTTP."""
    assert run.endpoint is not None  # noqa: S101  the table has it after `endpoint`
    fields = _headers(run, Protocol.GRPC, gzip=False)
    metadata = tuple((name.lower(), value) for name, value in fields if name.lower() not in _RESERVED)
    gzip = run.target.gzip and body is not None
    request = RpcRequest(otlp.method(signal), metadata, body or b"", gzip=gzip, leaf=run.leaf)
    answer = run.world.rpc.call(_route(run), request)
    if isinstance(answer, Fault):
        return answer
    twin, read, posted = otlp.as_http(answer), otlp.read_rpc(signal, answer), run.endpoint.with_path("")
    size = len(request.message)
    return _seen(run, Exchange(run.url, posted, run.subject, twin, read, "", Protocol.GRPC, size, body is None))


def _protocol(run: Run) -> Protocol:
    """Return what is spoken: what the settings ask for, or what the port was found to speak."""
    if run.grpc:
        return Protocol.GRPC
    asked = run.target.protocol.value
    return Protocol.HTTP_PROTOBUF if asked == Protocol.GRPC else Protocol(asked)


def _posted(run: Run, signal: Signal) -> Endpoint:
    assert run.endpoint is not None  # noqa: S101  the table has it after `endpoint`
    return run.endpoint if run.target.per_signal else signal_endpoint(run.endpoint, signal)


@dataclass(frozen=True, slots=True)
class _Probe:
    """The body of a signal's check: an empty request, which leaves nothing behind."""

    signal: Signal

    def __call__(self, run: Run) -> Outcome:
        posted = _posted(run, self.signal)
        exchange = _exchange(run, posted, self.signal, _protocol(run))
        if isinstance(exchange, Exchange) and otlp_judge.doubtful(exchange):
            # An empty protobuf body is the empty message, but some receivers take it for no body at all.
            settled = _exchange(run, posted, self.signal, Protocol.HTTP_JSON)
            if isinstance(settled, Exchange) and (otlp_judge.accepted(settled) or otlp_judge.reached(settled)):
                exchange = settled
        return _judge(run, self.signal, exchange)


@dataclass(frozen=True, slots=True)
class _Send:
    """The body of the check that sends a signal in earnest."""

    signal: Signal

    def __call__(self, run: Run) -> Outcome:
        payload = run.target.payload(self.signal)
        assert payload is not None  # noqa: S101  the caller sets it with `send`
        protocol = _protocol(run)
        # gRPC compresses each message by itself, inside its frame.
        body = otlp.encode(payload, protocol, gzip=run.target.gzip and protocol is not Protocol.GRPC)
        exchange = _exchange(run, _posted(run, self.signal), self.signal, protocol, body)
        return _judge(run, self.signal, exchange)


def _judge(run: Run, signal: Signal, exchange: Exchange | Fault) -> Outcome:
    if isinstance(exchange, Fault):
        return Outcome(_no_answer(run, exchange))
    answer = exchange.answer
    if run.grpc:
        findings = grpc_judge.judge_http(answer, run.place)
    else:
        proxy = None if exchange.posted.tls else run.proxy  # through a tunnel, the endpoint itself answers
        findings = network_judge.judge_answer(answer, url=run.url, subject=run.subject, proxy=proxy)
    if findings:
        return Outcome(findings, answer.shown)
    assert run.endpoint is not None  # noqa: S101  the table has it after `endpoint`
    findings = endpoint_judge.judge_zone(answer, exchange.text or "no text", run.endpoint, run.subject)
    findings = findings or _judge_status(run, signal, exchange)
    if any(finding.severity in (Severity.ERROR, Severity.UNKNOWN) for finding in findings):
        return Outcome(findings, f"{answer.shown}, {otlp_judge.describe(exchange)}")
    run.accepted.add(signal)
    return Outcome(findings, _fine(run, signal, exchange))


def _no_answer(run: Run, fault: Fault) -> tuple[Finding, ...]:
    findings = grpc_judge.judge_fault(fault, run.place) if run.grpc else ()
    if findings:
        return findings
    findings = network_judge.judge_fault(fault, url=run.url, subject=run.subject)
    suspected = _suspected(run, "URL-PORT-PROTOCOL")
    if suspected and any(one.code == "NET-HTTP-ON-GRPC-PORT" for one in findings):
        return suspected  # the same in the words of the setting that is wrong
    return (*findings, *suspected)


# What a wrong host or path answers, whatever the credential is worth.
_ELSEWHERE = frozenset({400, 401, 403, 404, 405})


def _judge_status(run: Run, signal: Signal, exchange: Exchange) -> tuple[Finding, ...]:
    status = exchange.answer.status
    if status in _ELSEWHERE and not otlp_judge.reached(exchange):
        wrong_place = _suspected(run, "URL-QUERY-HOST", "URL-UI-HOST", "URL-PROMETHEUS-PATH")
        if wrong_place:
            return wrong_place
    if status in (401, 403):
        return otlp_judge.wants_tenant(exchange) or _refused(run, signal, exchange)
    if status == 404:
        return _unimplemented(run, signal, exchange) if run.grpc else _not_found(run, signal, exchange)
    return otlp_judge.judge_answer(exchange)


def _fine(run: Run, signal: Signal, exchange: Exchange) -> str:
    """Say what exactly was shown to be fine, and no more."""
    status = exchange.answer.shown
    sent = run.header is not None and run.header.wire is not None
    if otlp_judge.reached(exchange):
        # Who reads the body before the credential has shown nothing of it; Grafana Cloud's gateway reads it after.
        checked = sent and exchange.posted.grafana is GrafanaHost.GATEWAY
        credential = "the credential is accepted, " if checked else ""
        return f"{status}, {credential}the receiver wants content in a request"
    # Elsewhere nobody may have looked at it.
    looked = exchange.posted.grafana is GrafanaHost.GATEWAY
    credential = ("the credential is accepted, " if looked else "sent with the credential, ") if sent else ""
    accepted = "an empty request was accepted" if exchange.empty else _ACCEPTED[signal]
    return f"{status}, {credential}{accepted}"


def _suspected(run: Run, *codes: str) -> tuple[Finding, ...]:
    return tuple(one for one in run.suspicions if one.code in codes)


def _refused(run: Run, signal: Signal, exchange: Exchange) -> tuple[Finding, ...]:
    header, headers = run.header, run.target.headers
    assert run.endpoint is not None  # noqa: S101  the table has it after `endpoint`
    known = header.instance_id.reveal() if header is not None and header.instance_id and _numeric(header) else None
    elsewhere = None
    if known is not None and credential_judge.unknown_pair(exchange.answer):
        elsewhere = _accepting(run, signal, run.endpoint)
    findings = credential_judge.judge_refusal(
        credential_judge.Refused(
            answer=exchange.answer,
            text=exchange.text or "no text",
            words=exchange.words,
            grafana=bool(grafana_of(run.endpoint)),
            sent=_authorization(run) is not None,
            suspects=[one for one in run.suspicions if one.code.startswith("AUTH-") and one.severity is Severity.ERROR],
            probed=signal in run.accepted and not exchange.empty,
            elsewhere=elsewhere,
            host=run.endpoint.origin,
            url=run.url,
            signal=signal,
            subject=str(headers.source) if headers else run.subject,
            instance_id=known or "unknown",
        )
    )
    if any(one.code == "AUTH-INVALID" for one in findings):
        findings += _suspected(run, "AUTH-REGION")
    return findings


def _accepting(run: Run, refused: Signal, endpoint: Endpoint) -> Signal | None:
    """Return another signal for which the same credential is accepted."""
    base = endpoint.with_path(without_signal(endpoint.path)) if run.target.per_signal else endpoint
    for signal in Signal:
        if signal is refused:
            continue
        if signal in run.accepted:
            return signal
        exchange = _exchange(run, signal_endpoint(base, signal), signal, _protocol(run))
        if isinstance(exchange, Fault):
            return None
        if otlp_judge.accepted(exchange):
            return signal
    return None


def _not_found(run: Run, signal: Signal, exchange: Exchange) -> tuple[Finding, ...]:
    """Find out which path the receiver takes instead: an empty request to each path worth trying settles it."""
    endpoint, target = run.endpoint, run.target
    assert endpoint is not None  # noqa: S101  the table has it after `endpoint`
    tried: list[Alternative] = []
    likely: Alternative | None = None
    working: tuple[Alternative, Certainty] | None = None
    for alternative in alternatives(endpoint, signal, per_signal=target.per_signal):
        answer = _exchange(run, alternative.posted, alternative.signal, _protocol(run))
        if isinstance(answer, Fault):
            break
        tried.append(alternative)
        if _takes_otlp(answer):
            working = (alternative, Certainty.CERTAIN)
            break
        if answer.answer.status in (401, 403) and likely is None:
            likely = alternative  # something is guarded there that is not where the request went
    if working is None and likely is not None:
        working = (likely, Certainty.LIKELY)
    return endpoint_judge.judge_not_found(
        target.endpoint, endpoint, exchange.posted, signal=signal, working=working, tried=tuple(tried)
    )


def _unimplemented(run: Run, signal: Signal, exchange: Exchange) -> tuple[Finding, ...]:
    """Find out whether the server takes another signal, or no OTLP at all."""
    works, refused = next((one for one in Signal if one in run.accepted), None), False
    for other in Signal:
        if works is not None or other is signal:
            continue
        answer = _call(run, other, None)
        if isinstance(answer, Fault):
            break
        refused = answer.answer.status in (401, 403)
        if refused or otlp_judge.accepted(answer) or otlp_judge.reached(answer):
            works = other
    return grpc_judge.judge_unimplemented(exchange.text, signal, run.place, works=works, refused=refused)


def _takes_otlp(exchange: Exchange) -> bool:
    """Tell whether a receiver is at a path: it accepts, or refuses for the credential in a receiver's own words."""
    if otlp_judge.accepted(exchange) or otlp_judge.reached(exchange):
        return True
    return exchange.answer.status == 401 and bool(credential_judge.gateway_error(exchange.answer.body))


def _clock(run: Run) -> Outcome:
    if run.date is None:
        return Outcome(skipped="no answer with a date came")
    header, seen = run.date
    findings = network_judge.judge_clock(header, seen, url=run.url, subject=run.subject)
    return Outcome(findings)


def argument(name: str, value: str) -> Setting[str]:
    """Return a setting that was given on the command line."""
    return Setting(value, Source(SourceKind.ARGUMENT, name))
